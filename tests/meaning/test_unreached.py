"""What no use of an expression evaluates stands in the code all the same: it may reach no more than the rest."""

from __future__ import annotations

import pytest

import nngen
from nngen.errors import SpecError

SPEC = """
name: Net
args: {deep: true, width: 3}
let: {wide: LET}
input: [4]
layers:
  - Linear as fc: wide
  - Dropout as drop: {p: 0.5}
    when: WHEN
  - y = LINE
outputs: OUTPUTS
"""
GOOD = {
    "LET": "8 if deep else width",
    "WHEN": "deep or width > 2",
    "LINE": "drop if deep or width > 2 else drop * 2",
    "OUTPUTS": "y",
}
BAD = {
    "LET": (
        "8 if deep else torch.os.getpid()",
        "8 if deep else open('file')",
        "deep or print(3)",
        "8 if deep else math.os",
    ),
    "WHEN": ("deep or torch.hub.list('x')", "1 < 0 < exit()", "not deep and breakpoint()"),
    "LINE": (
        "drop if deep or torch.os.system('true') else drop",
        "drop if deep or drop.numpy().tofile('file') else drop",
        "drop if deep or F.torch.load('file') else drop",
        "drop if deep or (open if deep else print)('file') else drop",
        "drop if deep or [exec][0]('1') else drop",
        "drop * (2 if 3 < width < torch.os.getpid() else 1)",
    ),
    "OUTPUTS": ("y if deep or nn.Module() else y", "y if deep or 'x'.format(y) else y"),
}


def text(**parts: str) -> str:
    made = SPEC
    for name, part in {**GOOD, **parts}.items():
        made = made.replace(name, f'"{part}"' if name == "LET" else part)
    return made


def test_what_is_known_is_taken() -> None:
    nngen.load(text())


@pytest.mark.parametrize(
    ("place", "part"), [(k, part) for k, parts in BAD.items() for part in parts]
)
def test_what_is_not_evaluated_is_refused(place: str, part: str) -> None:
    with pytest.raises(SpecError) as caught:
        nngen.load(text(**{place: part}))
    assert caught.value.mark.line
