"""Every entry of the catalog against the installed torch: signatures, state, shapes, and equality bit for bit."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nngen.catalog import FUNCTIONS, LAYERS, outputs
from nngen.catalog.entry import Function, Layer, tensors_in
from nngen.catalog.reserved import MODULE_NAMES, SEQUENTIAL_NAMES
from nngen.catalog.signature import REQUIRED, Signature
from nngen.catalog.skipped import SKIPPED
from nngen.errors import Fault
from nngen.symbolic import tensor as tensors
from nngen.symbolic.broadcasting import Shape
from nngen.symbolic.sizes import Dim, symbol, to_text
from tests.catalog.signatures import (
    NOT_DESCRIBED,
    UNDESCRIBED,
    Form,
    described,
    forms,
    torch_signature,
)
from tests.catalog.since import call, came_later, missing_arguments, skip_missing
from tests.support import FRAGMENT_SCOPE, Case, Run, cases, flat, settled, state_of

pytestmark = pytest.mark.filterwarnings("ignore")
each_entry = pytest.mark.parametrize("entry", LAYERS.values(), ids=LAYERS)
each_case = pytest.mark.parametrize("case", cases(), ids=str)


@pytest.fixture(autouse=True, scope="module")
def settle() -> Iterator[None]:
    with settled():
        yield


@pytest.fixture(autouse=True)
def skip_what_came_later(request: pytest.FixtureRequest) -> None:
    """For what the installed torch lacks, see tests/catalog/test_since.py."""
    given = getattr(request.node, "callspec", None)
    case = None if given is None else given.params.get("case")
    if case is not None:
        gradients = request.function in (test_twins_are_torchs, test_another_dtype_changes_nothing)
        skip_missing(call(case.entry, case.example.arguments), gradients)


# Signatures


@each_entry
def test_arguments_are_torchs(entry: Layer) -> None:
    skip_missing(call(entry))
    theirs = described(torch_signature(entry.name))
    assert all(theirs.pop(name) and reason for name, reason in entry.left_out.items())
    _agree(_here(entry), theirs)


@each_entry
def test_forward_is_torchs(entry: Layer) -> None:
    skip_missing(call(entry))
    _agree(entry.inputs, described(inspect.signature(getattr(nn, entry.name).forward)))


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name not in UNDESCRIBED])
def test_functions_are_torchs(name: str) -> None:
    """Some form of torch's function takes these arguments, in this order, with these defaults."""
    entry = FUNCTIONS[name]
    skip_missing(f"{name}()")
    found = forms(name)
    assert found, "torch has neither a Python function nor an operator of this name"
    everywhere = set.intersection(*(set(form.defaults) for form in found))
    assert any(_fits(_here(entry), form, everywhere) for form in found), found


def _here(entry: Layer | Function) -> Signature:
    """Its signature without what the installed torch lacks."""
    missing = missing_arguments(entry)
    return Signature(tuple(a for a in entry.signature if a.name not in missing))


def _fits(ours: Signature, theirs: Form, everywhere: set[str]) -> bool:
    """Where torch has several forms an entry is all of them: None stands for an argument left out."""
    if theirs.takes_anything:
        return True
    own = {
        "input" if a.name == "x" and "input" in theirs.defaults else a.name: a.default
        for a in ours
        if not a.variadic and a.name not in NOT_DESCRIBED
    }
    variadic = any(argument.variadic for argument in ours)
    lacking = [n for n, d in theirs.defaults.items() if d is ... and n not in own]
    return (
        own.keys() <= theirs.defaults.keys()
        and len(lacking) <= variadic
        and list(own) == [name for name in theirs.defaults if name in own]
        and all(
            default in (REQUIRED, None, ()) or name not in everywhere or theirs.has(name, default)
            for name, default in own.items()
        )
    )


def _agree(ours: Signature, theirs: dict[str, inspect.Parameter]) -> None:
    """The same names and defaults; the same order, but for what torch takes by keyword only."""
    own = {a.name: _default(a.default) for a in ours if a.name not in NOT_DESCRIBED}
    assert own == {name: _default(parameter.default) for name, parameter in theirs.items()}
    ordered = [n for n, p in theirs.items() if p.kind is not inspect.Parameter.KEYWORD_ONLY]
    assert [name for name in ours.names if name in ordered] == ordered


def _default(value: Any) -> Any:
    if value is inspect.Parameter.empty or value is REQUIRED:
        return "required"
    if callable(value):
        return str, value.__name__
    return type(value), value


# Examples


@each_entry
def test_examples_touch_every_argument(entry: Layer) -> None:
    assert len(entry.examples) >= 3
    for argument in entry.signature:
        given = [e.arguments[argument.name] for e in entry.examples if argument.name in e.arguments]
        assert given, f"no example gives {argument.name}"
        only = argument.kind.description in (argument.default, "null")
        if argument.default is not REQUIRED and not only:
            others = [value for value in given if _default(value) != _default(argument.default)]
            assert others, f"each example gives {argument.name} its default"


# State


@each_case
def test_state_is_torchs(case: Case) -> None:
    """Names, order, shapes and dtypes of parameters and buffers are those that the entry states."""
    inputs = case.draw(3)
    values = case.values(inputs)
    stated = case.entry.all_state_of(values)
    scope = {**FRAGMENT_SCOPE, "torch": torch, **dict.fromkeys(s.identifier for s in stated)}
    scope |= values
    for name, text in case.entry.let.items():
        scope[name] = eval(text, scope)
    present = [state for state in stated if eval(state.when, scope)]
    found = {s: eval(s.value.strip(), scope) for s in present}

    module = case.build_torch(inputs)
    parameters = {s.name: _form(found[s]) for s in present if not s.buffer}
    buffers = {s.name: _form(found[s]) for s in present if s.buffer}
    assert list(parameters.items()) == [(n, _form(p)) for n, p in module.named_parameters()]
    assert list(buffers.items()) == [(n, _form(b)) for n, b in module.named_buffers()]
    saved = {s.name for s in present if s.persistent}
    assert saved == set(module.state_dict()) - {"_extra_state"}


def _form(tensor: Tensor) -> tuple[Any, ...]:
    return tuple(tensor.shape), tensor.dtype


# Shapes


@each_case
def test_shapes_are_torchs(case: Case) -> None:
    inputs = case.draw(3)
    module = case.build_torch(inputs).eval()
    outputs = flat(case.run_torch(module, inputs))
    shapes = {name: tuple(tensor.shape) for name, tensor in inputs.items()}
    predicted = case.kept(_rule(case, shapes))
    assert [(p.shape, f"torch.{p.dtype}") for p in tensors_in(predicted)] == [
        (tuple(output.shape), str(output.dtype)) for output in outputs
    ]


@each_case
@pytest.mark.parametrize("known", [True, False], ids=["known", "open"])
def test_shapes_hold_for_other_sizes(case: Case, known: bool) -> None:
    """Sizes that are followed as expressions give, on other numbers, what the rule gives on them."""
    shapes = {name: tuple(tensor.shape) for name, tensor in case.draw(3).items()}
    names = {
        name: tuple(f"{name}_{position}" for position in range(len(shape)))
        for name, shape in shapes.items()
    }
    symbols = {
        name: tuple(symbol(word, size if known else None) for word, size in zip(names[name], shape))
        for name, shape in shapes.items()
    }
    try:
        followed = [tensor.shape for tensor in tensors_in(_rule(case, symbols))]
    except Fault:
        assert not known, "the rule refuses sizes that are known, but not plain numbers"
        return
    compared = 0
    for change in (lambda n: n, lambda n: n + 1, lambda n: 2 * n, lambda n: n + 3):
        others = {name: tuple(map(change, shape)) for name, shape in shapes.items()}
        try:
            expected = [tensor.shape for tensor in tensors_in(_rule(case, others))]
        except Fault:
            continue
        numbers = {word: size for name in shapes for word, size in zip(names[name], others[name])}
        compared += 1
        for shape, other in zip(followed, expected, strict=True):
            assert _put(shape, numbers) in (other, None), others
    assert compared


def _rule(case: Case, shapes: Mapping[str, tuple[Dim, ...]]) -> Any:
    """What the entry's shape rule makes of inputs of these shapes."""
    inputs = {name: tensors.Tensor(shape, case.dtypes[name]) for name, shape in shapes.items()}
    return outputs.output(case.entry, {**case.values(inputs), **case.bind(inputs)})


def _put(shape: Shape | None, numbers: Mapping[str, int]) -> Any:
    """A shape with numbers for its names; None where it cannot be followed."""
    return shape and tuple(
        size if isinstance(size, int) else eval(to_text(size), {}, dict(numbers)) for size in shape
    )


# Equality


@each_case
def test_construction_is_torchs(case: Case) -> None:
    """From one seed the same weights, and the random numbers after them are the same."""
    builders = _builders(case)
    drawn = []
    for build in builders.values():
        torch.manual_seed(7)
        drawn.append((state_of(case, build()), torch.get_rng_state()))
    for (state, random), style in zip(drawn, builders, strict=True):
        _assert_equal(drawn[0][0], state, style)
        assert torch.equal(drawn[0][1], random), f"{style}: another random-number state"


LAYOUTS = {"contiguous": None, "channels_last": 4, "channels_last_3d": 5}


@each_case
@pytest.mark.parametrize(
    "dtype",
    ["float32", *(pytest.param(name, marks=pytest.mark.slow) for name in ("float64", "bfloat16"))],
)
def test_twins_are_torchs(case: Case, dtype: str) -> None:
    """Outputs, gradients, buffers and random numbers of both twins are those of torch's layer."""
    assert _compared(case, dtype) or dtype == "bfloat16", "torch has no kernel"


@each_case
def test_another_dtype_changes_nothing(case: Case) -> None:
    """In bfloat16, and where torch has no kernel for it in float64: a form has no dtype of its own.

    A dtype knows nothing of layouts and of batches of one, which are tried with float32.
    """
    alone: Any = {"layouts": ["contiguous"], "batches": (3,)}
    assert _compared(case, "bfloat16", **alone) or _compared(case, "float64", **alone)


def _compared(
    case: Case, dtype: str, layouts: Iterable[str] = LAYOUTS, batches: Iterable[int] = (3, 1)
) -> bool:
    """Compare both twins with torch's layer; whether torch ran it at all."""
    builders = _builders(case)
    layers = {}
    for style, build in builders.items():
        torch.manual_seed(7)
        layers[style] = build().to(getattr(torch, dtype))
    _level(case, layers)
    ran = False
    for layout in layouts:
        rank = LAYOUTS[layout]
        for batch in batches:
            feeds = [_prepared(case, batch, seed, dtype, rank) for seed in (1, 2)]
            if rank is not None and not any(x.dim() == rank for x in feeds[0].values()):
                continue
            runs = {style: Run(case, style, layer) for style, layer in layers.items()}
            for training, feed in ((True, feeds[0]), (True, feeds[1]), (False, feeds[0])):
                seen = {style: run.step(feed, training, layout) for style, run in runs.items()}
                where = f"{dtype}, {layout}, batch {batch}, {'train' if training else 'eval'}"
                expected = seen.pop("torch")
                for style, values in seen.items():
                    _assert_equal(expected, values, f"{where}: {style}")
                ran = ran or "raised" not in expected
                if (dtype, layout, batch) == ("float32", "contiguous", 3):
                    assert "raised" not in expected, expected["raised"]
                    outputs = [v for n, v in expected.items() if n.startswith("output")]
                    assert outputs and not all(output.isnan().all() for output in outputs)
    return ran


def _builders(case: Case) -> dict[str, Callable[[], nn.Module]]:
    return {
        "torch": lambda: case.build_torch(case.draw(3)),
        "nn": case.pair.nn_style.Model,
        "functional": case.pair.functional_style.Model,
    }


def _level(case: Case, layers: dict[str, nn.Module]) -> None:
    """Gives all three one state in which hardly two weights are alike: ones and zeros hide mistakes."""
    generator = torch.Generator().manual_seed(11)
    reference = state_of(case, layers["torch"])
    with torch.no_grad():
        for tensor in layers["torch"].parameters():
            noise = torch.rand(tensor.shape, generator=generator)
            tensor.add_(0.1 * noise.to(tensor.dtype))
        for layer in layers.values():
            for name, tensor in state_of(case, layer).items():
                tensor.copy_(reference[name])


def _prepared(case: Case, batch: int, seed: int, dtype: str, rank: int | None) -> dict[str, Tensor]:
    """A batch in a dtype, and where a layout goes with the rank, in that layout."""
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    feed = {}
    for name, tensor in case.draw(batch, seed).items():
        if tensor.is_floating_point():
            tensor = tensor.to(getattr(torch, dtype))
        if rank is not None and tensor.dim() == rank:
            tensor = tensor.to(memory_format=formats[rank])
        feed[name] = tensor
    return feed


def _assert_equal(expected: Mapping[str, Any], found: Mapping[str, Any], where: str) -> None:
    __tracebackhide__ = True
    assert list(expected) == list(found) or set(expected) == set(found), where
    for name, value in expected.items():
        if not _same(value, found[name]):
            pytest.fail(f"{where}: {name}\n  torch: {value}\n  found: {found[name]}")


def _same(left: Any, right: Any) -> bool:
    if not isinstance(left, Tensor) or not isinstance(right, Tensor):
        return type(left) is type(right) and bool(left == right)
    if left.dtype != right.dtype or left.layout != right.layout or left.shape != right.shape:
        return False
    if left.is_sparse:
        left, right = left.to_dense(), right.to_dense()
    nan = left.isnan()
    return torch.equal(nan, right.isnan()) and torch.equal(
        left.masked_fill(nan, 0), right.masked_fill(nan, 0)
    )


# Completeness


def test_torch_nn_is_covered() -> None:
    public = {
        name
        for name, value in vars(nn).items()
        if isinstance(value, type) and issubclass(value, nn.Module) and not name.startswith("_")
    }
    described = LAYERS.keys() | SKIPPED.keys()
    assert public - described == set(), "neither in the catalog nor in SKIPPED"
    later = {name for name, entry in LAYERS.items() if came_later(entry.since.whole)}
    assert described - public == later, "torch.nn does not have these"
    assert LAYERS.keys() & SKIPPED.keys() == set()
    assert all(SKIPPED.values())


# Names of modules that came with torch 2.5; before, they are reserved too.
_CAME_LATER = {
    *("mtia", "register_load_state_dict_pre_hook", "register_state_dict_post_hook"),
    "set_submodule",
}


def test_reserved_names_are_torchs() -> None:
    later = _CAME_LATER if came_later("2.5") else set()
    assert MODULE_NAMES - later == {n for n in dir(nn.Module()) if not n.startswith("_")}
    assert SEQUENTIAL_NAMES - later == {n for n in dir(nn.Sequential()) if not n.startswith("_")}
