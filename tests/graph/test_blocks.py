"""Blocks, arguments, conditions, repeats, ties, redraws and losses of several steps."""

from __future__ import annotations

import linecache
from types import ModuleType

import pytest
import torch

import nngen
from nngen.errors import SpecError
from nngen.proof.loading import Pair

TINY_GPT = """
name: TinyGPT
args: {vocab: required, dim: 64, heads: 4, depth: 2}
inputs: {tokens: {shape: [T], dtype: int64, below: vocab}}
blocks:
  Attention:
    args: {heads: required}
    layers:
      - Linear as qkv: 3 * in_features
      - q, k, v = qkv.unflatten(-1, (3, heads, -1)).transpose(1, 3).unbind(2)
      - y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
      - y = y.transpose(1, 2).flatten(2)
      - Linear as proj: in_features
  Block:
    args: {heads: required}
    layers:
      - LayerNorm as ln1
      - Attention as attn: {heads: heads}
      - x = x + attn
      - LayerNorm as ln2
      - Linear as up: 4 * in_features
      - GELU
      - Linear as down: in_features
      - x = x + down
layers:
  - Embedding as embed: {num_embeddings: vocab, embedding_dim: dim}
  - Block: {heads: heads}
    repeat: depth
  - LayerNorm as norm
  - Linear as head: {out_features: vocab, bias: false}
tie: {head.weight: embed.weight}
init: {Linear.weight: {normal_: {std: 0.02}}, Linear.bias: zeros_}
loss:
  inputs: [target]
  layers:
    - scores = head.transpose(1, 2)
    - CrossEntropyLoss: {ignore_index: 0}
      from: [scores, target]
check: {vocab: 30, T: 5}
"""


def code(module: ModuleType) -> str:
    return "".join(linecache.getlines(str(module.__file__)))


def verified(text: str) -> Pair:
    """The pair of a spec whose twins are equal."""
    report = nngen.verify(text)
    assert report.equal, report.as_text()
    return nngen.load(text)


def refused(text: str) -> str:
    with pytest.raises(SpecError) as caught:
        nngen.load(text)
    return str(caught.value)


def model(body: str) -> str:
    return f"name: M\ninput: [4, 8, 8]\n{body}\n"


def test_tiny_gpt_works_as_it_stands_in_the_design() -> None:
    pair = verified(TINY_GPT)
    torch.manual_seed(0)
    gpt = pair.nn_style.TinyGPT(vocab=11, dim=16, heads=2, depth=3)
    torch.manual_seed(0)
    twin = pair.functional_style.TinyGPT(vocab=11, dim=16, heads=2, depth=3)
    assert len(gpt.block1) == len(twin.block1) == 3
    assert gpt.head.weight is gpt.embed.weight
    assert twin.head_weight is twin.embed_weight
    tokens = torch.randint(11, (2, 9))
    assert torch.equal(gpt(tokens), twin(tokens))
    twin.load_state_dict(pair.to_functional(gpt.state_dict()))
    assert gpt.block1[0].attn.qkv.bias.abs().sum() == 0


def test_a_block_is_one_class_with_its_sizes_as_arguments() -> None:
    pair = verified(model("""
blocks:
  Unit:
    args: {planes: required, stride: 1}
    layers:
      - Conv2d as conv: {out_channels: planes, kernel_size: 3, stride: stride, padding: 1}
      - BatchNorm2d as bn
      - ReLU
layers:
  - Unit as a: {planes: 6}
  - Unit as b: {planes: 2 * 6, stride: 2}
"""))
    assert "self.conv = nn.Conv2d(in_channels, planes, kernel_size=3, stride=stride" in " ".join(
        code(pair.nn_style).split()
    ).replace("( ", "(")
    assert "self.bn = nn.BatchNorm2d(planes)" in code(pair.nn_style)
    assert "self.a = Unit(4, 6)" in code(pair.nn_style)
    assert "self.b = Unit(6, 12, stride=2)" in code(pair.functional_style)


def test_the_expression_that_serves_every_use_is_chosen() -> None:
    """Within the first use 2 * planes and in_channels are one number; only one of them is right in both."""
    pair = verified(model("""
blocks:
  Unit:
    args: {planes: required}
    layers:
      - Conv2d as conv: {out_channels: planes, kernel_size: 1}
      - both = torch.cat([x, conv], dim=1)
      - BatchNorm2d as bn
layers:
  - Unit as a: {planes: 4}
  - Unit as b: {planes: 3}
"""))
    assert "self.bn = nn.BatchNorm2d(in_channels + planes)" in code(pair.nn_style)


def test_a_size_that_no_expression_gives_is_asked_for() -> None:
    message = refused(model("""
blocks:
  Head:
    layers:
      - Flatten
      - Linear as fc: 3
layers:
  - Head as a
  - y = a.unflatten(1, (3, 1, 1)).expand(-1, 3, 2, 2)
  - Head as b
"""))
    assert "in_features of Linear is 12 or 256" in message
    assert "give in_features" in message


def test_a_condition_keeps_an_identity_in_one_twin_and_a_flag_in_the_other() -> None:
    pair = verified(model("""
blocks:
  Unit:
    args: {planes: required}
    layers:
      - Conv2d as conv: {out_channels: planes, kernel_size: 1}
      - Conv2d as short: {out_channels: planes, kernel_size: 1}
        from: x
        when: in_channels != planes
      - y = conv + short
layers:
  - Unit as same: 4
  - Unit as other: 6
"""))
    assert "self.short: nn.Module = nn.Identity()" in code(pair.nn_style)
    assert "self.has_short = in_channels != planes" in code(pair.functional_style)
    assert isinstance(pair.nn_style.M().same.short, torch.nn.Identity)
    assert not hasattr(pair.functional_style.M().same, "short_weight")


def test_an_auxiliary_head_runs_in_train_mode_only() -> None:
    pair = verified(model("""
layers:
  - Conv2d as stem: {out_channels: 4, kernel_size: 3}
  - Sequential as aux: [AdaptiveAvgPool2d: 1, Flatten, Linear: 3]
    when: training
    otherwise: none
  - Sequential as head: [AdaptiveAvgPool2d: 1, Flatten, Linear: 3]
    from: stem
outputs: "(head, aux) if training else head"
"""))
    net = pair.functional_style.M()
    x = torch.randn(2, 4, 8, 8)
    assert isinstance(net(x), tuple)
    assert torch.is_tensor(net.eval()(x))


def test_a_value_that_may_be_missing_is_named_under_its_condition_only() -> None:
    message = refused(model("""
layers:
  - Conv2d as stem: {out_channels: 4, kernel_size: 3}
  - ReLU as aux
    when: training
    otherwise: none
  - y = stem + aux
""".replace("- ReLU as aux\n", "- ReLU as aux:\n")))
    assert "'aux' is there only when `training`" in message


def test_a_repeat_with_an_open_count_is_a_loop() -> None:
    pair = verified(model("""
args: {depth: 3, drop: 0.3}
blocks:
  Unit:
    args: {p: 0.0}
    layers:
      - Conv2d as conv: {out_channels: in_channels, kernel_size: 1}
      - Dropout: {p: p}
layers:
  - Unit as stage: {p: drop * i / depth}
    repeat: depth
"""))
    expected = "Unit(4, p=drop * i / depth) for i in range(depth)"
    assert expected in code(pair.nn_style)
    assert [unit.dropout.p for unit in pair.nn_style.M(depth=2, drop=0.5).stage] == [0.0, 0.25]
    assert len(pair.functional_style.M(depth=5).stage) == 5


def test_a_block_may_be_a_sequential() -> None:
    pair = verified(model("""
blocks:
  ConvBNAct:
    args: {planes: required, stride: 1}
    Sequential:
      - Conv2d: {out_channels: planes, kernel_size: 3, stride: stride, bias: false}
      - BatchNorm2d
      - ReLU
layers:
  - Sequential as features: [{ConvBNAct: 6}, {ConvBNAct: {planes: 8, stride: 2}}]
"""))
    assert "class ConvBNAct(nn.Sequential):" in code(pair.nn_style)
    keys = pair.nn_style.M().state_dict().keys()
    assert "features.0.0.weight" in keys
    assert "features.1.1.running_mean" in keys


def test_parameters_buffers_and_let() -> None:
    pair = verified(
        """
name: M
args: {dim: 6}
input: [T, dim]
let: {hidden: 2 * dim}
layers:
  - Parameter as token: {shape: [1, 1, dim], init: {normal_: {std: 0.02}}}
  - Parameter as scale: {shape: [dim], init: ones_}
  - Buffer as mask: {value: "torch.ones(dim).tril()", persistent: false}
  - y = torch.cat([token.expand(x.shape[0], -1, -1), x], dim=1) * scale
  - Linear as up: hidden
  - Linear as down: dim
check: {T: 3}
""".replace('"torch.ones(dim).tril()"', '"torch.ones(dim, dim).tril().sum(0)"').replace(
            "* scale", "* scale + mask"
        )
    )
    assert "hidden = 2 * dim" in code(pair.nn_style)
    assert "self.up = nn.Linear(dim, hidden)" in code(pair.nn_style)
    assert "mask" not in pair.nn_style.M().state_dict()
    assert pair.nn_style.M()(torch.zeros(2, 9, 6)).shape == (2, 10, 6)


def test_redraws_come_in_the_order_of_modules() -> None:
    pair = verified(model("""
blocks:
  Unit:
    layers:
      - Conv2d as conv: {out_channels: in_channels, kernel_size: 1}
layers:
  - Conv2d as first: {out_channels: 4, kernel_size: 1}
    init: {weight: {constant_: 3}}
  - Unit as unit
  - Conv2d as last: {out_channels: 2, kernel_size: 1}
init:
  Conv2d.weight: {normal_: {std: sqrt(1 / fan_in)}}
  last.weight: ones_
"""))
    torch.manual_seed(1)
    net = pair.nn_style.M()
    assert net.last.weight.unique().tolist() == [1.0]
    assert net.first.weight.std() > 0
    assert "self.init_weights" not in code(pair.nn_style)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "blocks: {B: {layers: [ReLU]}}\nlayers: [{Linear: 3}]",
            "nothing uses the block 'B'",
        ),
        (
            "blocks: {B: {layers: [{B: {}}]}}\nlayers: [{B: {}}]",
            "B is in itself",
        ),
        (
            "blocks: {B: {args: {n: required}, layers: [{Linear: n}]}}\nlayers: [B]",
            "B lacks its argument 'n'",
        ),
        (
            "blocks: {B: {args: {n: 3}, layers: [{Linear: n}]}}\nlayers: [{B: {m: 3}}]",
            "B has no argument 'm'",
        ),
        ("blocks: {ReLU: {layers: [Tanh]}}\nlayers: [ReLU]", "the name 'ReLU' is taken"),
        ("layers: [{Linear as fc: 3}]\ntie: {fc.weight: fd.weight}", "no parameter 'fd.weight'"),
        ("layers: [{Linear as fc: 3}]\ninit: {Conv2d.weight: zeros_}", "matches no parameter"),
        ("layers: [{Linear as fc: 3}]\ninit: {fc.weight: zeroes_}", "no 'zeroes_'"),
        ("layers: [{Linear as fc: 3}]\ninit: {fc.weight: constant_}", "lacks its argument 'val'"),
        ("layers: [{Linear as fc: 3}]\ninit: {fc.weight: {zeros_: 3}}", "takes no arguments"),
        ("layers: [{Linear as fc: 3}]\ninit: {fc.weight: {normal_: {std: foo}}}", "no 'foo' here"),
        ("layers: [{Linear as fc: 3}]\ninit: {fc.weight: {normal_: {std: -1}}}", "of at least 0"),
        ("layers: [{Linear as fc: 3}]\ninit: {fc.bias: kaiming_normal_}", "at least 2 dimensions"),
        (
            "layers: [{Linear as fc: 3}]\ninit: {fc.bias: {normal_: {std: sqrt(fan_in)}}}",
            "no fan_in or fan_out",
        ),
        (
            "layers: [{Linear as fc: 3}]\ninit: {fc.weight: {uniform_: {a: 2, b: 1}}}",
            "a (2) must be below b (1)",
        ),
        (
            "layers: [{Linear as a: 3}, {Linear as b: 3}]\ntie: {a.weight: b.weight}",
            "cannot be one",
        ),
        ("layers: [{Linear as a: 3}]\ntie: {a.weight: a.weight}", "tied to itself"),
        ("args: {n: []}\nlayers: [{Linear: n}]", "a default is a number"),
        ("args: {n: {a: 1}}\nlayers: [{Linear: n}]", "a default is a number"),
        ("args: {d: 3, n: 2 * d}\nlayers: [{Linear: n}]", "a default is a number"),
        ("args: {range: 3}\nlayers: [{Linear: range}]", "'range' is a function of Python's"),
        (
            "blocks: {super: {layers: [ReLU]}}\nlayers: [{super: {}}]",
            "'super' is taken",
        ),
        (
            "layers: [{Sequential: [{ReLU: {}, repeat: 10000}, {Tanh: {}, repeat: 10000}]}, {Tanh: {}, repeat: 10}]",
            "more than 3,000 steps and layers",
        ),
        ("args: {n: required}\nlayers: [{Linear: n}]", "n is required"),
        ("args: {forward: 3}\nlayers: [{Linear: forward}]", "'forward'"),
        ("layers: [{Parameter as p: {shape: [3]}}, {Linear: 3}]", "lacks its init"),
        ("layers: [{Linear: 3, repeat: 0}]", "repeat takes a whole number from 1"),
        ("layers: [{Linear: 3, repeat: 1e9}]", "repeat takes a whole number from 1"),
        ("layers: [{Linear: 3, otherwise: none}]", "stands beside a `when`"),
    ],
)
def test_slips_are_refused(body: str, message: str) -> None:
    assert message in refused(model(body))


def test_the_values_of_a_check_can_be_given() -> None:
    report = nngen.verify(TINY_GPT, values={"vocab": 9, "depth": 1, "T": 3})
    assert report.equal
    assert report.values < nngen.verify(TINY_GPT).values
    with pytest.raises(SpecError, match="TinyGPT has no argument 'vocabb'"):
        nngen.verify(TINY_GPT, values={"vocabb": 9})


def test_redraws_ask_whether_a_block_is_there() -> None:
    pair = verified(model("""
args: {aux: true}
blocks:
  Head:
    args: {n: 3}
    layers: [{AdaptiveAvgPool2d: 1}, Flatten, {Linear as fc: n}]
layers:
  - Conv2d as stem: {out_channels: 4, kernel_size: 3}
  - Head as helper: {n: 5}
    when: aux and training
    otherwise: none
  - Head as head
    from: stem
outputs: "(head, helper) if aux and training else head"
init: {Linear.weight: zeros_}
""".replace("- Head as head\n", "- Head as head:\n")))
    assert not hasattr(pair.functional_style.M(aux=False), "helper")
    assert pair.functional_style.M().helper.fc_weight.abs().sum() == 0


def test_an_open_count_in_a_sequential_block_is_refused() -> None:
    """It would be written out as the number of this one use."""
    body = """
args: {depth: 3}
blocks:
  Unit: {layers: [{Conv2d: {out_channels: in_channels, kernel_size: 1}}]}
  Stack:
    args: {n: 2}
    Sequential:
      - Unit:
        repeat: %s
      - LeakyReLU: 0.1 * n
layers: [{Stack: {n: depth}}]
"""
    assert "must be a number" in refused(model(body % "n"))
    pair = verified(model(body % "1"))
    assert len(pair.nn_style.M().stack1) == 2
