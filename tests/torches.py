"""Runs the tests of the catalog and the specs with each minor version of torch, one after the other: `make torches`.

Each version gets an environment of its own, of up to 6 GB, which is removed once its result is written. A result that is
there stays, so that a second run does only what is missing; `--again 2.4.1` does one anew. At the end the tables of
docs/versions.md are written.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests import versions_page
from tests.files.same_everywhere import pythons

REPOSITORY = Path(__file__).parent.parent
FOLDER = REPOSITORY / ".torches"
# The last of each minor version; and one of them with other Pythons.
SERIES = "2.4.1 2.5.1 2.6.0 2.7.1 2.8.0 2.9.1 2.10.0 2.11.0 2.12.1 2.13.0 2.14.1 2.15.0"
VERSIONS = (
    *((torch, "3.11") for torch in SERIES.split()),
    *(("2.13.0", python) for python in ("3.10", "3.12", "3.13", "3.14")),
)
# Not among them: what torch refuses, which is another thing in each version.
TESTS = tuple(
    f"tests/{room}/test_{name}.py"
    for room, names in {
        "catalog": ("catalog", "since", "functions", "functions_open", "modifiers"),
        "graph": ("losses", "block_forms", "members", "loops"),
        "proof": ("conditions", "steps"),
    }.items()
    for name in names
)


def environment(torch: str, python: Path, minor: str) -> Path:
    """An environment's Python, with torch and what the tests need."""
    folder = FOLDER / f"venv-{torch}-{minor}"
    own = folder / "bin" / "python"
    if (folder / ".ready").exists():
        return own
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([python, "-m", "venv", folder], check=True)
    install = [own, "-m", "pip", "install", "--quiet", "--no-cache-dir"]
    subprocess.run([*install, f"torch=={torch}"], check=True)
    pinned = ["-c", "constraints.txt"] if minor != "3.10" else []  # they need a newer Python
    tools = ["pytest>=8", "hypothesis>=6", "expecttest>=0.2"]
    subprocess.run([*install, *pinned, ".", *tools], cwd=REPOSITORY, check=True)
    (folder / ".ready").touch()
    return own


def run(python: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-m", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def tested(python: Path, folder: Path) -> dict[str, Any]:
    """What came of the tests: how many passed, what failed, and how many were skipped for which reason."""
    report = folder / "tests.xml"
    done = run(python, "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *TESTS)
    if not report.exists():
        raise RuntimeError(done.stdout + done.stderr)
    cases = list(ET.parse(report).iter("testcase"))
    failed = [c for c in cases if c.find("failure") is not None or c.find("error") is not None]
    skipped = [found.get("message", "") for c in cases if (found := c.find("skipped")) is not None]
    return {
        "passed": len(cases) - len(failed) - len(skipped),
        "failed": [f"{case.get('classname')}::{case.get('name')}" for case in failed],
        "skipped": Counter(skipped),
    }


def verified(python: Path) -> dict[str, str]:
    """For each spec `equal`, `differs`, or the error."""
    specs = sorted((REPOSITORY / "specs").glob("*.yaml"))
    done = run(python, "nngen", "verify", "--json", *(f"specs/{spec.name}" for spec in specs))
    found = json.loads(done.stdout)
    return {
        name: result.get("error") or ("equal" if result["equal"] else "differs")
        for name, result in found.items()
    }


def result_of(torch: str, minor: str) -> Path:
    return FOLDER / f"{torch}-{minor}.json"


def try_version(torch: str, minor: str, python: Path) -> None:
    """Run everything with one version, and write its result."""
    started = time.monotonic()
    FOLDER.mkdir(exist_ok=True)
    own = environment(torch, python, minor)
    told = "import sys, torch; print(sys.version.split()[0], torch.__version__)"
    versions = subprocess.run([own, "-c", told], capture_output=True, text=True, check=True)
    exact, build = versions.stdout.split()
    print(f"torch {build}, Python {exact}: tests", flush=True)
    tests = tested(own, own.parent)
    print(f"  {tests['passed']} passed, {len(tests['failed'])} failed; specs", flush=True)
    specs = verified(own)
    result = {"torch": torch, "build": build, "python": exact, "tests": tests, "specs": specs}
    result_of(torch, minor).write_text(json.dumps(result, indent=1))
    shutil.rmtree(own.parent.parent)
    equal = list(specs.values()).count("equal")
    print(f"  {equal} of {len(specs)} equal; {time.monotonic() - started:.0f} s", flush=True)


# The page


def results() -> list[dict[str, Any]]:
    paths = (result_of(*version) for version in VERSIONS)
    return [json.loads(path.read_text()) for path in paths if path.exists()]


def runs(found: list[dict[str, Any]]) -> Iterator[str]:
    """A row for each version that was run, here or when the page was written last."""
    yield "| PyTorch | Python | tests passed | failed | skipped: came later | specs equal |"
    yield "| --- | --- | ---: | ---: | ---: | ---: |"
    lines = {(row[0], row[1].rpartition(".")[0]): row for row in versions_page.rows("runs")}
    for each in found:
        tests, specs = each["tests"], each["specs"]
        lines[each["torch"], each["python"].rpartition(".")[0]] = [
            each["torch"],
            each["python"],
            f"{tests['passed']:,}",
            str(len(tests["failed"])),
            str(sum(tests["skipped"].values())),
            f"{list(specs.values()).count('equal')} of {len(specs)}",
        ]
    for version in VERSIONS:
        if version in lines:
            yield f"| {' | '.join(lines[version])} |"


def refusals(found: list[dict[str, Any]]) -> Iterator[str]:
    """What is said of the specs that are not equal, without the lines that it shows; of others as the page has it."""
    yield "| PyTorch | what `nngen verify` says |"
    yield "| --- | --- |"
    anew = {each["torch"] for each in found}
    yield from (
        f"| {' | '.join(row)} |" for row in versions_page.rows("refusals") if row[0] not in anew
    )
    for each in found:
        for name, said in each["specs"].items():
            lines = [line for line in said.splitlines() if name in line]
            if said != "equal":
                yield from (
                    f"| {each['torch']} | `{line}` |" for line in lines or [f"{name}: {said}"]
                )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.torches", description=__doc__)
    parser.add_argument(
        "versions", nargs="*", metavar="VERSION", help="only these: 2.4.1, 2.13.0-3.10"
    )
    parser.add_argument("--again", action="store_true", help="even where a result is there")
    options = parser.parse_args()
    there = {version.rpartition(".")[0]: path for version, path in pythons().items()}
    failed = False
    for torch, minor in VERSIONS:
        if options.versions and not {torch, f"{torch}-{minor}"} & {*options.versions}:
            continue
        if minor not in there:
            print(f"torch {torch}: there is no Python {minor} here", flush=True)
        elif options.again or not result_of(torch, minor).exists():
            try:
                try_version(torch, minor, there[minor])
            except (subprocess.CalledProcessError, RuntimeError, ValueError) as error:
                print(f"torch {torch}, Python {minor}: {error}", flush=True)
                failed = True
    found = results()
    versions_page.write("runs", runs(found))
    versions_page.write("refusals", refusals(found))
    versions_page.write("later", versions_page.later())
    return 1 if failed or any(each["tests"]["failed"] for each in found) else 0


if __name__ == "__main__":
    sys.exit(main())
