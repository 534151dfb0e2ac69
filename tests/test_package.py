"""What is shipped works on its own: away from the repository, and without torch."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.heavy
REPOSITORY = Path(__file__).parent.parent
TEMPLATES = REPOSITORY / "templates"
LESSONS = REPOSITORY / "lessons"
GOLDEN = REPOSITORY / "generated" / "cnn"


def run(*command: object, cwd: Path) -> str:
    """The output of `command`, run where nothing leads to the repository."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=clean,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the source distribution."""
    dist = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", dist]
    run(*build, REPOSITORY, cwd=dist)
    (path,) = dist.glob("*.whl")
    return path


def test_the_wheel_holds_all_of_nngen_and_the_templates(wheel: Path) -> None:
    templates = [path for path in TEMPLATES.rglob("*") if path.is_file()]
    assert templates
    templates += LESSONS.glob("*/*.md")
    modules = [*(REPOSITORY / "nngen").rglob("*.py"), REPOSITORY / "nngen/py.typed"]
    modules += [REPOSITORY / "nngen/schema.json", REPOSITORY / "nngen/first_spec.yaml"]
    modules += (REPOSITORY / "nngen/teach/translations").rglob("*.yaml")
    expected = {path.relative_to(REPOSITORY).as_posix() for path in modules}
    expected |= {f"nngen/{path.relative_to(REPOSITORY)}" for path in templates}
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == expected


def test_the_installed_wheel_builds_what_is_committed(wheel: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "venv", "venv", cwd=tmp_path)
    scripts = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    constraints = REPOSITORY / "constraints.txt"
    pip = [scripts / "python", "-m", "pip", "install", "--quiet"]
    run(*pip, "--constraint", constraints, wheel, cwd=tmp_path)
    spec = (REPOSITORY / "specs" / "cnn.yaml").read_bytes()
    (tmp_path / "cnn.yaml").write_bytes(spec)

    run(scripts / "nngen", "build", "cnn.yaml", "-o", "out", cwd=tmp_path)

    built = {path.name: path.read_bytes() for path in (tmp_path / "out/cnn").iterdir()}
    assert built == {path.name: path.read_bytes() for path in GOLDEN.glob("*.py")}
    assert set(built) == {"__init__.py", "nn_style.py", "functional_style.py", "stateless.py"}
    code = "from importlib.util import find_spec; print(find_spec('torch'))"
    assert run(scripts / "python", "-c", code, cwd=tmp_path) == "None\n"
