"""Builds all specs with each Python that there is, and compares every byte: `make pythons`.

Writes the table of docs/versions.md. Looks for python3.10 and newer on the PATH and among pyenv's, and gives each an environment without torch.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests import versions_page

REPOSITORY = Path(__file__).parents[2]
OLDEST, NEWEST = 10, 16


def pythons() -> dict[str, Path]:
    """The interpreters, by their full version."""
    names = [f"python3.{minor}" for minor in range(OLDEST, NEWEST)]
    places = [Path(found) for name in names if (found := shutil.which(name))]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    places += [path for name in names for path in pyenv.glob(f"*/bin/{name}")]
    found: dict[str, Path] = {}
    for path in [Path(sys.executable), *places]:
        code = "import sys; print('.'.join(map(str, sys.version_info[:3])))"
        done = subprocess.run([path, "-c", code], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            found.setdefault(done.stdout.strip(), path)
    return found


def build(python: Path, folder: Path) -> dict[str, bytes]:
    """What an interpreter of its own environment builds from all specs."""
    subprocess.run([python, "-m", "venv", folder / "venv"], check=True)
    own = folder / "venv" / "bin" / "python"
    command = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([own, *command, REPOSITORY], check=True)
    specs = sorted((REPOSITORY / "specs").glob("*.yaml"))
    environment = {
        **os.environ,
        "XDG_CACHE_HOME": str(folder / "cache"),
        "PYTHONHASHSEED": "random",
    }
    environment.pop("PYTHONPATH", None)
    subprocess.run(
        [own, "-m", "nngen", "build", *specs, "-o", folder / "out"],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return {
        str(path.relative_to(folder / "out")): path.read_bytes()
        for path in sorted((folder / "out").rglob("*.py"))
    }


def numbers(item: tuple[str, Path]) -> list[int]:
    """What sorts 3.9 before 3.10."""
    return list(map(int, item[0].split(".")))


def main() -> int:
    wanted = {
        str(path.relative_to(REPOSITORY / "generated")): path.read_bytes()
        for path in (REPOSITORY / "generated").rglob("*.py")
    }
    differing = []
    rows = ["| Python | files | unlike `generated/` |", "| --- | ---: | ---: |"]
    for version, python in sorted(pythons().items(), key=numbers):
        with tempfile.TemporaryDirectory() as folder:
            built = build(python, Path(folder))
        unlike = sorted(
            name for name in built.keys() | wanted.keys() if built.get(name) != wanted.get(name)
        )
        print(
            f"Python {version}: {len(built)} files, {len(unlike)} unlike generated/ {' '.join(unlike[:3])}",
            flush=True,
        )
        differing += unlike
        rows.append(f"| {version} | {len(built)} | {len(unlike)} |")
    versions_page.write("pythons", rows)
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
