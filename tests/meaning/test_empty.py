"""An empty Sequential passes its input on, as torch's does, wherever it stands."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import nngen
from nngen import cli
from nngen.errors import SpecError
from tests.meaning.by_hand import assert_as_by_hand
from tests.meaning.test_calls import lines, numbers

EVERYWHERE = """
name: A
input: [4]
blocks:
  Pass: {Sequential: []}
  Residual:
    layers:
      - Sequential as shortcut: []
      - Linear as fc: in_features
        from: x
      - y = shortcut + fc
layers:
  - Sequential as shortcut: []
  - Linear as fc: 4
    from: x
  - y = fc * shortcut
  - Residual as b
  - Pass as p
  - Sequential as s: [{Sequential: []}, {Linear: 4}, {Sequential: [], repeat: 4}, Pass, {Sequential as last: []}]
  - Sequential as many: []
    repeat: 3
  - Pass as passes:
    repeat: 2
  - z = shortcut(passes) * 2
  - Sequential as last: []
"""


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.shortcut = nn.Sequential()
        self.fc = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.fc(x)


class Everywhere(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.shortcut = nn.Sequential()
        self.fc = nn.Linear(4, 4)
        self.b = Residual()
        self.p = nn.Sequential()
        self.s = nn.Sequential(nn.Sequential(), nn.Linear(4, 4), nn.Sequential(), nn.Sequential())

    def forward(self, x: Tensor) -> Tensor:
        y = self.fc(x) * self.shortcut(x)
        return self.s(self.p(self.b(y))) * 2


def test_it_passes_its_input_on() -> None:
    assert_as_by_hand(EVERYWHERE, Everywhere, numbers(3, 4))
    assert "self.shortcut = nn.Sequential()" in lines(EVERYWHERE)
    assert "z = passes * 2" in lines(EVERYWHERE)


ATTENDING = """
name: A
input: [3, 4]
layers:
  - Sequential as same: []
  - MultiheadAttention as attn: {num_heads: 2, batch_first: true}
    call: y, _ = attn(same, x, x, need_weights=False)
"""


class Attending(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.same = nn.Sequential()
        self.attn = nn.MultiheadAttention(4, 2, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        same = self.same(x)
        result: Tensor = self.attn(same, x, x, need_weights=False)[0]
        return result


def test_what_it_gives_is_its_input_itself() -> None:
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        assert_as_by_hand(ATTENDING, Attending, numbers(2, 3, 4))
    finally:
        torch.backends.mha.set_fastpath_enabled(True)


CHOSEN = """
name: A
args: {flag: true}
input: [4]
layers:
  - Sequential as maybe: []
    when: flag
  - Sequential as both: [{Sequential: []}, {Sequential: []}]
  - Linear: 2
"""


class Chosen(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.fc1(x)
        return result


def test_under_a_condition() -> None:
    assert_as_by_hand(CHOSEN, Chosen, numbers(2, 4))
    assert_as_by_hand(CHOSEN, Chosen, numbers(2, 4), flag=False)


@pytest.mark.parametrize("text", [EVERYWHERE, CHOSEN])
@pytest.mark.parametrize("verb", ["summary", "graph", "lint", "diff"])
def test_every_verb_copes(
    text: str,
    verb: str,
    tmp_path: object,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(str(tmp_path))
    with open("net.yaml", "w") as file:
        file.write(text)
    assert cli.main([verb, "net.yaml"]) == 0
    assert "Traceback" not in capsys.readouterr().out


def test_a_list_is_still_wanted() -> None:
    with pytest.raises(
        SpecError, match="a Sequential's value must be a list of layers, not nothing"
    ):
        nngen.load({"name": "A", "input": [4], "layers": ["Sequential", {"Linear": 2}]})
