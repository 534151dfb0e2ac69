"""Names of layers that are keys, `downs.0` or `block1-0`: the models are those that one writes by hand with containers."""

from __future__ import annotations

import linecache
from collections import OrderedDict
from pathlib import Path

import torch
import torch.nn.functional as F
import yaml
from torch import Tensor, nn

import nngen
from tests.meaning.by_hand import assert_as_by_hand

SPECS = Path(__file__).parents[2] / "specs"


class DoubleConv(nn.Module):
    def __init__(self, channels: int, planes: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(channels, planes, 3, padding=1, bias=False),
            nn.BatchNorm2d(planes),
            nn.ReLU(inplace=True),
            nn.Conv2d(planes, planes, 3, padding=1, bias=False),
            nn.BatchNorm2d(planes),
            nn.ReLU(inplace=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.conv(x)
        return result


class UNet(nn.Module):
    """As it is written in loops over two lists."""

    def __init__(self, num_classes: int = 2, width: int = 4) -> None:
        super().__init__()
        self.downs = nn.ModuleList()
        self.pool = nn.MaxPool2d(2)
        channels = 3
        for planes in (width, 2 * width, 4 * width):
            self.downs.append(DoubleConv(channels, planes))
            channels = planes
        self.bottleneck = DoubleConv(channels, 2 * channels)
        self.ups = nn.ModuleList()
        for planes in (4 * width, 2 * width, width):
            self.ups.append(nn.ConvTranspose2d(2 * planes, planes, 2, stride=2))
            self.ups.append(DoubleConv(2 * planes, planes))
        self.final_conv = nn.Conv2d(width, num_classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        skips = []
        for down in self.downs:
            x = down(x)
            skips.append(x)
            x = self.pool(x)
        x = self.bottleneck(x)
        for place in range(0, len(self.ups), 2):
            x = self.ups[place](x)
            x = self.ups[place + 1](torch.cat((skips.pop(), x), dim=1))
        result: Tensor = self.final_conv(x)
        return result


def test_a_u_net_of_two_lists() -> None:
    spec = yaml.safe_load((SPECS / "unet_lists.yaml").read_text())
    spec.pop("loss")
    spec["args"]["width"] = 4
    spec.pop("check")
    spec["input"] = [3, 16, 16]
    spec["styles"] = ["nn", "functional", "stateless"]
    assert_as_by_hand(yaml.safe_dump(spec, sort_keys=False), UNet, torch.randn(2, 3, 16, 16))


class Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.c_attn = nn.Linear(width, 3 * width)
        self.c_proj = nn.Linear(width, width)
        self.heads = heads

    def forward(self, x: Tensor) -> Tensor:
        n, t, width = x.shape
        q, k, v = self.c_attn(x).split(width, dim=2)
        shape = (n, t, self.heads, width // self.heads)
        q, k, v = (each.view(shape).transpose(1, 2) for each in (q, k, v))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        result: Tensor = self.c_proj(y.transpose(1, 2).reshape(n, t, width))
        return result


class MLP(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.c_fc = nn.Linear(width, 4 * width)
        self.c_proj = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.c_proj(F.gelu(self.c_fc(x)))
        return result


class Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = Attention(width, heads)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = MLP(width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.ln_1(x))
        result: Tensor = x + self.mlp(self.ln_2(x))
        return result


class GPT(nn.Module):
    def __init__(self, vocab: int = 30, block: int = 8, depth: int = 2, width: int = 12) -> None:
        super().__init__()
        self.transformer = nn.ModuleDict(
            {
                "wte": nn.Embedding(vocab, width),
                "wpe": nn.Embedding(block, width),
                "h": nn.ModuleList(Block(width, 3) for _ in range(depth)),
                "ln_f": nn.LayerNorm(width),
            }
        )
        self.lm_head = nn.Linear(width, vocab, bias=False)
        self.transformer.wte.weight = self.lm_head.weight
        drawn: set[nn.Parameter] = set()
        for name, parameter in self.named_parameters():
            if name.endswith(".bias") and "ln_" not in name:
                nn.init.zeros_(parameter)
            elif "ln_" not in name and parameter not in drawn:
                residual = name.endswith("c_proj.weight")
                nn.init.normal_(parameter, std=0.02 / (2 * depth) ** 0.5 if residual else 0.02)
            drawn.add(parameter)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.transformer.wte(tokens) + self.transformer.wpe(torch.arange(tokens.shape[1]))
        for block in self.transformer.h:
            x = block(x)
        result: Tensor = self.lm_head(self.transformer.ln_f(x))
        return result


def test_a_gpt_in_a_container() -> None:
    spec = yaml.safe_load((SPECS / "nanogpt.yaml").read_text())
    spec.pop("loss")
    spec["args"] |= {"vocab_size": 30, "block_size": 8, "n_layer": 2, "n_embd": 12, "n_head": 3}
    spec["check"] = {"T": 5}
    assert_as_by_hand(
        yaml.safe_dump(spec, sort_keys=False, width=1000), GPT, torch.randint(30, (2, 5))
    )


class Mixed(nn.Module):
    """Children that are called as no attribute can be, and what is built apart from where it flows."""

    def __init__(self) -> None:
        super().__init__()
        self.add_module("0", nn.Linear(4, 6))
        self.body = nn.ModuleDict(
            {
                "block1-0": nn.Linear(6, 6),
                "deep": nn.ModuleDict({"a": nn.Linear(6, 6), "2": nn.Linear(6, 6)}),
                "rows": nn.ModuleList([nn.Linear(6, 6), nn.Linear(6, 6)]),
            }
        )
        nn.init.normal_(self.body["block1-0"].weight)
        nn.init.ones_(self.body["deep"]["2"].bias)
        self.mid = nn.BatchNorm1d(6)
        self.stack = nn.Sequential(OrderedDict([("fc-0", nn.Linear(6, 3)), ("act-0", nn.Tanh())]))
        self.add_module("head-1", nn.Linear(3, 2))

    def forward(self, x: Tensor) -> Tensor:
        x = getattr(self, "0")(x)
        x = self.body["block1-0"](x)
        x = self.mid(x)
        first = self.body["deep"]["a"](x)
        x = self.body["deep"]["2"](first) + first
        for layer in self.body["rows"]:
            x = layer(x)
        x = self.body["deep"]["a"](x)
        result: Tensor = getattr(self, "head-1")(self.stack(x))
        return result


MIXED = """
name: Mixed
input: [4]
styles: [nn, functional, stateless]
layers:
  - Linear as 0: 6
  - Linear as body.block1-0: 6
    init: {weight: normal_}
  - BatchNorm1d as mid
  - Linear as body.deep.a: 6
  - Linear as body.deep.2: 6
    init: {bias: ones_}
  - x = body_deep_2 + body_deep_a
  - Linear as body.rows.${i}: 6
    repeat: 2
  - x = body_deep_a(body_rows_1)
  - Sequential as stack:
      - Linear as fc-0: 3
      - Tanh as act-0
  - Linear as head-1: 2
"""


def test_names_that_are_no_identifiers() -> None:
    assert_as_by_hand(MIXED, Mixed, torch.randn(3, 4))


def test_a_container_in_a_block_that_is_used_twice() -> None:
    class Pair(nn.Module):
        def __init__(self, features: int, hidden: int) -> None:
            super().__init__()
            self.fc = nn.ModuleList([nn.Linear(features, hidden), nn.Linear(hidden, features)])

        def forward(self, x: Tensor) -> Tensor:
            result: Tensor = self.fc[1](torch.relu(self.fc[0](x)))
            return result

    class Whole(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.pairs = nn.ModuleList([Pair(4, 5), Pair(4, 7)])

        def forward(self, x: Tensor) -> Tensor:
            result: Tensor = self.pairs[1](self.pairs[0](x)) + self.pairs[0](x)
            return result

    text = """
name: Whole
input: [4]
styles: [nn, functional, stateless]
blocks:
  Pair:
    args: {hidden: required}
    layers:
      - Linear as fc.0: hidden
      - ReLU as act
      - Linear as fc.1: in_features
layers:
  - Pair as pairs.0: 5
  - Pair as pairs.1: 7
  - y = pairs_1 + pairs_0(x)
"""
    text = text.replace("      - ReLU as act\n", "      - y = fc_0.relu()\n")
    assert_as_by_hand(text, Whole, torch.randn(3, 4))


class Between(nn.Module):
    """Plain layers in a list with code between them, one of which is used once more."""

    def __init__(self, width: int = 6) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(6 if place else 4, width) for place in range(3))
        for layer in self.layers:
            nn.init.normal_(layer.weight, std=0.5)
        self.norms = nn.ModuleDict({"a": nn.BatchNorm1d(width)})
        self.head = nn.Linear(width, 2)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.relu(layer(x)) + 1
        x = self.norms["a"](x) + self.layers[2](x)
        result: Tensor = self.head(x)
        return result


BETWEEN = """
name: Between
args: {width: 6}
input: [4]
styles: [nn, functional, stateless]
layers:
  - Linear as layers: width
    repeat: 3
    call: x = torch.relu(layers[i](x)) + 1
    init: {weight: {normal_: {std: 0.5}}}
  - BatchNorm1d as norms.a
  - y = norms_a + layers_2(x)
  - Linear as head: 2
"""


def test_a_list_of_layers_with_code_between() -> None:
    assert_as_by_hand(BETWEEN, Between, torch.randn(5, 4))


def test_it_is_written_as_a_loop() -> None:
    lines = linecache.getlines(str(nngen.load(yaml.safe_load(BETWEEN)).nn_style.__file__))
    assert "        for layer in self.layers:  # (N, width)\n" in lines
    assert "            x = torch.relu(layer(x)) + 1\n" in lines


class Optional(nn.Module):
    def __init__(self, deep: bool) -> None:
        super().__init__()
        self.fc = nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4) if deep else nn.Identity()])
        self.head = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.head(self.fc[1](self.fc[0](x)))
        return result


OPTIONAL = """
name: Optional
args: {deep: true}
input: [4]
layers:
  - Linear as fc.0: 4
  - Linear as fc.1: 4
    when: deep
  - Linear as head: 2
"""


def test_a_child_under_a_condition_leaves_an_identity() -> None:
    assert_as_by_hand(OPTIONAL, lambda: Optional(True), torch.randn(3, 4))
    assert_as_by_hand(OPTIONAL, lambda: Optional(False), torch.randn(3, 4), deep=False)


def test_the_redraws_of_numbered_layers_are_each_right_after_it() -> None:
    class Numbered(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            for place in range(3):
                layer = nn.Linear(4, 4)
                nn.init.normal_(layer.weight)
                self.add_module(f"fc{place}", layer)

        def forward(self, x: Tensor) -> Tensor:
            for layer in self.children():
                x = layer(x)
            return x

    text = """
name: Numbered
input: [4]
layers:
  - Linear as fc${i}: 4
    repeat: 3
    init: {weight: normal_}
"""
    assert_as_by_hand(text, Numbered, torch.randn(3, 4))
