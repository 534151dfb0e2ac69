"""The packages that nngen may need: how they are installed beside this copy of it; torch and its version."""

from __future__ import annotations

import importlib
import warnings
from pathlib import Path
from typing import Any

from nngen.errors import NngenError

# The name on the package index, where another project is called nngen.
DISTRIBUTION = "nngen-twins"
OLDEST_TORCH = "2.4"


def install(extra: str) -> str:
    """The command that adds an extra to this copy of nngen: `pip install -e '.[torch]'`."""
    # Not imported above: what goes well must not wait for it.
    import shlex
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    origin = _origin()
    folder = Path(url2pathname(urlsplit(origin.get("url", "")).path))
    if "dir_info" not in origin or not folder.is_dir():
        return f"pip install '{DISTRIBUTION}[{extra}]'"
    editable = "-e " if origin["dir_info"].get("editable") else ""
    here = "." if folder.resolve() == Path.cwd() else str(folder)
    return f"pip install {editable}{shlex.quote(f'{here}[{extra}]')}"


def _origin() -> dict[str, Any]:
    """Where this copy was installed from, as pip notes it (PEP 610); a checkout that is not installed is one, too."""
    import json
    from importlib import metadata

    checkout = Path(__file__).parent.parent
    if (checkout / "pyproject.toml").is_file():
        return {"url": checkout.as_uri(), "dir_info": {"editable": True}}
    try:
        note = metadata.distribution(DISTRIBUTION).read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        note = None
    return dict(json.loads(note)) if note else {}


def import_torch() -> str:
    """Import torch before anything else does, and tell its version.

    It warns where NumPy is missing, which nothing here needs.

    Raises:
        NngenError: it is too old.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Failed to initialize NumPy", UserWarning)
        version = str(importlib.import_module("torch").__version__)
    if is_older(version, OLDEST_TORCH):
        raise NngenError(f"nngen needs torch {OLDEST_TORCH} or newer; this is torch {version}")
    return version


def is_older(version: str, since: str) -> bool:
    """Whether a version of torch, `2.4.1+cpu`, came before a minor version, `2.13`."""
    return _minor(version) < _minor(since)


def _minor(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")[:2]))
