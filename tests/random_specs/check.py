"""What is asked of one random spec: it builds, its twins are equal, and both are what the spec says."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest import mock

import torch
import yaml
from torch import Tensor, nn

import nngen
from nngen import proof, sourcemap
from nngen.errors import NngenError, SpecError
from nngen.loading import Pair
from nngen.proof.feed import Feed, draw_feed
from nngen.report import Report
from tests.random_specs.reading import Model, read

SEED = 5
OPEN = {"T", "H", "W"}  # the open sizes of random specs
BATCHES = (1, 4)
LARGE = (420, 840)  # and to be divided by each number up to 7

SHAPES = re.compile("size|shape|dimension|match", re.IGNORECASE)
# What torch says where a line makes equal parts of the batch.
PARTS = re.compile(r"don't multiply up to the size|is invalid for input of size|divisible by")


class Disagreement(AssertionError):
    """nngen's files are not equal to each other, or not what the spec says."""


def to_yaml(spec: Mapping[str, Any]) -> str:
    """A spec as a file has it."""
    return yaml.dump(spec, Dumper=_Plain, sort_keys=False, width=100, allow_unicode=True)


class _Plain(yaml.SafeDumper):
    """Writes the same list twice rather than an alias."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def check(spec: Mapping[str, Any], formatted: bool = True) -> str:
    """Builds a spec and holds it against its independent reading.

    Args:
        spec: the spec's data.
        formatted: whether black formats the files, as `nngen build` has it do; it takes most of the time.

    Returns:
        Why nngen, or torch for sizes that are open, refuses the spec; empty where they do not.

    Raises:
        Disagreement: something is not equal.
        Exception: nngen, a twin or torch raised anything but a SpecError.
    """
    try:
        with _formatting(formatted):
            pair = nngen.load(to_yaml(spec))
    except SpecError as error:
        return error.message
    batches = BATCHES
    report = _verified(pair, batches)
    if isinstance(report, str):
        return report
    if refusal := _unforeseen(spec, _alike(report)):
        return refusal
    # A shape that torch refuses, nngen should have refused, but for a batch too small, or not of equal parts.
    if shapes := list(filter(SHAPES.search, _alike(report))):
        batches = LARGE
        report = _verified(pair, batches)
        if isinstance(report, str):
            return report
        left = list(filter(PARTS.search, _alike(report)))
        if left and not {*left} & {*shapes}:  # it names the batch size, which is another now
            return "torch refuses a batch that has no such parts"
    # Values, and what has no gradient, nngen cannot know.
    if (alike := _alike(report)) and not any(map(SHAPES.search, alike)):
        return f"torch refuses with both twins: {alike[0]}"
    if apart := _first(report):
        raise Disagreement(f"the twins are not equal: {apart}")
    with _settled():
        _hold_against_reading(spec, pair, batches[-1])
    return ""


def _verified(pair: Pair, batches: tuple[int, ...]) -> Report | str:
    """The report, or why there is none."""
    try:
        return proof.verify(pair.subject(), steps=1, batch_sizes=batches)
    except NngenError as error:
        return str(error)


def _unforeseen(spec: Mapping[str, Any], alike: list[str]) -> str:
    """What torch refuses, and nngen cannot know before."""
    if alike and spec.get("check", {}).keys() & OPEN:
        return "torch refuses the open sizes that `check` gives"
    if alike and re.search("when: .*training", to_yaml(spec)):
        return "torch refuses shapes that the mode decides"
    if any("modified by an inplace operation" in message for message in alike):
        return "torch refuses to go back through a step that works in place"
    if any("view size is not compatible" in message for message in alike):
        return "torch refuses a view of what does not lie in one piece"
    if any("invalid max index" in message for message in alike):
        return "torch refuses to unpool what did not divide by the stride"
    return ""


def _alike(report: Report) -> list[str]:
    """What both twins raise, and nngen cannot foresee; it excuses no difference elsewhere."""
    if any(not row.equal and row.what != "exception" for row in report.rows):
        return []
    return [each.message for each in report.findings if each.twin == "both"]


def _first(report: Report) -> str:
    """The first of what verification found, empty where all is equal."""
    found = [f"{each.where}: {each.error}: {each.message}" for each in report.findings]
    found += [f"{row.where}: {row.what}: {row.first}" for row in report.rows if not row.equal]
    return next(iter(found), "")


@contextmanager
def _settled() -> Iterator[None]:
    """torch set so that equality can be asked for: undrawn weights are NaN, and no fused attention."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.set_deterministic_debug_mode("warn")
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(True)
        torch.set_deterministic_debug_mode("default")
        torch.set_num_threads(threads)


@contextmanager
def _formatting(wanted: bool) -> Iterator[None]:
    if wanted:
        yield
    else:
        with mock.patch.object(sourcemap, "formatted", lambda code: code):
            yield


def _hold_against_reading(spec: Mapping[str, Any], pair: Pair, batch: int) -> None:
    """The nn twin beside the reading: names, weights, and a step in either mode."""
    subject = pair.subject()
    feed = draw_feed(subject, batch, SEED)
    torch.manual_seed(SEED)
    twin: nn.Module = getattr(pair.nn_style, subject.name)(**subject.arguments)
    drawn = torch.get_rng_state()
    torch.manual_seed(SEED)
    copied = feed.copied()
    model = read(spec, list(copied.inputs.values()), copied.targets)
    _same("the random numbers after construction", drawn, torch.get_rng_state())
    _same("the keys of the state_dict", list(twin.state_dict()), list(model.state_dict()))
    _same("a parameter or buffer", _state(twin), _state(model))
    _level(twin, model)
    for training in (True, False):
        mode = "train" if training else "eval"
        seen = [_step_or_error(each.train(training), feed) for each in (twin, model)]
        for what, expected in seen[1].items():
            _same(f"{what} in {mode} mode", seen[0].get(what), expected)


def _state(model: nn.Module) -> dict[str, Tensor]:
    named = (
        model.named_parameters(remove_duplicate=False),
        model.named_buffers(remove_duplicate=False),
    )
    return {name: tensor.detach().clone() for group in named for name, tensor in group}


def _level(twin: nn.Module, model: Model) -> None:
    """Moves all weights a little: as drawn, many are all ones or all zeros, and could be mixed up unseen."""
    generator = torch.Generator().manual_seed(SEED)
    others = dict(model.named_parameters(remove_duplicate=False))
    with torch.no_grad():
        for name, weight in twin.named_parameters(remove_duplicate=False):
            weight.add_(0.01 * torch.rand(weight.shape, generator=generator))
            others[name].copy_(weight)


def _step_or_error(model: nn.Module, feed: Feed) -> dict[str, Any]:
    """`_step`, or what torch says of values that it refuses: in eval mode there may be others than verification met."""
    try:
        return _step(model, feed)
    except RuntimeError as error:
        return {"the error": str(error)}


def _step(model: nn.Module, feed: Feed) -> dict[str, Any]:
    """One step forward and backward: all that can be seen of it."""
    leaves = feed.requiring_grad()
    given = leaves.copied()
    model.zero_grad()
    torch.manual_seed(SEED)
    output = model(*given.inputs.values())
    seen: dict[str, Any] = {"the output": output}
    objective = output
    if feed.has_loss:
        objective = seen["the loss"] = _loss(model, output, given.targets)
    generator = torch.Generator().manual_seed(SEED)
    starts = [tensor for tensor in _tensors(objective) if tensor.requires_grad]
    weights = [
        torch.rand(each.shape, generator=generator, dtype=each.real.dtype).to(each.dtype)
        for each in starts
    ]
    if starts:
        torch.autograd.backward(starts, weights)
    seen["a gradient"] = {name: weight.grad for name, weight in model.named_parameters()}
    seen["an input's gradient"] = {name: tensor.grad for name, tensor in leaves.inputs.items()}
    return {**seen, "the state": _state(model), "the random numbers": torch.get_rng_state()}


def _loss(model: nn.Module, output: Any, targets: Mapping[str, Tensor]) -> Any:
    if isinstance(model, Model):
        return model.loss(output, targets)
    spread = list(output.values()) if isinstance(output, dict) else output
    spread = spread if isinstance(spread, (tuple, list)) else [spread]
    return model.loss(*spread, *targets.values())  # type: ignore[operator]


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (tuple, list)):
        return [tensor for item in value for tensor in _tensors(item)]
    return [value] if isinstance(value, Tensor) else []


def _same(what: str, found: Any, expected: Any) -> None:
    """Raises where two values part.

    Raises:
        Disagreement: they do.
    """
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        _same(f"the names of {what}", list(found), list(expected))
        for name, value in expected.items():
            _same(f"{what} ({name})", found[name], value)
    elif isinstance(expected, (tuple, list)) and isinstance(found, (tuple, list)):
        _same(f"the number of {what}", len(found), len(expected))
        for place, (mine, other) in enumerate(zip(found, expected)):
            _same(f"{what} ({place})", mine, other)
    elif isinstance(expected, Tensor) and isinstance(found, Tensor):
        if not _identical(found, expected):
            raise Disagreement(
                f"{what} is not what the spec says:\n{found}\nrather than\n{expected}"
            )
    elif type(found) is not type(expected) or found != expected:
        raise Disagreement(f"{what}: {found}, rather than {expected}")


def _identical(found: Tensor, expected: Tensor) -> bool:
    if (found.dtype, found.shape, found.layout) != (
        expected.dtype,
        expected.shape,
        expected.layout,
    ):
        return False
    found, expected = found.detach(), expected.detach()
    if found.is_sparse:
        found, expected = found.to_dense(), expected.to_dense()
    if found.is_complex():
        found, expected = torch.view_as_real(found.resolve_conj()), torch.view_as_real(
            expected.resolve_conj()
        )
    if found.is_floating_point():
        alike = (found == expected) & (found.signbit() == expected.signbit())
        return bool((alike | (found.isnan() & expected.isnan())).all())
    return torch.equal(found, expected)
