"""Random specs build, their twins are equal, and both are what an independent reading makes of the spec."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml

from nngen.catalog import LAYERS
from tests.random_specs.campaign import Figures, run
from tests.random_specs.check import Disagreement, check

# What random specs have brought to light.
FOUND = {
    "a layer for eval mode alone": """
        input: [4]
        layers: [{Linear: 4, when: not training}, {Linear: 3}]
    """,
    "a layer under two conditions": """
        args: {flag: true}
        input: [4]
        layers: [{Linear: 4, when: not training and flag}, {Linear: 4, when: training or not flag}]
    """,
    "a Parameter that a rule of the model draws": """
        input: [6]
        layers: [Linear as a: 8, {Parameter as p: {shape: [8], init: ones_}}, y = a * p, {Linear: 8}]
        init: {Linear.bias: zeros_, p: uniform_}
    """,
    "a Parameter of a block that a rule of the model draws": """
        input: [6]
        blocks: {B: {layers: [{Parameter as p: {shape: [in_features], init: ones_}}, y = x * p]}}
        layers: [Linear: 6, B, B]
        init: {"*": uniform_}
    """,
    "own Parameters are drawn first": """
        input: [6]
        layers: [Linear as a: 8, {Parameter as p: {shape: [8], init: ones_}}, y = a * p]
        init: {"a.*": normal_, p: uniform_}
    """,
    "a Parameter with a fan": """
        input: [6]
        layers: [{Parameter as p: {shape: [1, 6], init: {normal_: {std: 1 / sqrt(fan_in)}}}}, y = x * p]
    """,
    "rules that reach the loss": """
        input: [6]
        layers: [Linear: 8]
        loss: {AdaptiveLogSoftmaxWithLoss: {n_classes: 6, cutoffs: [2, 4]}}
        init: {Linear.weight: normal_, Linear.bias: uniform_}
    """,
    "a rule for all, with a loss that has weights": """
        input: [6]
        layers: [Linear: 8]
        loss: {LinearCrossEntropyLoss: {num_classes: 3}}
        init: {"*": uniform_}
    """,
    "a rule beside weight norm": """
        input: [6]
        layers: [{Linear as a: 8, weight_norm: {}}, {Linear: 3}]
        init: {Linear.bias: uniform_, "*.weight": normal_}
    """,
    "one rule for many, another for one of them": """
        input: [6]
        layers: [Linear as fc: 8, Linear as fd: 3]
        init: {"*": uniform_, Linear.weight: normal_, fd.bias: ones_}
    """,
    "two layers of one condition, where the first alone has parameters": """
        args: {width: 5}
        input: [8]
        layers: [Linear: 1, {Linear: 1, when: width > 6}, {ReLU as act: {}, when: width > 6}, {Linear: 1}]
    """,
    "a layer that is repeated once and gives two tensors": """
        input: [2, 4, 4]
        layers: [{MaxPool2d as pool: {kernel_size: 2, return_indices: true}, repeat: 1}]
        outputs: pool
    """,
    "sizes from a list": """
        args: {channels: [8, 16], k: [3, 5]}
        input: [2, 8, 8]
        let: {pads: "[k[0] // 2, k[1] // 2]"}
        blocks:
          B:
            args: {ks: [3, 3], width: 4}
            layers: [{Conv2d: {out_channels: width, kernel_size: ks, padding: "[ks[0] // 2, ks[1] // 2]"}}]
        layers:
          - Conv2d: {out_channels: "channels[0]", kernel_size: k, padding: pads}
          - B: {ks: k, width: "channels[1]"}
          - B: {width: "channels[0]"}
          - Flatten
          - Linear: prod(channels)
    """,
    "roots and products of sizes": """
        args: {n: 4, ch: [2, 3]}
        input: [6]
        let: {h: prod(ch), s: 1 / sqrt(n)}
        blocks: {B: {args: {k: 1}, let: {q: sqrt(k)}, layers: [{Softplus: {beta: q}}, {Linear: 2 * k}]}}
        layers:
          - Softplus: {beta: sqrt(n)}
          - Linear: h
          - {Tanh: {}, when: sqrt(n) > 3}
          - B as b: {k: prod(ch)}
          - y = b * s
    """,
    "a rule for layers of which one has no weight": """
        input: [3, 5]
        layers: [{BatchNorm1d: {affine: false}}, BatchNorm1d, {Linear: 2}]
        init: {BatchNorm1d.weight: uniform_, "*": ones_}
    """,
    "an argument of which another value leaves a size of 0": """
        args: {width: 3}
        input: [1, 2]
        layers: [{Conv1d: {out_channels: 3, kernel_size: width - 2}}, {Conv1d: {out_channels: 3, kernel_size: width - 2}}, {Linear: 1}]
    """,
    "a layer that may not be there and draws anew": """
        args: {n: 3}
        input: [4]
        layers: [{Linear: 3, when: n == 3}, {Linear: 5, when: n != 3, init: {bias: ones_}}]
    """,
    "rules by the ends of names": """
        input: [4]
        layers: [Linear as fc: 8, LayerNorm as norm, Linear as fd: 3]
        init: {"*weight": normal_, "f*.bias": ones_}
    """,
    "a rule for one of two blocks": """
        input: [4]
        blocks: {B: {layers: [Linear as fc: 4, ReLU, Linear: 4]}}
        layers: [B as b1, B as b2]
        init: {b1.fc.bias: ones_}
    """,
    "rules for a block that may not be there": """
        args: {flag: false}
        input: [4]
        blocks: {B: {layers: [Linear: 4, ReLU, Linear: 4]}}
        layers: [{B as b: {}, when: flag}, {Linear: 3}]
        init: {b.fc1.bias: ones_, "*.weight": normal_}
    """,
    "a rule for a layer that may not be there": """
        args: {flag: false}
        input: [4]
        layers: [{Linear as fc: 8, when: flag}, {Linear: 3}]
        init: {fc.bias: ones_}
    """,
    "a size divided by a number with a point": """
        args: {width: 6}
        input: [2 * width]
        layers: [ReLU]
        loss: {AdaptiveLogSoftmaxWithLoss: {n_classes: 6, cutoffs: [2, 4], div_value: 2.5}}
    """,
    "equal parts of the batch": """
        input: [2]
        layers: [Linear: 6, "y = fc1.reshape(-1, 3, 4)"]
    """,
    "a block of attention to another and to itself": """
        inputs: {x: [5, 8], y: [7, 8]}
        blocks: {B: {inputs: [q, m], layers: [
            {MultiheadAttention as attn: {num_heads: 2, batch_first: true}, call: "z, _ = attn(q, m, m)"}]}}
        layers: [{B as one: {}, from: [x, y]}, {B as two: {}, from: [x, x]}, z = one + two]
    """,
    "a block of recurrence without a batch, twice": """
        input: [8]
        blocks: {B: {layers: [{GRU as gru: 8, call: "y, _ = gru(x)"}]}}
        layers: [B, B]
    """,
    "a block of two inputs, in which a block takes the second": """
        inputs: {left: [4], right: [3]}
        blocks:
          Map: {layers: [Linear as fc: 2, y = fc / in_features]}
          Pair: {inputs: [x1, x2], layers: [x = x2 * 0.5, {Map as m: {}, from: x}, z = x1.sum() + m + x2.mean()]}
        layers: [{Pair as pair: {}, from: [left, right]}, {Pair as again: {}, from: [right, left]}, y = pair + again]
    """,
    "a layer built after one that may not be there": """
        args: {n: 1}
        input: [4]
        layers:
          - Linear as a: 4
          - {Linear as b: 4, built_after: extra}
          - {Linear as c: 4, built_after: b}
          - {Linear as extra: 4, from: a, when: n > 1}
          - {Linear as d: 4, from: c}
          - y = d + extra
    """,
    "copies of a Sequential of blocks": """
        input: [4]
        blocks: {B: {layers: [Linear as fc: in_features, ReLU]}}
        layers: [{Sequential as s: [B, Tanh], repeat: 2}, {Sequential: [{Sequential: [B]}, B], repeat: 2}]
    """,
    "a window in train mode, in a block with an argument that may be None": """
        input: [2, 4, 4]
        blocks:
          B:
            args: {mid: null}
            let: {inner: 3 if mid is None else mid}
            layers: [{MaxPool2d: {kernel_size: in_channels // 2}, when: training}, y = pool1.mean(-1), z = y * inner]
        layers: [B]
    """,
    "layers of which a number decides, and one that infers its size": """
        args: {n: 3}
        input: [4]
        layers: [{Linear: 3, when: n == 3}, ReLU, {Linear: n}]
    """,
    "an argument that is None and a size that stands for it": """
        args: {mid: null}
        let: {inner: 2 * (mid or 3)}
        input: [5, 4]
        layers: [Linear as fc: inner, {LayerNorm: {}, when: mid is not None}, {Linear: inner // 2}]
    """,
    "a size divided by an argument": """
        args: {div: 4}
        input: [20]
        layers: [ReLU]
        loss: {AdaptiveLogSoftmaxWithLoss: {n_classes: 6, cutoffs: [2], div_value: div}}
    """,
}


def test_random_specs_are_what_they_say() -> None:
    figures = run(2, 60)
    assert not figures.failures, "\n".join(figures.failures[0])
    assert figures.checked > 0.8 * figures.drawn, figures.refused


@pytest.mark.parametrize("spec", FOUND.values(), ids=FOUND)
def test_what_random_specs_have_found(spec: str) -> None:
    assert check({"name": "Model", **yaml.safe_load(spec)}, with_black=False) == ""


def test_a_fault_of_both_twins_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here a lone value would go to the wrong argument: the independent reading alone can tell."""
    swapped = "init: float = 0.25, num_parameters: size = 1"
    monkeypatch.setitem(LAYERS, "PReLU", replace(LAYERS["PReLU"], arguments=swapped))
    with pytest.raises(Disagreement, match="both models .*the reading of the spec"):
        check({"name": "Model", "input": [3], "layers": [{"PReLU": 1}]}, with_black=False)


def test_twins_that_differ_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LAYERS, "Tanh", replace(LAYERS["Tanh"], form="out = torch.sigmoid(input)"))
    with pytest.raises(Disagreement, match="outputs, train, batch 1, grad"):
        check({"name": "Model", "input": [3], "layers": ["Tanh"]}, with_black=False)


def test_a_shape_that_nngen_should_refuse_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unlike a batch that does not divide, which nngen cannot foresee."""
    shuffle = replace(LAYERS["PixelShuffle"], shape=lambda input, upscale_factor: input)
    monkeypatch.setitem(LAYERS, "PixelShuffle", shuffle)
    # What the text says of the output's shape is then wrong, too.
    monkeypatch.setattr("tests.random_specs.check.claims_hold", lambda pair, batches: 0)
    spec = {"name": "Model", "layers": [{"PixelShuffle": 2}]}
    with pytest.raises(Disagreement, match="divisible"):
        check({**spec, "input": [3, 4, 4]}, with_black=False)
    assert check({**spec, "input": [4, 4]}, with_black=False) == ""


def test_figures_add_up() -> None:
    figures = Figures(checked=2)
    figures.add(Figures(checked=1, failures=[("name: A", "wrong")]))
    figures.refused["no"] += 1
    assert figures.drawn == 5
