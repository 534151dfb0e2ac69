"""Losses, as a spec's `loss` and as steps of a flow: what verification feeds them, and what is refused."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch

import nngen
from nngen.catalog import LAYERS
from nngen.catalog.entry import Example, Layer
from nngen.errors import SpecError
from tests.catalog.since import call, skip_missing
from tests.support import plain

LOSSES = {name: entry for name, entry in LAYERS.items() if entry.is_loss}
CASES = [
    pytest.param(entry, given, id=f"{name}-{number}")
    for name, entry in LOSSES.items()
    for number, given in enumerate(entry.examples)
]
CLASSES = {"shape": [], "dtype": "int64", "below": 3}


def input_of(given: Any) -> dict[str, Any]:
    """An example's input as a spec has it."""
    said = given if isinstance(given, dict) else {"shape": given}
    return {**said, "shape": list(said["shape"])}


def as_loss(entry: Layer, given: Example) -> dict[str, Any]:
    """A model whose outputs go into the loss, all of them scaled so that there are gradients to compare."""
    shapes = {name: input_of(said) for name, said in zip(entry.outputs, given.inputs)}
    return {
        "name": "Model",
        "inputs": shapes,
        "layers": [
            {"Identity as first": {}, "from": next(iter(shapes))},
            *(f"{name}_out = {name} * 1" for name in list(shapes)[1:]),
        ],
        "outputs": ", ".join(["first", *(f"{name}_out" for name in list(shapes)[1:])]),
        "loss": {entry.name: plain(given.arguments)},
    }


def as_step(entry: Layer, given: Example) -> dict[str, Any]:
    """A model that takes the targets as inputs, and gives the loss."""
    targets = nngen.load(as_loss(entry, given)).graph.targets or ()
    names = {name.rstrip("_"): name for name in entry.targets}
    shapes = {name: input_of(said) for name, said in zip(entry.outputs, given.inputs)}
    for target in targets:
        bound = 1 if target.kind == "uniform" else target.below
        below = {} if bound is None else {"below": bound}
        shapes[names[target.name]] = {
            "shape": list(target.shape),
            "dtype": target.dtype,
            "batch": target.batch,
            **below,
        }
    inputs = {name: shapes[name] for name in entry.inputs.names}
    step: dict[str, Any] = {entry.name: plain(given.arguments), "from": list(inputs)}
    spec = {"name": "Model", "inputs": inputs}
    if entry.name == "AdaptiveLogSoftmaxWithLoss":
        del step["from"]
        step["call"] = f"output, loss = {entry.prefix}1({', '.join(inputs)})"
        return {**spec, "layers": [step], "outputs": "output, loss"}
    return {**spec, "layers": [step]}


@pytest.mark.parametrize("make", [as_loss, as_step], ids=["loss", "step"])
@pytest.mark.parametrize(("entry", "given"), CASES)
def test_twins_are_equal(entry: Layer, given: Example, make: Any) -> None:
    skip_missing(call(entry))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = nngen.verify(make(entry, given), steps=1, batch_sizes=(3,))
    assert report.equal, str(report)


@pytest.mark.parametrize(("entry", "given"), CASES)
def test_losses_are_finite(entry: Layer, given: Example) -> None:
    """Targets are drawn so that something is compared: no infinite loss, and not one that is zero."""
    from nngen.proof.feed import draw_feed

    skip_missing(call(entry))
    pair = nngen.load(as_loss(entry, given))
    feed = draw_feed(pair.subject(), 4, 0).requiring_grad()
    torch.manual_seed(0)
    model = pair.nn_style.Model()
    outputs = model(*feed.inputs.values())
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loss = model.loss(*outputs, *feed.targets.values())
    assert loss.isfinite().all() and loss.any()
    loss.sum().backward()
    gradients = [value.grad for value in feed.inputs.values() if value.grad is not None]
    assert gradients and all(gradient.isfinite().all() for gradient in gradients)
    assert any(gradient.any() for gradient in gradients)


def test_the_loss_takes_outputs_first() -> None:
    """torch's order is input, target, var; `loss` has the two outputs, then the target."""
    spec = as_loss(LAYERS["GaussianNLLLoss"], LAYERS["GaussianNLLLoss"].examples[0])
    pair = nngen.load(spec)
    mean, var, target = torch.randn(4, 5), torch.rand(4, 5) + 0.1, torch.randn(4, 5)
    expected = torch.nn.GaussianNLLLoss()(mean, target, var)
    for style in (pair.nn_style, pair.functional_style):
        assert torch.equal(style.Model().loss(mean, var, target), expected)


def test_an_adaptive_softmax_gives_its_loss() -> None:
    entry = LAYERS["AdaptiveLogSoftmaxWithLoss"]
    pair = nngen.load(as_loss(entry, entry.examples[0]))
    target = torch.tensor([0, 4, 8, 2])
    losses = []
    for style in (pair.nn_style, pair.functional_style):
        torch.manual_seed(0)
        losses.append(style.Model().loss(torch.ones(4, 16), target))
    assert losses[0].shape == () and torch.equal(*losses)


def test_targets_outside_the_classes_are_refused_by_both_twins() -> None:
    entry = LAYERS["AdaptiveLogSoftmaxWithLoss"]
    pair = nngen.load(as_loss(entry, entry.examples[0]))
    for style in (pair.nn_style, pair.functional_style):
        for wrong in (9, -1):
            with pytest.raises((RuntimeError, IndexError)):
                style.Model().loss(torch.ones(2, 16), torch.tensor([0, wrong]))


def test_a_batch_folded_into_the_loss_is_verified() -> None:
    """Targets of tokens: as many as batch times length."""
    spec = {
        "name": "Model",
        "input": [3, 4],
        "layers": [{"Linear": 5}, "scores = fc1.flatten(0, 1)"],
        "loss": "CrossEntropyLoss",
    }
    report = nngen.verify(spec, steps=1, batch_sizes=(1, 4))
    assert report.equal, str(report)


def loss_of(loss: Any, *shapes: Any) -> dict[str, Any]:
    names = ["x", "y", "z"][: len(shapes)]
    layers = [{"Identity": {}, "from": name} for name in names]
    outputs = ", ".join(f"identity{i + 1}" for i in range(len(names)))
    inputs = {name: input_of(shape) for name, shape in zip(names, shapes)}
    return {"name": "M", "inputs": inputs, "layers": layers, "outputs": outputs, "loss": loss}


def step_of(layer: Any, **inputs: Any) -> dict[str, Any]:
    layers = [{**layer, "from": list(inputs)} if isinstance(layer, dict) else layer]
    given = {name: input_of(shape) for name, shape in inputs.items()}
    return {"name": "M", "inputs": given, "layers": layers}


REFUSED = {
    "weights that are too few": (
        loss_of({"CrossEntropyLoss": {"weight": [1, 2]}}, (3,)),
        "CrossEntropyLoss: weight has 2 values, but there are 3 classes",
    ),
    "weights that are too few, NLL": (
        loss_of({"NLLLoss": {"weight": [1, 2, 3, 4]}}, (3, 8)),
        "NLLLoss: weight has 4 values, but there are 3 classes",
    ),
    "weights that are too few, margin": (
        loss_of({"MultiMarginLoss": {"weight": [1, 2]}}, (3,)),
        "MultiMarginLoss: weight has 2 values, but there are 3 classes",
    ),
    "weights that are too few, linear": (
        loss_of({"LinearCrossEntropyLoss": {"num_classes": 5, "weight": [1, 2]}}, (3,)),
        "weight must have a number for each of the 5 classes",
    ),
    "a weight that does not broadcast": (
        loss_of({"BCELoss": {"weight": [1, 2]}}, (3,)),
        "weight of shape (2,) does not go with the input (N, 3)",
    ),
    "a weight larger than the input": (
        loss_of({"BCEWithLogitsLoss": {"pos_weight": [1, 2]}}, (1,)),
        "pos_weight (2,) does not fit into the input (N, 1)",
    ),
    "a ragged weight": (
        loss_of({"BCELoss": {"weight": [[1, 2], [3]]}}, (2,)),
        "takes a number, a list of numbers, or of such lists, all of one length",
    ),
    "an empty weight": (
        loss_of({"CrossEntropyLoss": {"weight": []}}, (2,)),
        "takes a list of numbers",
    ),
    "scores without classes": (
        loss_of("CrossEntropyLoss", ()),
        "CrossEntropyLoss: the scores must have a dimension for the classes, (N, C), not (N,)",
    ),
    "too few outputs": (
        loss_of("GaussianNLLLoss", (3,)),
        "GaussianNLLLoss takes 2 outputs (input, var), but the model gives 1",
    ),
    "too many outputs": (
        loss_of("MSELoss", (3,), (3,)),
        "MSELoss takes 1 output, but the model gives 2",
    ),
    "a layer that is not a loss": (loss_of("Linear", (3,)), "Linear is not a loss"),
    "a Sequential as the loss": (
        loss_of({"Sequential": ["ReLU"]}, (3,)),
        "Sequential is not a loss",
    ),
    "a reduction of another loss": (
        loss_of({"MSELoss": {"reduction": "batchmean"}}, (3,)),
        "reduction of MSELoss takes mean, sum, none",
    ),
    "a margin that is not positive": (
        loss_of({"TripletMarginLoss": {"margin": 0}}, (3,), (3,), (3,)),
        "takes a number above 0",
    ),
    "a power that torch lacks": (
        loss_of({"MultiMarginLoss": {"p": 3}}, (3,)),
        "p must be 1 or 2, not 3",
    ),
    "an unknown distance": (
        loss_of(
            {"TripletMarginWithDistanceLoss": {"distance_function": "euclid"}}, (3,), (3,), (3,)
        ),
        "not 'euclid'",
    ),
    "a blank beyond the classes": (
        loss_of({"CTCLoss": {"blank": 5}}, {"shape": (6, 3, 5), "batch": False}),
        "CTCLoss: blank is 5, but there are 5 classes, counted from 0",
    ),
    "cutoffs that do not grow": (
        loss_of({"AdaptiveLogSoftmaxWithLoss": {"n_classes": 9, "cutoffs": [5, 3]}}, (8,)),
        "cutoffs must grow, and end below the 9 classes, not (5, 3)",
    ),
    "no cutoffs": (
        loss_of({"AdaptiveLogSoftmaxWithLoss": {"n_classes": 9, "cutoffs": []}}, (8,)),
        "cutoffs must grow",
    ),
    "options that torch lacks": (
        loss_of({"LinearCrossEntropyLoss": {"num_classes": 3, "options": {"size": 1}}}, (8,)),
        "takes a mapping with the keys allow_retain_graph",
    ),
    "float targets of a step": (
        step_of({"NLLLoss": {}}, x=(3,), target=()),
        "NLLLoss: the target must hold class indices (int64), not float32",
    ),
    "targets of another batch shape": (
        step_of({"CrossEntropyLoss": {}}, x=(3, 4), target={**CLASSES, "shape": (5,)}),
        "class indices are (N, 4)",
    ),
    "targets that torch would repeat": (
        step_of({"MSELoss": {}}, x=(1,), target=()),
        "MSELoss: the target (N,) and the input (N, 1) must have one shape",
    ),
    "a variance of another shape": (
        step_of({"GaussianNLLLoss": {}}, x=(3,), target=(3,), var=(2,)),
        "the variance (N, 2) does not go with the input (N, 3)",
    ),
    "pairs of matrices": (
        step_of({"CosineEmbeddingLoss": {}}, x=(3, 4), y=(3, 4), target=()),
        "the first input must have 2 dimensions (with the batch), not 3: (N, 3, 4)",
    ),
    "a function without shapes in common": (
        step_of("y = F.mse_loss(a, b)", a=(3,), b=(4,)),
        "F.mse_loss: the target (N, 4) and the input (N, 3) must have one shape",
    ),
    "torch's deprecated position": (
        step_of("y = F.cross_entropy(a, b, None, 1)", a=(3,), b=CLASSES),
        "F.cross_entropy takes at most 3 arguments without their names, not 4",
    ),
}


@pytest.mark.parametrize(("spec", "message"), REFUSED.values(), ids=REFUSED)
def test_slips_are_refused(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError) as caught:
        nngen.load(spec)
    assert message in str(caught.value)


LINES = {
    "class indices": ("y = F.cross_entropy(a, b)", {"a": (3,), "b": CLASSES}),
    "weights from the flow": (
        "y = F.nll_loss(F.log_softmax(a, dim=1), b, weight=w.detach())",
        {"a": (3,), "b": CLASSES, "w": {"shape": (3,), "batch": False, "below": 2}},
    ),
    "unreduced": ("y = F.mse_loss(a, b, reduction='none')", {"a": (3,), "b": (3,)}),
    "a distance": (
        "y = F.triplet_margin_with_distance_loss(a, b, c, distance_function=F.cosine_similarity)",
        {"a": (3,), "b": (3,), "c": (3,)},
    ),
    "one variance for all": ("y = F.gaussian_nll_loss(a, b, 0.5)", {"a": (3,), "b": (3,)}),
}


@pytest.mark.parametrize(("line", "inputs"), LINES.values(), ids=LINES)
def test_functions_stand_in_lines(line: str, inputs: dict[str, Any]) -> None:
    skip_missing(line)
    report = nngen.verify(step_of(line, **inputs), steps=1, batch_sizes=(3,))
    assert report.equal, str(report)
