"""`nngen diff`: both files step by step, side by side, below each other, and as a diff that patch takes."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from nngen import pipeline
from nngen.cli import main
from nngen.emit import source_map
from nngen.emit.source_map import SourceFile
from nngen.files.writer import seal
from nngen.views.alignment import align
from nngen.views.diff import Comparison

SPECS = Path(__file__).parents[2] / "specs"
NAMES = ("cnn", "residual", "googlenet", "gpt2", "translation", "dropout_function", "vae")


@pytest.fixture(scope="module", params=NAMES)
def found(request: pytest.FixtureRequest) -> source_map.SourceMap:
    return pipeline.read(SPECS / f"{request.param}.yaml").source_map


def test_each_line_is_in_one_row_and_in_order(found: source_map.SourceMap) -> None:
    two = [found.files[name] for name in ("nn_style.py", "functional_style.py")]
    for files in (two, two[::-1], [*two, two[0]], [two[1], *two, two[1]]):
        assert_in_order(files)


def assert_in_order(files: list[SourceFile]) -> None:
    rows = [row for section in align(files) for row in section.rows]
    assert all(any(row.sides) for row in rows)
    for place, file in enumerate(files):
        ranges = [row.sides[place] for row in rows]
        assert [number for each in ranges for number in each] == list(range(len(file.lines)))
        assert all(earlier.stop == later.start for earlier, later in pairwise(ranges))
        assert all(file.lines[n] == row.mark for row, each in zip(rows, ranges) for n in each)


def test_the_same_file_again_stands_beside_itself(found: source_map.SourceMap) -> None:
    two = list(found.in_styles().values())
    pairs = [(section.scope, row.mark, row.sides) for section in align(two) for row in section.rows]
    three = [*two, two[1]]
    assert [
        (section.scope, row.mark, row.sides) for section in align(three) for row in section.rows
    ] == [(scope, mark, (*sides, sides[1])) for scope, mark, sides in pairs]


def test_a_call_stands_beside_forward() -> None:
    found = pipeline.read(SPECS / "mlp.yaml").source_map
    file = found.files["nn_style.py"]
    called = SourceFile(file.text.replace("def forward(", "def __call__("), found.graph)
    scopes = [section.scope for section in align([file, called])]
    assert scopes == [section.scope for section in align([file, file])]


def test_steps_of_forward_stand_beside_each_other() -> None:
    found = pipeline.read(SPECS / "cnn.yaml").source_map.in_styles()
    sections = align([found["nn"], found["functional"]])
    (forward,) = [section for section in sections if section.scope == ("CNN", "forward")]
    sizes = [(row.mark.path if row.mark else None, *map(len, row.sides)) for row in forward.rows]
    assert sizes[1:6] == [
        ("layers[0].Conv2d", 1, 1),
        ("layers[1]", 1, 1),
        ("layers[2].MaxPool2d", 1, 1),
        ("layers[3].Conv2d", 1, 1),
        ("layers[4]", 1, 10),
    ]


def test_patch_makes_one_file_of_the_other(found: source_map.SourceMap, tmp_path: Path) -> None:
    sealed = seal(found.files["nn_style.py"].text)
    (tmp_path / "twin.py").write_text(sealed)
    text = Comparison(found).unified()
    command = ["patch", "--quiet", "twin.py"]
    subprocess.run(command, input=text, text=True, cwd=tmp_path, check=True)
    first = sealed.splitlines(keepends=True)[0]
    assert (tmp_path / "twin.py").read_text() == first + found.files["functional_style.py"].text


def test_a_hunk_has_the_lines_that_the_files_have(found: source_map.SourceMap) -> None:
    left, right = (
        ["", *seal(found.files[name].text).splitlines()]
        for name in ("nn_style.py", "functional_style.py")
    )
    heads = re.findall(
        r"^@@ -(\d+) \+(\d+) @@.*\n-(.*)\n\+(.*)$", Comparison(found).unified(), re.MULTILINE
    )
    for nn, functional, before, after in heads:
        assert (left[int(nn)], right[int(functional)]) == (before, after)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["diff", str(SPECS / "cnn.yaml"), *arguments]) == 0
    return capsys.readouterr().out


def test_a_hunk_names_its_step(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "--unified")
    hunk = text.split("@@ -18 +27,4 @@ ")[1].split("@@")[0].splitlines()
    assert hunk == [
        "cnn.yaml:7 layers[3]",
        "-        self.conv2 = nn.Conv2d(16, 32, kernel_size=5)",
        "+        self.conv2_weight = nn.Parameter(torch.empty(32, 16, 5, 5))",
        "+        self.conv2_bias = nn.Parameter(torch.empty(32))",
        "+        nn.init.kaiming_uniform_(self.conv2_weight, a=math.sqrt(5))",
        "+        nn.init.uniform_(self.conv2_bias, -1 / math.sqrt(400), 1 / math.sqrt(400))",
    ]


def test_wide(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "--width", "160")
    line = next(line for line in text.splitlines() if "self.conv2(x)" in line)
    assert re.fullmatch(
        r" +7 +x = self\.conv2\(x\)  # \(N, 32, 8, 8\) +"
        r"x = F\.conv2d\(x, self\.conv2_weight, self\.conv2_bias\)  # \(N, 32, 8, 8\)",
        line,
    )
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 160


def test_narrow(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, "--width", "100").splitlines()
    place = lines.index(
        "cnn.yaml:7 layers[3]", lines.index(next(x for x in lines if "CNN.forward" in x))
    )
    assert lines[place + 1] == " nn      x = self.conv2(x)  # (N, 32, 8, 8)"
    assert lines[place + 2].startswith(" F       x = F.conv2d(x, self.conv2_weight")


def test_nothing_is_cut_off_however_narrow(capsys: pytest.CaptureFixture[str]) -> None:
    wide, narrow = (
        re.sub(r"\s+|─+", "", printed(capsys, "--width", width)) for width in ("119", "30")
    )
    assert wide == narrow


def test_folded_it_shows_what_differs(capsys: pytest.CaptureFixture[str]) -> None:
    for width in ("100", "160"):
        text = printed(capsys, "--fold", "--width", width)
        assert "self.conv2(x)" in text and "return x" not in text and "super()" not in text


def test_colours_are_for_terminals(capsys: pytest.CaptureFixture[str]) -> None:
    plain, coloured = printed(capsys), printed(capsys, "--color", "always")
    assert "\x1b[" in coloured
    bare = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert [line.rstrip() for line in bare.splitlines()] == plain.splitlines()


def in_terminal(*arguments: str, **environment: str) -> str:
    """What a command prints where its output is a terminal of 24 lines."""
    terminal, side = pty.openpty()
    command = [sys.executable, "-m", "nngen", "diff", *arguments]
    process = subprocess.Popen(command, stdout=side, stdin=side, env={**os.environ, **environment})
    os.close(side)
    found = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:
            break
        if not part:
            break
        found += part
    assert process.wait() == 0
    os.close(terminal)
    return found.decode().replace("\r\n", "\n")


@pytest.mark.heavy
def test_long_output_goes_through_the_pager() -> None:
    spec = str(SPECS / "cnn.yaml")
    paged = in_terminal(spec, PAGER="sed s/^/paged:/", LINES="24")
    assert all(line.startswith("paged:") for line in paged.splitlines())
    assert "\x1b[" in paged
    assert "paged:" not in in_terminal(spec, "--no-pager", PAGER="sed s/^/paged:/", LINES="24")
    short = in_terminal(spec, PAGER="sed s/^/paged:/", LINES="500")
    assert "paged:" not in short and "self.conv2(x)" in re.sub(r"\x1b\[[0-9;]*m", "", short)


def test_a_pager_that_is_missing_loses_nothing() -> None:
    text = in_terminal(str(SPECS / "cnn.yaml"), PAGER="no-such-pager", LINES="24", NO_COLOR="1")
    assert "self.conv2(x)" in text and "\x1b[" not in text


def test_any_two_styles_in_any_order(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, found: source_map.SourceMap
) -> None:
    spec = SPECS / found.graph.source
    assert main(["diff", str(spec), "--unified", "--styles", "functional,nn"]) == 0
    command = ["patch", "--quiet", "twin.py"]
    sealed = seal(found.files["functional_style.py"].text)
    (tmp_path / "twin.py").write_text(sealed)
    subprocess.run(command, input=capsys.readouterr().out, text=True, cwd=tmp_path, check=True)
    first = sealed.splitlines(keepends=True)[0]
    assert (tmp_path / "twin.py").read_text() == first + found.files["nn_style.py"].text


def test_the_spec_names_the_styles(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = (SPECS / "mlp.yaml").read_text()
    heads = []
    for styles in ("[nn]", "[functional]", "[functional, nn]"):
        spec = tmp_path / "mlp.yaml"
        spec.write_text(f"{text}\nstyles: {styles}\n")
        assert main(["diff", str(spec), "--unified"]) == 0
        heads.append(capsys.readouterr().out.splitlines()[:2])
    assert heads == [
        ["--- nn_style.py", "+++ functional_style.py"],
        ["--- functional_style.py", "+++ nn_style.py"],
        ["--- functional_style.py", "+++ nn_style.py"],
    ]


def test_two_styles_are_two(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["diff", str(SPECS / "cnn.yaml"), "--styles", "nn"])
    assert "argument --styles: 'nn' is not the names of 2 styles\n" in capsys.readouterr().err


def test_an_error_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "missing.yaml"]) == 2
    assert "cannot read missing.yaml" in capsys.readouterr().err
