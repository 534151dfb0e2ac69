"""Each slip of a spec ends in one clear error: where, what, and what would be right; and nothing is written.

The slips stand in bad_specs.txt, each beside the exact message that it gets: a line `=== what is wrong`, the spec,
and the message behind `>`. A spec that begins with a step is put below a head with `input: [3, 8, 8]`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import nngen
from nngen.cli import main
from nngen.errors import FileError, NngenError, SpecError, did_you_mean, nearest
from nngen.packages import install
from tests.excerpts import without_excerpts

HEAD = "name: M\ninput: [3, 8, 8]\nlayers:\n"


def bad_specs() -> dict[str, tuple[str, str]]:
    """The specs and their messages, by what is wrong."""
    found = {}
    for record in Path(__file__).with_name("bad_specs.txt").read_text().split("=== ")[1:]:
        name, *lines = record.rstrip("\n").split("\n")
        spec = [line for line in lines if not line.startswith("> ")]
        message = [line[2:] for line in lines if line.startswith("> ")]
        assert name not in found and message
        found[name] = (_whole(spec), "\n".join(message))
    return found


def _whole(lines: list[str]) -> str:
    if not lines[0].startswith(("- ", "-\n")) or any(line.startswith("> ") for line in lines):
        return "\n".join(lines) + "\n"
    steps = [f"  {line}" if line.startswith(("-", " ")) else line for line in lines]
    return HEAD + "\n".join(steps) + "\n"


BAD = bad_specs()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder; what nngen remembers lies elsewhere."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


def failed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command that must fail says, but for the lines of the spec that it shows."""
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    return without_excerpts(printed.err).removesuffix("\n")


@pytest.mark.parametrize("name", BAD)
def test_a_bad_spec(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec, message = BAD[name]
    path = folder / "model.yaml"
    path.write_text(spec)
    assert failed(capsys, "build", "model.yaml") == f"model.yaml:{message}"
    assert list(folder.iterdir()) == [path]


EMPTY = "1:1: the spec is empty"
BEGIN = "it begins with name, input and layers"


@pytest.mark.parametrize(
    ("spec", "message", "hint"),
    [
        ("", EMPTY, BEGIN),
        ("\n", EMPTY, BEGIN),
        ("# only this\n", EMPTY, BEGIN),
        ("name: M\nlayers:\n\t- ReLU\n", "3:1: a tab indents a line", "use spaces"),
        (
            "- ReLU\n",
            "1:1: a spec is a mapping with the keys name, input and layers",
            "begin with `name: MyModel`",
        ),
        (
            "name: M\0\n",
            "1:8: the character U+0000 is refused",
            "take it out; between double quotes, \\x00 or \\u2028 can stand for it",
        ),
    ],
    ids=["nothing", "an empty line", "a comment", "a tab", "a list", "a control character"],
)
def test_a_spec_that_is_none(
    spec: str, message: str, hint: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "model.yaml").write_text(spec)
    assert failed(capsys, "build", "model.yaml") == f"model.yaml:{message}\n  hint: {hint}"


@pytest.mark.parametrize(
    "steps",
    [
        "  - y = " + "(" * 250 + "x" + ")" * 250,
        "  - y = x" + " + x" * 5_000,
        "  - " + "[" * 5_000 + "]" * 5_000,
        "  - Sequential: [" * 100 + "ReLU" + "]" * 100,
        "  - ReLU as " + "a" * 100_000,
        "  - Linear: " + "9" * 5_000,
        "  - ReLU:\n    repeat: 1000000000",
        "  - ReLU as r${i}:\n    repeat: 1000000000",
        "  - Linear: 2 ** 2 ** 2 ** 2 ** 2 ** 2",
        "  - Linear: max(*[9, 9], **{})",
    ],
    ids=lambda steps: steps[:20].strip(),
)
def test_what_is_too_much(steps: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "model.yaml").write_text(HEAD + steps + "\n")
    message = failed(capsys, "build", "model.yaml")
    assert message.startswith("model.yaml:") and len(message) < 1_000


# Files and folders


@pytest.mark.parametrize("verb", ["build", "verify"])
def test_a_file_that_is_not_there(
    verb: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    message = "cannot read absent.yaml: No such file or directory"
    assert failed(capsys, verb, "absent.yaml") == message
    assert not list(folder.iterdir())


def test_a_file_beside_the_one_that_was_meant(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "model.yaml").write_text(HEAD + "  - ReLU\n")
    near = Path("sub", "model.yaml")
    absent = Path("sub", "modl.yml")
    assert failed(capsys, "build", str(absent)) == (
        f"cannot read {absent}: No such file or directory\n  hint: did you mean {near}?"
    )
    assert failed(capsys, "build", "sub") == (
        f"cannot read sub: Is a directory\n  hint: name a spec in it, such as {near}"
    )


def test_a_folder_for_a_spec(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "model.yaml").mkdir()
    assert failed(capsys, "build", "model.yaml") == "cannot read model.yaml: Is a directory"


def test_a_file_that_is_no_text(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "model.yaml").write_bytes(b"\xff\xfe\x00name")
    assert failed(capsys, "build", "model.yaml").startswith("model.yaml:")


def test_a_folder_that_cannot_be_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "model.yaml").write_text(HEAD + "  - ReLU\n")
    (folder / "taken").write_text("a file")
    assert failed(capsys, "build", "model.yaml", "-o", "taken").startswith("taken")
    assert sorted(path.name for path in folder.iterdir()) == ["model.yaml", "taken"]
    assert (folder / "taken").read_text() == "a file"


@pytest.mark.parametrize("name", ["my model.yaml", "class.yaml", "2nd.yaml"])
def test_a_file_name_that_is_no_package(
    name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / name).write_text(HEAD + "  - ReLU\n")
    assert name.partition(".")[0] in failed(capsys, "build", name)
    assert [path.name for path in folder.iterdir()] == [name]


@pytest.mark.parametrize("options", [["build"], ["build", "--diff"], ["verify"]], ids=" ".join)
def test_a_bad_spec_does_not_keep_the_others_from_their_turn(
    options: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bad.yaml").write_text(HEAD + "  - Reluu\n")
    (folder / "good.yaml").write_text(HEAD + "  - ReLU\n")
    assert main([*options, "bad.yaml", "absent.yaml", "good.yaml"]) == 2
    printed = capsys.readouterr()
    first, _, second = without_excerpts(printed.err).splitlines()[:3]
    assert first.startswith("bad.yaml:4:5: layers[0]: torch.nn has no layer 'Reluu'")
    assert second.startswith("cannot read absent.yaml")
    assert {"build": "created", "build --diff": "+class M(", "verify": "equal, bit for bit"}[
        " ".join(options)
    ] in printed.out


def test_verify_without_torch(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    (folder / "good.yaml").write_text(HEAD + "  - ReLU\n")
    message = f"verify needs torch: {install('torch')}"
    assert failed(capsys, "verify", "good.yaml") == message


@pytest.mark.parametrize(
    "arguments", [[], ["build"], ["biuld", "a.yaml"], ["build", "--chekc", "a"]]
)
def test_a_command_that_is_none(
    arguments: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("usage: nngen")


# From Python


@pytest.mark.parametrize("name", ["load", "verify"])
def test_from_python_it_is_an_exception(name: str, folder: Path) -> None:
    use = getattr(nngen, name)
    with pytest.raises(SpecError) as caught:
        use({"name": "M", "input": [3], "layers": [{"Linaer": 3}]})
    error = caught.value
    assert isinstance(error, NngenError)
    assert (error.message, error.hint) == (
        "torch.nn has no layer 'Linaer'",
        "did you mean 'Linear'?",
    )
    assert (error.mark.line, error.mark.path) == (0, "layers[0].Linaer")
    with pytest.raises(FileError):
        use(folder / "absent.yaml")
    with pytest.raises(SpecError, match="^<text>:3:"):
        use("name: M\ninput: [3]\nlayers: [Linaer]\n")


@pytest.mark.parametrize(
    ("word", "known", "best"),
    [
        ("Conv2dd", ["Conv1d", "Conv2d", "Conv3d"], "Conv2d"),
        ("relu", ["ReLU", "ReLU6"], "ReLU"),
        ("kernal", ["kernel_size", "stride"], "kernel_size"),
        ("paddign", ["padding", "padding_mode"], "padding"),
        ("xyz", ["padding", "stride"], None),
        ("", ["padding"], None),
        ("a", [], None),
    ],
)
def test_the_nearest_word(word: str, known: list[str], best: str | None) -> None:
    assert nearest(word, known) == best


def test_hints_for_unknown_words() -> None:
    assert did_you_mean("strid", ["stride"]) == "did you mean 'stride'?"
    assert did_you_mean("zzz", ["a", "b", "a"]) == "known here: a, b"
    assert did_you_mean("zzz", map(str, range(21))) == ""
    assert did_you_mean("zzz", []) == ""
