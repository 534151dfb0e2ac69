"""The playground served on this machine, with the Python that runs it."""

from __future__ import annotations

import json
import mimetypes
import secrets
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from nngen.emit.render import templates
from nngen.limits import LARGE
from nngen.teach.playground.desk import Desk
from nngen.teach.playground.words import words

HOST = "127.0.0.1"
_HEADER = "X-Nngen"
# Tells the page that Python is here; its value must come with each question, which other sites' pages cannot read.
_MARK = '<meta name="nngen-server" content="{token}" data-verify="{verify}">'


class Playground(ThreadingHTTPServer):
    """Serves the page to this machine alone.

    Args:
        port: the port; 0 for any that is free.
        text: the spec to begin with; empty for the first example.
        file: the name of its file.
        verify: gives the report of a text and its file's name, as text; None where torch is missing.
        site: the folder that `make playground` wrote, for its editor; the page does with a plain one.
    """

    daemon_threads = True

    def __init__(
        self,
        port: int = 0,
        text: str = "",
        file: str = "",
        verify: Callable[[str, str], str] | None = None,
        site: Path | None = None,
    ) -> None:
        super().__init__((HOST, port), _Handler)
        self.token = secrets.token_urlsafe(24)
        self.start = {"text": text, "file": file}
        self.verify = verify
        self.site = site
        self.desk = Desk()
        self.alone = threading.Lock()

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    server: Playground

    def do_GET(self) -> None:
        if not self._is_local():
            return
        path = urlsplit(self.path).path.lstrip("/") or "index.html"
        if path == "index.html":
            return self._page()
        if path == "words.json":
            return self._send(json.dumps(words()).encode(), "application/json")
        if path == "start.json":
            return self._send(json.dumps(self.server.start).encode(), "application/json")
        found = self._file(path)
        if found is None:
            return self.send_error(HTTPStatus.NOT_FOUND)
        kind = mimetypes.guess_type(found.name)[0] or "application/octet-stream"
        self._send(found.read_bytes(), kind)

    def do_POST(self) -> None:
        if not self._is_local() or not secrets.compare_digest(
            self.headers.get(_HEADER, ""), self.server.token
        ):
            return self.send_error(HTTPStatus.FORBIDDEN)
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > 8 * LARGE.size:
            return self.send_error(HTTPStatus.BAD_REQUEST)
        request = self.rfile.read(int(length)).decode(errors="replace")
        try:
            with self.server.alone:
                answer = self._answer(request)
        except (ValueError, KeyError, TypeError, AttributeError):
            return self.send_error(HTTPStatus.BAD_REQUEST)
        self._send(answer.encode(), "application/json")

    def _answer(self, request: str) -> str:
        if self.path == "/verify" and self.server.verify is not None:
            asked = json.loads(request)
            return json.dumps({"report": self.server.verify(asked["text"], asked["file"])})
        return self.server.desk.answer(request)

    def _is_local(self) -> bool:
        """Whether the page is asked for by its own name: a name that another site points here is none."""
        names = {f"{name}:{self.server.server_port}" for name in (HOST, "localhost")}
        if self.headers.get("Host") in names:
            return True
        self.send_error(HTTPStatus.FORBIDDEN)
        return False

    def _page(self) -> None:
        page = (templates() / "playground" / "index.html").read_text(encoding="utf-8")
        verify = "yes" if self.server.verify else ""
        mark = _MARK.format(token=self.server.token, verify=verify)
        head, policy, rest = page.partition("<meta charset")
        self._send((head + mark + policy + rest).encode(), "text/html; charset=utf-8")

    def _file(self, path: str) -> Path | None:
        """A file of the page: nngen's own, or of the site's editor."""
        if path in OWN:
            return OWN[path]
        site = self.server.site
        if site is None or not path.startswith("vendor/"):
            return None
        found = (site / path).resolve()
        return found if found.is_file() and site.resolve() in found.parents else None

    def _send(self, data: bytes, kind: str) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of each request."""


# The page's own files by their addresses.
OWN = {
    "page.css": templates() / "playground" / "page.css",
    "page.js": templates() / "playground" / "page.js",
    "plain.js": templates() / "playground" / "plain.js",
    "editor.js": templates() / "playground" / "editor.js",
    "switches.js": templates() / "lesson" / "switches.js",
    "lesson.css": templates() / "lesson" / "page.css",
}
