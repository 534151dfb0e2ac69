"""The stateless style: the same numbers as the nn twin, found under the same keys, and nothing changed that comes in."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

import nngen
from nngen.errors import SpecError
from nngen.proof.feed import Feed, draw_feed
from nngen.proof.loading import Pair
from tests.built import each_spec_large_ones_slow
from tests.support import cases, loaded, settled


@pytest.fixture(autouse=True)
def _settled() -> Iterator[None]:
    with settled():
        yield


def agree(pair: Pair) -> None:
    """Hold the stateless model against the nn twin: what it makes, gives, derives and changes."""
    subject = pair.subject()
    torch.manual_seed(0)
    twin: nn.Module = getattr(pair.nn_style, subject.name)(**subject.arguments)
    after = torch.get_rng_state()
    torch.manual_seed(0)
    model = getattr(pair.styles["stateless"], subject.name)(**subject.arguments)
    params, buffers = model.init()
    assert torch.equal(torch.get_rng_state(), after)
    same_dicts(params, dict(twin.named_parameters()))
    same_dicts(buffers, dict(twin.named_buffers()), ordered=False)
    for training in (True, False):
        feed = draw_feed(subject, 2, 0)
        _same_step(copy.deepcopy(twin).train(training), model, params, buffers, feed, training)


def same_dicts(found: dict[str, Tensor], right: dict[str, Any], ordered: bool = True) -> None:
    assert list(found) == list(right) if ordered else found.keys() == right.keys()
    for name, value in right.items():
        assert torch.equal(found[name], value), name
        assert found[name].dtype == value.dtype


def _same_step(
    twin: nn.Module,
    model: Any,
    params: dict[str, Tensor],
    buffers: dict[str, Tensor],
    feed: Feed,
    training: bool,
) -> None:
    with torch.no_grad():
        for weight, (name, value) in zip(twin.parameters(), params.items(), strict=True):
            assert weight.shape == value.shape, name
    given = {
        key: value.clone().requires_grad_(value.is_floating_point())
        for key, value in params.items()
    }
    kept = {key: value.clone() for key, value in (*given.items(), *buffers.items())}
    inputs = [list(feed.copied().inputs.values()) for _ in range(2)]
    torch.manual_seed(1)
    right = twin(*inputs[0])
    after = torch.get_rng_state()
    torch.manual_seed(1)
    output, new = model(given, buffers, *inputs[1], training=training)
    assert torch.equal(torch.get_rng_state(), after)
    for one, other in zip(tree_leaves(output), tree_leaves(right), strict=True):
        same(one, other)
    same_dicts(new, dict(twin.named_buffers()), ordered=False)
    if not training:
        assert all(new[key] is buffers[key] for key in buffers)
    same_dicts({**given, **buffers}, kept)
    _same_gradients(twin, given, right, output)


def same(one: Any, other: Any) -> None:
    if isinstance(other, Tensor):
        assert one.dtype == other.dtype and one.shape == other.shape
        assert torch.equal(torch.nan_to_num(one), torch.nan_to_num(other))
    else:
        assert one == other


def _same_gradients(twin: nn.Module, given: dict[str, Tensor], right: Any, output: Any) -> None:
    def total(value: Any) -> Tensor | None:
        found = [
            leaf for leaf in tree_leaves(value) if isinstance(leaf, Tensor) and leaf.requires_grad
        ]
        sums = [(torch.view_as_real(leaf) if leaf.is_complex() else leaf).sum() for leaf in found]
        return torch.stack(sums).sum() if sums else None

    ends = total(right), total(output)
    if ends[0] is None or ends[1] is None:
        assert ends == (None, None)
        return
    ends[0].backward()
    ends[1].backward()
    for name, weight in twin.named_parameters():
        grad, own = weight.grad, given[name].grad
        assert (grad is None) == (own is None), name
        if grad is not None and own is not None:
            same(own.to_dense(), grad.to_dense())


SPECS = {
    "a tie to what comes before": """
layers:
  - Linear as one: {out_features: 4, bias: false}
  - Linear as two: {out_features: 4, bias: false}
tie: {two.weight: one.weight}
""",
    "a tie to what comes after": """
layers:
  - Linear as one: {out_features: 4, bias: false}
  - Linear as two: {out_features: 4, bias: false}
tie: {one.weight: two.weight}
""",
    "ties across blocks, and rules": """
blocks:
  Head:
    layers: [Linear as fc: {out_features: 4}, Linear as out: {out_features: 4}]
    tie: {out.weight: fc.weight}
layers:
  - Linear as first: 4
  - Head as left
  - Head as right
tie: {first.weight: left.out.weight}
init: {Linear.weight: {normal_: {std: 0.5}}}
""",
    "a block drawn anew below a tie": """
blocks:
  Head:
    layers: [Linear as fc: 4]
layers:
  - Linear as first: 4
  - Head as head
tie: {head.fc.weight: first.weight}
init: {head.fc.weight: ones_, head.fc.bias: ones_}
""",
    "own parameters after layers": """
layers:
  - Linear as fc: 4
  - Parameter as scale: {shape: [4], init: {normal_: {std: 0.1}}}
  - Buffer as noise: {value: torch.randn(4)}
  - Parameter as shift: {shape: [4], init: zeros_}
  - out = fc * scale + shift + noise
""",
    "statistics of the spec's own": """
layers:
  - Buffer as mean: {value: torch.zeros(4)}
  - Buffer as var: {value: torch.ones(4)}
  - out = F.batch_norm(x, mean, var, training=training)
""",
    "a table that is rescaled": """
layers:
  - Parameter as table: {shape: [5, 3], init: {normal_: {std: 2.0}}}
  - places = x.long().clamp(0, 4)
  - out = F.embedding(places, table, max_norm=0.5)
""",
    "names that a stateless class has": """
inputs: {params: [4], buffers: [4]}
args: {key: 3, value: 2}
blocks:
  B:
    args: {prefix: required}
    layers: [Linear as fc: prefix, BatchNorm1d as prefix_]
layers:
  - both = params + buffers
  - B as b: {prefix: key}
  - Linear as fc: value
""",
    "a list of two classes, counts that are open": """
args: {n: 2, deep: true}
blocks:
  A:
    layers: [Linear: 4, BatchNorm1d, ReLU]
  B:
    args: {width: 3}
    layers: [Linear: width, Dropout, Linear: 4]
layers:
  - Sequential as body:
      - A
      - {B: , repeat: n}
      - {A: , repeat: n}
      - B: {width: 5}
      - {A: , repeat: 5}
  - A as extra:
    when: deep
  - {Dropout: 0.5, when: training}
""",
    "blocks by name": """
blocks:
  A:
    args: {width: required}
    layers: [Linear: width]
layers:
  - Sequential as body:
      - A as first: 3
      - A as last: 4
  - Sequential as more:
      - A as block${i}: {width: 4}
        repeat: 5
""",
    "an argument that changes nothing here": """
args: {own: true}
layers: [{AlphaDropout: {inplace: own}}]
""",
    "spectral norm": """
layers:
  - {Linear: 6, spectral_norm: {n_power_iterations: 2}}
  - {Linear: 3, weight_norm: {}}
""",
}
LOSSES = {
    "of one layer with weights": "loss: {CrossEntropyLoss: {weight: [1.0, 2.0, 0.5]}}",
    "that learns": "loss: {AdaptiveLogSoftmaxWithLoss: {n_classes: 6, cutoffs: [2, 4]}}",
    "that counts and asks for the mode": """
loss:
  inputs: [target]
  layers:
    - BatchNorm1d as norm:
      from: fc1
    - Dropout
    - MSELoss:
      from: [dropout, target]
""",
}


@pytest.mark.parametrize("name", SPECS)
def test_each_part_of_the_language(name: str) -> None:
    head = "name: M\n" if "inputs:" in SPECS[name] else "name: M\ninput: [4]\n"
    agree(nngen.load(head + SPECS[name]))


@pytest.mark.parametrize("name", LOSSES)
def test_losses(name: str) -> None:
    text = f"name: M\ninput: [4]\nlayers: [Linear: 3]\n{LOSSES[name]}\n"
    report = nngen.verify(f"{text}\nstyles: [nn, functional, stateless]\n")
    assert report.equal, report
    assert any(row.group == "stateless, train, grad" for row in report.rows)


@pytest.mark.parametrize("case", cases(), ids=str)
def test_each_layer(case: Any) -> None:
    agree(case.pair)


@each_spec_large_ones_slow
def test_each_spec(path: Path) -> None:
    agree(loaded(path))


REFUSED = {
    "an attribute called init": (
        "args: {init: 4}\nlayers: [Linear: init]\n",
        "a class of the stateless style has its own 'init'",
    ),
    "a parameter tied again outside its block": (
        """
blocks:
  Head:
    layers: [Linear as fc: {out_features: 4}, Linear as out: {out_features: 4}]
    tie: {out.weight: fc.weight}
layers: [Linear as first: 4, Head as head]
tie: {head.fc.weight: first.weight}
""",
        "'head.fc.weight' is tied in its block already, so the class around it cannot tie it to another",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_it_cannot_say_is_refused_where_it_is_asked_for(name: str) -> None:
    text, message = REFUSED[name]
    head = "name: M\ninput: [4]\n"
    assert set(nngen.load(head + text).styles) == {"nn", "functional"}
    with pytest.raises(SpecError, match=re.escape(message)):
        nngen.load(f"{head}{text}\nstyles: [nn, stateless]\n")


def test_a_checkpoint_of_the_twin_goes_in() -> None:
    pair = nngen.load(Path("specs/gpt2.yaml"))
    subject = pair.subject()
    twin = pair.nn_style.GPT2(**subject.arguments).eval()
    model = pair.stateless.GPT2(**subject.arguments)  # type: ignore[attr-defined]
    tokens = draw_feed(subject, 2, 0).inputs["tokens"]
    state = twin.state_dict()
    assert "lm_head.weight" in state  # tied: a further key
    assert torch.equal(model(state, {}, tokens, training=False)[0], twin(tokens))
    del state["transformer.wpe.weight"]
    with pytest.raises(KeyError, match=r"transformer\.wpe\.weight"):
        model(state, {}, tokens, training=False)


def test_what_is_drawn_again_under_a_condition_has_its_imports() -> None:
    text = """
name: Conditional
args: {width: 3}
input: [2]
layers: [{BatchNorm1d: , when: width > 2}]
init: {BatchNorm1d.weight: ones_}
"""
    agree(nngen.load(text))


def test_a_table_that_is_used_twice_is_rescaled_once() -> None:
    text = """
name: Twice
input: {shape: [9], dtype: int64, below: 40}
layers:
  - Embedding as table: {num_embeddings: 40, embedding_dim: 7, max_norm: 1.5}
  - more = table + table(x)
"""
    pair = nngen.load(text)
    subject = pair.subject()
    twin = getattr(pair.nn_style, subject.name)()
    model = pair.styles["stateless"].Twice()
    params = {key: value.detach().clone() for key, value in twin.named_parameters()}
    samples = torch.arange(36).view(4, 9)
    assert torch.equal(model(params, {}, samples, training=True)[0], twin(samples))
