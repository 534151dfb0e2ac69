"""How long the playground takes to load and to follow an edit: `python -m benchmarks.playground site-playground`.

An idle machine tells most. Needs what `make playground` writes, and Chromium.
"""

from __future__ import annotations

import argparse
import functools
import shutil
import statistics
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

SPECS = Path(__file__).parent.parent / "specs"
STAGES = ("problems", "code", "steps")
# Follows one text after another in a worker of its own; gives the milliseconds from each edit to each stage.
EDITS = """async ([file, texts, stages]) => {
  const worker = new Worker("worker.js", { type: "module" });
  const heard = (wanted) => new Promise((resolve) => { worker.onmessage = ({ data }) => { if (data[wanted]) resolve(data); }; });
  await heard("ready");
  const found = Object.fromEntries(stages.map((stage) => [stage, []]));
  for (const text of texts) {
    const start = performance.now();
    for (const stage of stages) {
      const answered = heard("answer");
      worker.postMessage({ id: 1, request: JSON.stringify({ stage, text, file, styles: ["nn", "functional"] }) });
      await answered;
      found[stage].push(performance.now() - start);
    }
  }
  worker.terminate();
  return found;
}"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def loads(browser: Browser, address: str) -> None:
    """Print the seconds to the first code and to live editing: a first visit, and one with all in the cache."""
    context = browser.new_context()
    for visit in ("first visit", "cached"):
        page = context.new_page()
        start = time.perf_counter()
        page.goto(address)
        page.wait_for_selector("#table tr")
        code = time.perf_counter() - start
        page.wait_for_selector("html[data-live=done]", timeout=120_000)
        live = time.perf_counter() - start
        print(f"{visit:12} first code {code:5.2f} s, live {live:5.2f} s", flush=True)
        page.evaluate("navigator.serviceWorker.ready.then(() => null)")
        page.close()


def edits(browser: Browser, address: str, name: str, count: int) -> None:
    """Print the median over some edits of the milliseconds to each stage."""
    page = browser.new_page()
    page.goto(address + "licences.txt")
    path = SPECS / f"{name}.yaml"
    text = path.read_text("utf-8")
    texts = [f"{text}{'#' * number}\n" for number in range(count)]
    found: dict[str, Any] = page.evaluate(EDITS, [path.name, texts, STAGES])
    told = ", ".join(f"{stage} {statistics.median(found[stage]):5.0f} ms" for stage in STAGES)
    print(f"{name:12} {told}", flush=True)
    page.close()


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", type=Path, help="the folder that `make playground` wrote")
    parser.add_argument("--edits", type=int, default=50, help="of each spec (default: %(default)s)")
    parser.add_argument("--specs", nargs="+", default=["cnn", "resnet50"])
    options = parser.parse_args()
    handler = functools.partial(_Quiet, directory=options.site)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/"
    with sync_playwright() as playwright:
        program = shutil.which("chromium")
        flags = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        loads(browser, address)
        for name in options.specs:
            edits(browser, address, name, options.edits)
        browser.close()
    server.shutdown()


if __name__ == "__main__":
    main()
