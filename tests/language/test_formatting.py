"""`nngen fmt`: the form of a spec, which keeps what the spec says, and every comment."""

from __future__ import annotations

import io
import random
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nngen.cli import main
from nngen.errors import SpecError
from nngen.language import document
from nngen.language.formatting import LENGTH, _data, formatted
from tests.built import SPECS
from tests.random_specs.check import to_yaml


def test_the_first_spec_is_in_form(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(tmp_path / "net.yaml")]) == 0
    assert main(["fmt", "--check", str(tmp_path / "net.yaml")]) == 0


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_the_collection_is_in_form(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert formatted(text, path.name) == text
    lines = [line.partition(" #")[0] for line in text.splitlines()]
    assert max(map(len, lines)) <= LENGTH


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("a:   [1,2 ,  {b : 3}]", "a: [1, 2, {b: 3}]\n"),
        ("a: ['x', \"y\", 'it''s', 'say \"so\"']", 'a: ["x", "y", "it\'s", \'say "so"\']\n'),
        ("a:\n - 1\n -   2", "a:\n  - 1\n  - 2\n"),
        ("a:\n- b: 1\n  c: 2", "a:\n  - b: 1\n    c: 2\n"),
        ("a:\n  -\n    b: 1", "a:\n  - b: 1\n"),
        ("a: 1\n\n\n\nb: 2", "a: 1\n\nb: 2\n"),
        ("a: 1 #one\n#two\nb: 2   #  three", "a: 1 # one\n# two\nb: 2 #  three\n"),
        ("layers: [1]\n# top\nname: A", "# top\nname: A\nlayers: [1]\n"),
        ("# file\nlayers: [1]\nname: A", "# file\nname: A\nlayers: [1]\n"),
        ("a:\n  b: 1\n  # of a\nc: 2", "a:\n  b: 1\n  # of a\nc: 2\n"),
        ("a:\n  b: 1\n# of c\nc: 2", "a:\n  b: 1\n# of c\nc: 2\n"),
        ("a: 1\n# last", "a: 1\n# last\n"),
        ("a: [1, # one\n  2]", "a: [1, 2] # one\n"),
        ("a: [\n  # one\n  {b: 1},\n  2]", "a:\n  # one\n  - b: 1\n  - 2\n"),
        ("a: {b: , c: ~}", "a: {b: null, c: ~}\n"),
        ("a: one\n  two", "a: one two\n"),
        (
            "a: |\n      one\n        two\n\n      three\nb: 2",
            "a: |\n  one\n    two\n\n  three\nb: 2\n",
        ),
        ("a: one#two", "a: one#two\n"),
        ("a: 'one # two'", 'a: "one # two"\n'),
        ("---\na: 1\n...\n", "a: 1\n"),
        ("a: []\nb: {}", "a: []\nb: {}\n"),
        ("? a\n: 1", "a: 1\n"),
    ],
)
def test_the_form(text: str, right: str) -> None:
    assert formatted(text, "a.yaml") == right
    assert formatted(right, "a.yaml") == right


def test_what_is_too_long_goes_over_lines() -> None:
    sizes = ", ".join(f"a_long_name_{i}: {i}" for i in range(8))
    text = f"layers:\n  - Sequential as s: [Layer: {{{sizes}}}, ReLU]\n    when: a\n"
    found = formatted(text, "a.yaml")
    opened = "".join(f"          a_long_name_{i}: {i}\n" for i in range(8))
    assert found == (
        f"layers:\n  - Sequential as s:\n      - Layer:\n{opened}      - ReLU\n    when: a\n"
    )
    words = [" ".join(f"word{i}" for i in range(n, n + 14)) for n in (0, 14, 28)]
    folded = "a: {}\n  {}\n  {}\n".format(*words)
    assert formatted(folded, "a.yaml") == folded


def test_a_line_whose_findings_are_silenced_stays_one() -> None:
    sizes = ", ".join(f"a_long_name_{i}: {i}" for i in range(8))
    text = f"layers:\n  - Layer: {{{sizes}}} # nngen: ignore NN201 for a reason\n"
    assert formatted(text, "a.yaml") == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [1", "is never closed"),
        ("a: &x [1]\nb: *x\n", "1:4: &x: a spec with anchors is not laid out anew"),
        ("? >-\n  a\n: 1\n", "cannot be laid out anew without a loss"),
        ("a: !!str 1", "a tag"),
    ],
)
def test_what_is_refused(text: str, says: str) -> None:
    with pytest.raises(SpecError, match=says.replace("(", r"\(")):
        formatted(text, "a.yaml")


@pytest.mark.parametrize("seed", range(60))
def test_random_specs_say_the_same(seed: int) -> None:
    text = to_yaml(_drawn(seed))
    found = formatted(text, "a.yaml")
    assert _data(document.parse(found, "a.yaml")) == _data(document.parse(text, "a.yaml"))
    assert formatted(found, "a.yaml") == found


def _drawn(seed: int) -> dict[str, object]:
    """A nested document like a spec, which need not make sense."""
    draw = random.Random(seed)

    def value(depth: int) -> object:
        kind = draw.randrange(6 if depth else 4)
        if kind == 0:
            return draw.choice([1, -2.5, True, None, "3 * x", "yes", "a: b", "#", "it's", "x" * 90])
        if kind == 1:
            return draw.choice(["Conv2d", "y = x[:, 0] + 1", "", "  in  ", 'say "so"', "é 😀"])
        if kind in (2, 3):
            return draw.randrange(100)
        if kind == 4:
            return [value(depth - 1) for _ in range(draw.randrange(5))]
        return {f"key {i}": value(depth - 1) for i in range(draw.randrange(5))}

    names = draw.sample(["name", "layers", "input", "loss", "args", "more", "blocks"], 4)
    return {name: value(4) for name in names}


SPEC = Path("specs/residual.yaml").read_text(encoding="utf-8")


@given(
    st.lists(
        st.tuples(
            st.integers(0, 60), st.sampled_from(["above", "beside", "blank"]), st.integers(0, 12)
        ),
        max_size=8,
    )
)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_comment_is_lost(places: list[tuple[int, str, int]]) -> None:
    lines = SPEC.splitlines()
    for number, (place, kind, column) in enumerate(places):
        place %= len(lines)
        if kind == "blank":
            lines.insert(place, "")
        elif kind == "above":
            lines.insert(place, " " * column + f"# comment {number}")
        elif lines[place] and "#" not in lines[place]:
            lines[place] += f"  # comment {number}"
    text = "\n".join(lines)
    found = formatted(text, "a.yaml")
    for number, (_, kind, _) in enumerate(places):
        assert found.count(f"# comment {number}\n") == text.count(f"# comment {number}\n") + (
            text.endswith(f"# comment {number}")
        )
    assert formatted(found, "a.yaml") == found


def test_line_ends_and_the_mark_of_an_encoding() -> None:
    assert formatted("\ufeffa:  1\r\nb: |\r\n  x\r\n", "a.yaml") == "a: 1\r\nb: |\r\n  x\r\n"


# The command


def test_the_command_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "net.yaml"
    path.write_bytes(b"name:  Net\r\n")
    path.chmod(0o640)
    assert main(["fmt", str(path)]) == 0
    assert capsys.readouterr().out == f"{path}: formatted\n"
    assert path.read_bytes() == b"name: Net\r\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert main(["fmt", str(path)]) == 0
    assert capsys.readouterr().out == f"{path}: unchanged\n"


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text("a:  1\n")
    (tmp_path / "link.yaml").symlink_to("net.yaml")
    assert main(["fmt", str(tmp_path / "link.yaml")]) == 0
    assert (tmp_path / "link.yaml").is_symlink()
    assert (tmp_path / "net.yaml").read_text() == "a: 1\n"


def test_check_and_diff_write_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, good = tmp_path / "net.yaml", tmp_path / "good.yaml"
    path.write_text("a:  1\n")
    good.write_text("a: 1\n")
    assert main(["fmt", "--check", str(path), str(good)]) == 1
    assert capsys.readouterr().err == f"{path}: not in form\n"
    assert main(["fmt", "--diff", str(path), str(good)]) == 0
    assert "-a:  1\n+a: 1\n" in capsys.readouterr().out
    assert main(["fmt", "--check", "--format", "json", str(path)]) == 1
    assert '"code": "not-in-form"' in capsys.readouterr().out
    assert path.read_text() == "a:  1\n"


def test_the_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a:  [1]\n")))
    assert main(["fmt", "-"]) == 0
    assert capsys.readouterr().out == "a: [1]\n"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a: [1\n")))
    assert main(["fmt", "-"]) == 2
    assert capsys.readouterr().err.startswith("<stdin>:1:4: '[' is never closed")


def test_one_that_is_wrong_stays_and_the_others_are_written(tmp_path: Path) -> None:
    wrong, good = tmp_path / "wrong.yaml", tmp_path / "good.yaml"
    wrong.write_text("a: [1\n")
    good.write_text("a:  1\n")
    assert main(["fmt", str(wrong), str(good)]) == 2
    assert (wrong.read_text(), good.read_text()) == ("a: [1\n", "a: 1\n")
