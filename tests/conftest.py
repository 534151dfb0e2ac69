"""Tests that need a program are skipped where it is missing, and the last lines say what brings it."""

from __future__ import annotations

import os
import shutil
from collections import Counter

import pytest

# By what tests call them, `@pytest.mark.needs("dot")`: the names of the program, and the packages that bring it.
PROGRAMS = {
    "browser": (("chromium", "chromium-browser", "google-chrome"), "chromium fonts-noto-cjk"),
    "compiler": (("g++", "clang++", "c++"), "g++"),
    "dot": (("dot",), "graphviz"),
}
# Set where everything is installed: there a program that is missing fails the test.
ALL = "NNGEN_TEST_ALL"


def find(program: str) -> str | None:
    """Where a program is."""
    names, _ = PROGRAMS[program]
    return next(filter(None, map(shutil.which, names)), None)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(program): skipped where the program is missing")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("needs"):
        for program in mark.args:
            if find(program) is None:
                names, packages = PROGRAMS[program]
                reason = f"{' or '.join(names)} is missing: apt-get install {packages}"
                if os.environ.get(ALL):
                    pytest.fail(reason, pytrace=False)
                pytest.skip(reason)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was skipped for want of what."""
    skipped = Counter(
        str(report.longrepr[2]).removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", ())
    )
    if skipped:
        terminalreporter.section("skipped")
    for reason, count in sorted(skipped.items()):
        terminalreporter.write_line(f"{count} skipped: {reason}")
