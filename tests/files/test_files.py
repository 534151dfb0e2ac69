"""Whatever happens to a build: each file is old or new, whole; edits by hand stay; nothing else is left behind."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from nngen.errors import FileError
from nngen.files import writer
from nngen.files.writer import TEMPORARY, seal, write

REPOSITORY = Path(__file__).parents[2]
NAMES = ("__init__.py", "functional_style.py", "nn_style.py")
SPEC = "name: M\ninput: [8]\nlayers: [Linear: %d]\n"


def package(tag: str) -> dict[str, str]:
    return {name: f"{name} = {tag!r}\n" * 200 for name in NAMES}


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def run(code: str, *arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=120, **options
    )


# Forks a writer for each of its steps, that is, each call of a function of Python's own, and kills it there.
KILLED = """
import os, signal, sys
from pathlib import Path
from nngen.files.writer import write
from tests.files.test_files import NAMES, contents, package
from nngen.files.writer import TEMPORARY, seal

os.fsync = os.fstat  # takes its time, hundreds of times
folder = Path(sys.argv[1])
old, new = ({name: seal(body) for name, body in package(tag).items()} for tag in ("old", "new"))
step = cut = 0
while True:
    write(folder, package("old"))
    step += 1
    child = os.fork()
    if not child:
        calls = 0
        def count(frame, event, argument):
            global calls
            calls += event == "c_call"
            if calls == step:
                os.kill(os.getpid(), signal.SIGKILL)
        sys.setprofile(count)
        write(folder, package("new"))
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    found = contents(folder)
    for name in NAMES:
        assert found.pop(name) in (old[name], new[name]), (step, name)
    cut += bool(found)
    assert all(name.endswith(TEMPORARY) for name in found), found
    write(folder, package("next"))
    assert sorted(contents(folder)) == sorted(NAMES), step
    if status == 0:
        break
    assert status == -signal.SIGKILL
print(step, cut)
"""


@pytest.mark.heavy
def test_killed_at_any_step(tmp_path: Path) -> None:
    done = run(KILLED, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    steps, cut = map(int, done.stdout.split())
    assert steps > 100 and cut > 20  # it was killed often, and often between the files


# Kills whole builds of two specs in turn, at times of no plan.
KILLS = """
import os, random, signal, sys, time
from pathlib import Path
from nngen import pipeline
from nngen.emit import render
from nngen.files import writer
from nngen.cli import main

spec, texts = Path("model.yaml"), ["name: M\\ninput: [8]\\nlayers: [Linear: %d]\\n" % n for n in (3, 4)]
known = []
for text in texts:
    spec.write_text(text)
    known.append({name: writer.seal(body) for name, body in pipeline.read(spec).files.items()})
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
draw = random.Random(0)
for number in range(40):
    spec.write_text(texts[number % 2])
    child = os.fork()
    if not child:
        os._exit(main(["build", "model.yaml"]))
    time.sleep(draw.random() * 0.06)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    for path in Path("generated").glob("model/*.py"):
        assert path.read_text() in [files[path.name] for files in known], path
assert main(["build", "model.yaml"]) == 0
assert {path.name: path.read_text() for path in Path("generated/model").iterdir()} == known[1]
"""


@pytest.mark.heavy
def test_builds_killed_at_any_time(tmp_path: Path) -> None:
    environment = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONPATH": str(REPOSITORY)}
    done = run(
        f"import os; os.chdir({str(tmp_path)!r})\n" + KILLS, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stderr


MANY = """
import sys
from pathlib import Path
from nngen.files.writer import write
from tests.files.test_files import package
for count in range(40):
    write(Path(sys.argv[1]), package(f"{sys.argv[2]} {count}"))
"""


@pytest.mark.heavy
def test_two_builds_at_once_leave_one_package(tmp_path: Path) -> None:
    command = [sys.executable, "-c", MANY, str(tmp_path / "out")]
    builds = [
        subprocess.Popen([*command, name], cwd=REPOSITORY, stderr=subprocess.PIPE, text=True)
        for name in "ab"
    ]
    assert [build.communicate(timeout=120)[1] for build in builds] == ["", ""]
    found = contents(tmp_path / "out")
    last = next(tag for tag in ("a 39", "b 39") if seal(package(tag)[NAMES[0]]) in found.values())
    assert found == {name: seal(body) for name, body in package(last).items()}


def test_a_build_that_never_ends_does_not_hold_up_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "LOCK_SECONDS", 0)
    with writer._alone(tmp_path) as alone:
        assert alone
        with pytest.raises(FileError, match=f"another build is writing to {tmp_path}; try again"):
            write(tmp_path, package("new"))
    assert not contents(tmp_path)


def test_an_edit_while_a_build_runs_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, package("old"))
    monkeypatch.setattr(os, "fsync", lambda _: (tmp_path / NAMES[0]).write_text("# mine\n"))
    with pytest.raises(FileError, match=f"{NAMES[0]} was changed by another program meanwhile"):
        write(tmp_path, package("new"))
    old = {name: seal(body) for name, body in package("old").items()}
    assert contents(tmp_path) == {**old, NAMES[0]: "# mine\n"}


# The command line, where the system refuses


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a spec that is built, which others than its owner may enter."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    (path / "model.yaml").write_text(SPEC % 3)
    assert build(path).returncode == 0
    (path / "model.yaml").write_text(SPEC % 4)
    yield path
    shutil.rmtree(path)


# Root may write everywhere; another user may not even be able to read what nngen is made of, so that comes first.
NOBODY = "import locale; pipeline.read(Path('model.yaml')).files; os.setgroups([]); os.setgid(65_534); os.setuid(65_534)"


def build(
    folder: Path, *arguments: str, before: str = "", **options: object
) -> subprocess.CompletedProcess[str]:
    code = (
        "import os, sys; from pathlib import Path; from nngen import pipeline; "
        "from nngen.emit import render; from nngen.files import writer; "
        f"from nngen.cli import main; os.chdir({str(folder)!r}); {before}\nsys.exit(main(sys.argv[1:]))"
    )
    environment = {
        **os.environ,
        "XDG_CACHE_HOME": str(folder / "cache"),
        "PYTHONPATH": str(REPOSITORY),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return run(code, "build", "model.yaml", *arguments, env=environment, **options)


def refused(folder: Path, **options: object) -> str:
    """What a build says that must fail and change nothing."""
    before = contents(folder / "generated" / "model")
    done = build(folder, **options)
    assert (done.returncode, done.stdout) == (2, "")
    assert contents(folder / "generated" / "model") == before
    return done.stderr


def test_a_disk_that_is_full_after_some_bytes(folder: Path) -> None:
    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (700, 700))

    message = refused(folder, preexec_fn=limit)
    assert message == (
        "generated/model/functional_style.py cannot be written: File too large; "
        "put that right, then build again\n"
    )


def test_a_folder_that_may_not_be_written(folder: Path) -> None:
    (folder / "generated" / "model").chmod(0o555)
    message = refused(folder, before=NOBODY if os.geteuid() == 0 else "")
    assert message == (
        "generated/model/functional_style.py cannot be written: Permission denied; "
        "change its permissions, or choose another folder with -o\n"
    )


def test_leftovers_of_a_drawing_are_cleaned(tmp_path: Path) -> None:
    (tmp_path / f".net.svg.0{TEMPORARY}").touch()
    writer.write_text(tmp_path / "net.svg", "<svg/>")
    assert contents(tmp_path) == {"net.svg": "<svg/>"}
