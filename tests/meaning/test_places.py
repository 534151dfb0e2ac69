"""Errors point at the character that they mean, however the value is written, and show its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nngen
from nngen.errors import Mark, SpecError
from nngen.language import document
from nngen.places import LONGEST_LINE, Source
from nngen.symbolic.expressions import parse, place


def place_of_nix(text: str) -> tuple[int, int]:
    """Where the one character is at which `nix` stands."""
    before = text[: text.index("nix")]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


@pytest.mark.parametrize(
    "step",
    [
        "- y = x + nix",
        "- 'y = x + nix'",
        '- "y = x + nix"',
        '- " y = x + nix"',
        "- &step y = x + nix",
        "- &step 'y = x + nix'",
        r'- "y \x3d x\t+ nix"',
        "- 'y = x if x.dtype == ''é'' else nix'",
        "- y = torch.cat((x,\n      nix))",
        "- 'y = torch.cat((x,\n\n      nix))'",
        '- "y = torch.cat((x, \\\n      nix))"',
        "- >\n    y = torch.cat((x,\n    nix))",
        "- >2-\n      y = torch.cat((x,\n      nix))",
        "- |\n    y = torch.cat((x,\n      nix))",
        "- é = x + nix",
        "- 'é = x + nix'",
        "- y = x if x.ndim == 'é' else nix",
        "- {Linear as fc: nix}",
        '- {Linear as fc: "2 + nix"}',
        '- {Conv2d as c: {kernel_size: [3, "2 * nix"], out_channels: 3}}',
        '- Conv2d as c:\n      kernel_size:\n        - 3\n        - "2 * nix"\n      out_channels: 3',
        "- Linear as fc${nix}: 3\n    repeat: 2",
        "- 'Linear as fc_${ 1 + nix }: 3'",
        "- LSTM as l: 3\n    call: y, _ = l(nix)",
        "- LSTM as l: 3\n    call: 'y, _ = l(nix)'",
        "- Linear: 3\n    when: 'True and nix'",
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_name_that_is_not_there(step: str, end: str, tmp_path: Path) -> None:
    text = f"name: M\ninput: [3, 8, 8]\nlayers:\n  {step}\noutputs: y\n"
    path = tmp_path / "net.yaml"
    path.write_bytes(text.replace("\n", end).encode())
    with pytest.raises(SpecError) as caught:
        nngen.load(path)
    errors = [caught.value, *caught.value.others]
    assert place_of_nix(text) in [(each.mark.line, each.mark.column) for each in errors]


@given(
    st.text(st.sampled_from("ab \n\t'\"\\é模😀:#-{}"), min_size=1),
    st.sampled_from("'\"|>"),
    st.data(),
)
def test_every_character_of_a_value_has_its_place(
    value: str, style: str, data: st.DataObject
) -> None:
    import yaml

    text = yaml.dump({"k": [value]}, default_style=style, allow_unicode=True, width=20)
    node = document.parse(text, "f")
    assert isinstance(node, document.Mapping)
    sequence = node.entries["k"].value
    assert isinstance(sequence, document.Sequence)
    mark = sequence.items[0].mark
    assert mark.source is not None
    event = mark.source.scalars.get((mark.line, mark.column))
    if event is None:  # of an empty value
        return
    index = data.draw(st.integers(0, len(event.value) - 1))
    line, column = mark.source.place(event, index)
    found = mark.source.lines[line - 1][column - 1 :]
    assert event.value[index].isspace() or found[:1] in (event.value[index], "\\")


def test_a_syntax_error_of_python() -> None:
    for text, column in (("'é' + )", 9), ("1 ) 2", 5)):
        source = Source(f'["{text}"]')
        with pytest.raises(SpecError) as caught:
            parse(text, Mark("f", 1, 2, source=source))
        assert caught.value.mark.column == column


def test_without_a_text_there_is_a_path() -> None:
    with pytest.raises(SpecError) as caught:
        nngen.load({"name": "M", "input": [3], "layers": ["y = x + nix"]})
    assert str(caught.value).startswith("<dict>: layers[0]: there is no 'nix' here\n  hint:")
    mark = Mark("<dict>", path="args.n")
    assert place(mark, parse("1 + n", mark).tree) == mark


def excerpt(line: str, column: int) -> list[str]:
    return Source(f"\n{line}\n").excerpt(2, column).split("\n")


def test_an_excerpt() -> None:
    assert excerpt("  - Linaer: 10", 5) == ["    2 |   - Linaer: 10", "      |     ^"]
    assert excerpt("a:\tb", 4) == ["    2 | a:\tb", "      |   \t^"]
    assert excerpt("模型: b", 5) == ["    2 | 模型: b", "      |       ^"]
    assert excerpt("e\u0301: b", 5) == ["    2 | e\u0301: b", "      |    ^"]
    assert excerpt("a\u202e: b", 5) == ["    2 | a\ufffd: b", "      |     ^"]
    assert excerpt("a: b", 9) == [""]
    assert Source("a\n").excerpt(9, 1) == ""


@pytest.mark.parametrize("column", [1, 3, 120, 399, 400])
def test_an_excerpt_of_a_long_line(column: int) -> None:
    line = "".join(chr(ord("a") + place % 26) for place in range(400))
    shown, caret = excerpt(line, column)
    assert len(shown) <= LONGEST_LINE + 10
    assert shown[caret.index("^")] == line[column - 1]
    assert shown.endswith("…") is (column < 350)


def test_a_text_in_python_is_shown() -> None:
    with pytest.raises(SpecError) as caught:
        nngen.load("name: M\ninput: [3]\nlayers: [Linaer]\n")
    assert str(caught.value) == (
        "<text>:3:10: layers[0]: torch.nn has no layer 'Linaer'\n"
        "    3 | layers: [Linaer]\n"
        "      |          ^\n"
        "  hint: did you mean 'Linear'?"
    )
