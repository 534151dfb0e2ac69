"""Functions and Tensor methods of lines of Python: nngen's inference against torch itself."""

from __future__ import annotations

import ast
import math
import re
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F

import nngen
from nngen.catalog import FUNCTIONS
from nngen.catalog.signature import REQUIRED, Signature
from nngen.errors import Fault, SpecError
from nngen.graph.functions import NAMESPACES, attribute
from nngen.symbolic.evaluator import Evaluator
from nngen.symbolic.sizes import symbol, to_text, value_of
from nngen.symbolic.tensor import UNKNOWN, Tensor
from tests.catalog.function_calls import CALLS, INPUTS, draw, lines
from tests.catalog.since import came_later, missing
from tests.catalog.wrong_calls import WRONG

_NUMBERS = {"float_inf": math.inf, "minus_inf": -math.inf}
_OF_OTHERS = ("F.", "nn.")  # entered beside the layers that they serve, and tested there


def by_name(table: dict[str, list[str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, call in lines(table):
        found.setdefault(name, []).append(call)
    return found


ALL_CALLS = by_name(CALLS)
CALLED = {
    name: here
    for name, calls in ALL_CALLS.items()
    if (here := [call for call in calls if not missing(call)])
}
REFUSED = by_name(WRONG)

each_name = pytest.mark.parametrize("name", CALLED)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def inputs(symbolic: bool = False) -> dict[str, Tensor]:
    def sizes(shape: tuple[int, ...]) -> tuple[Any, ...]:
        return tuple(symbol(f"size{n}", n) if symbolic and n != 1 else n for n in shape)

    return {name: Tensor(sizes(shape), dtype) for name, (shape, dtype) in INPUTS.items()}


def inferred(call: str, given: dict[str, Tensor] | None = None) -> Any:
    scope = {"training": UNKNOWN, **_NUMBERS, **NAMESPACES, **(given or inputs())}
    return Evaluator(scope, attribute)(ast.parse(call, mode="eval").body)


def computed(call: str, scale: int = 1) -> Any:
    torch.manual_seed(0)
    scope = {"torch": torch, "F": F, "training": True, **_NUMBERS}
    return eval(call, {**scope, **{name: draw(name, scale) for name in INPUTS}})


def assert_agree(ours: Any, theirs: Any, call: str) -> None:
    """The same structure, shapes and dtypes; a shape that shows when the model runs may be any."""
    if isinstance(ours, Tensor):
        assert isinstance(theirs, torch.Tensor), call
        assert f"torch.{ours.dtype}" == str(theirs.dtype), call
        if ours.shape is not None:
            assert tuple(map(value_of, ours.shape)) == tuple(theirs.shape), call
    elif isinstance(ours, (tuple, list)):
        assert isinstance(ours, tuple) == isinstance(theirs, tuple), call
        assert len(ours) == len(theirs), call
        for field in getattr(ours, "_fields", ()):
            assert_agree(getattr(ours, field), getattr(theirs, field), call)
        for our, their in zip(ours, theirs):
            assert_agree(our, their, call)
    else:
        assert value_of(ours) == theirs, call


# Calls


def test_every_function_is_called() -> None:
    own = {name for name in FUNCTIONS if not name.startswith(_OF_OTHERS)}
    assert not own - ALL_CALLS.keys()
    assert ALL_CALLS.keys() <= FUNCTIONS.keys()


def test_every_argument_is_given() -> None:
    """Among the calls, each argument stands by name or by position at least once."""
    for name, calls in ALL_CALLS.items():
        for signature in FUNCTIONS[name].signatures:
            fitting = [given for call in calls if (given := _given(call, signature)) is not None]
            missed = set(signature.names) - {"input"} - {n for given in fitting for n in given}
            assert not missed, f"{name}: no call gives {', '.join(missed)}"


def _given(call: str, signature: Signature) -> list[str] | None:
    """The arguments that a call gives, where they are of this signature."""
    node = ast.parse(call, mode="eval").body
    assert isinstance(node, ast.Call)
    count = len(node.args)
    method = not call.startswith(("torch.", "F."))
    names = [argument.name for argument in signature if not argument.keyword][method:]
    keywords = [str(keyword.arg) for keyword in node.keywords]
    variadic = any(argument.variadic for argument in signature)
    if not set(keywords) <= set(signature.names) or (count > len(names) and not variadic):
        return None
    return names[:count] + keywords


@each_name
def test_inference_agrees_with_torch(name: str) -> None:
    for call in CALLED[name]:
        assert_agree(inferred(call), computed(call), call)


@each_name
def test_sizes_stay_expressions(name: str) -> None:
    """With named sizes the same comes out, and still holds where they are twice as large."""
    for call in CALLED[name]:
        ours = inferred(call, inputs(symbolic=True))
        assert_agree(ours, computed(call), call)
        try:
            larger = computed(call, 2)
        except (RuntimeError, ValueError, IndexError):
            continue  # the call names sizes as numbers, so it is for these alone
        _assert_holds(ours, larger, call)


_LARGER = {f"size{n}": 2 * n for n in range(2, 9)} | {"min": min, "max": max}


def _assert_holds(ours: Any, theirs: Any, call: str) -> None:
    if isinstance(ours, Tensor):
        if ours.shape is not None:
            found = [eval(to_text(size), dict(_LARGER)) for size in ours.shape]
            assert found == list(theirs.shape), f"{call}: {ours}"
    elif isinstance(ours, tuple) and len(ours) == len(theirs):
        for our, their in zip(ours, theirs):
            _assert_holds(our, their, call)
    elif not isinstance(ours, tuple):
        assert eval(to_text(ours), dict(_LARGER)) == theirs, call


# Wrong calls


@pytest.mark.parametrize("name", REFUSED)
def test_wrong_calls_are_refused(name: str) -> None:
    for call in REFUSED[name]:
        with pytest.raises((RuntimeError, ValueError, TypeError, IndexError)):
            computed(call)
        with pytest.raises(Fault) as error:
            inferred(call)
        assert "unexpected" not in error.value.message, call
        assert "positional argument" not in error.value.message, call


_MESSAGES = {
    "x.sum(3)": "Tensor.sum: there is no dimension 3 in a tensor of 3 dimensions",
    "x.view(5, -1)": "Tensor.view: the 24 elements of (2, 3, 4) do not divide by 5",
    "torch.cat([x, b], 0)": "torch.cat: the shapes (2, 3, 4) and (2, 4, 5) differ in more than dimension 0",
    "x @ m": "the shapes (2, 3, 4) and (3, 4) do not go together in a matrix product",
    "i.mean()": "Tensor.mean: a mean is taken of floats, not of int64",
    "x.sum(1, True, torch.float32)": "Tensor.sum takes at most 3 arguments without their names, not 4",
    "torch.stack([x, m])": "torch.stack: the shapes (2, 3, 4) and (3, 4) differ",
    "x.reshap(2)": "Tensor.reshap is not in nngen's catalog",
    "torch.linalg.nrm(x)": "torch.linalg.nrm is not in nngen's catalog",
    "torch.einsum('ij,jk', x, n)": "torch.einsum: 'ij' is for 2 dimensions, not for (2, 3, 4)",
    "F.scaled_dot_product_attention(q, q, q, dropout_p=0.1)": (
        "F.scaled_dot_product_attention: a dropout_p of 0.1 drops in eval mode too"
    ),
    "x.split(torch.ones(2))": "split_size of Tensor.split cannot be a tensor (2,)",
    "x.view(2, '3')": "size of Tensor.view cannot be [2, '3']",
    "x.unbind(0).values": "only tensors, torch and F have attributes here, so there is no 'values'",
    "torch.finfo(torch.int64)": "torch.finfo takes a dtype of floats",
}


@pytest.mark.parametrize("call", _MESSAGES)
def test_messages(call: str) -> None:
    with pytest.raises(Fault) as error:
        inferred(call)
    assert error.value.message == _MESSAGES[call]


# A method has the rule of its function, so one of the two is enough.
_ONCE = {name.replace("Tensor.", "torch."): name for name in reversed(list(CALLED))}.values()


@pytest.mark.parametrize("dtype", ["bool", "int64", "float16", "complex64"])
@pytest.mark.parametrize("name", _ONCE)
def test_other_dtypes_agree_with_torch(name: str, dtype: str) -> None:
    """With an input of another dtype nothing is taken that torch refuses; where both take it, they agree."""
    later = came_later(FUNCTIONS[name].since.dtypes.get(dtype, ""))
    refused = False
    for call in CALLED[name]:
        given = next((word for word in re.findall(r"\b[a-z]+\b", call) if word in INPUTS), "")
        if not given:
            continue
        changed = re.sub(rf"\b{given}\b(?![=(])", f"{given}.to(torch.{dtype})", call, count=1)
        try:
            theirs = computed(changed)
        except (RuntimeError, ValueError, TypeError, IndexError):
            refused = True
            if not later:
                with pytest.raises(Fault):
                    inferred(changed)
            continue
        try:
            ours = inferred(changed)
        except Fault:
            continue  # nngen may be stricter
        assert_agree(ours, theirs, changed)
    assert refused or not later


# What must never be reachable

FORBIDDEN = (
    "torch.load torch.save torch.ops torch.hub torch.utils torch.jit torch.compile torch.library torch.classes "
    "torch.from_numpy torch.from_file torch.frombuffer torch.set_default_dtype torch.manual_seed torch.seed "
    "torch.no_grad torch.autograd torch.nn torch.cuda torch.distributed torch.multiprocessing torch.package "
    "torch.os torch.sys torch.builtins torch.serialization torch.storage torch.empty torch.empty_like torch.Tensor "
    "torch.device torch.is_tensor torch.set_grad_enabled torch.typename torch.vmap torch.func torch.export "
    "Tensor.numpy Tensor.data Tensor.grad Tensor.grad_fn Tensor.apply_ Tensor.map_ Tensor.map2_ Tensor.register_hook "
    "Tensor.register_post_accumulate_grad_hook Tensor.backward Tensor.requires_grad_ Tensor.requires_grad "
    "Tensor.retain_grad Tensor.detach_ Tensor.storage Tensor.untyped_storage Tensor.data_ptr Tensor.set_ "
    "Tensor.share_memory_ Tensor.resize_ Tensor.tolist Tensor.item Tensor.cuda Tensor.cpu Tensor.to_dense "
    "Tensor.new Tensor.new_empty Tensor.as_subclass Tensor.dtype.name Tensor.shape.numel Tensor.device.type "
    "Tensor.volatile Tensor.names Tensor.is_cuda Tensor.pin_memory Tensor.record_stream Tensor.module_load "
    "F.torch F.math F.importlib F.warnings F.handle_torch_function F.has_torch_function F.boolean_dispatch F.np "
    "torch.linalg.torch torch.fft.sys torch.linalg.os"
)


@pytest.mark.parametrize("name", FORBIDDEN.split())
def test_what_leaks_or_runs_is_refused(name: str) -> None:
    with pytest.raises(Fault):
        inferred(name.replace("Tensor.", "x."))


def test_nothing_in_place_is_in_the_catalog() -> None:
    assert not [name for name in FUNCTIONS if name.endswith("_")]
    names = [name for name in dir(torch.Tensor) if name.endswith("_") and name[0] != "_"]
    assert len(names) > 100
    for name in names:
        with pytest.raises(Fault):
            inferred(f"x.{name}")


def test_a_method_in_place_is_named_without() -> None:
    with pytest.raises(Fault) as error:
        inferred("x.add_(1)")
    assert error.value.hint.endswith("use 'add'")


def test_private_attributes_are_no_expression() -> None:
    for text in ("h.__class__", "torch._C", "h._base", "torch.__builtins__"):
        with pytest.raises(SpecError, match="private"):
            nngen.load(
                {"name": "M", "input": [3, 4], "layers": [{"Linear as h": 4}, f"y = {text}"]}
            )


# Signatures; the first one of each entry is compared in test_catalog

_NOT_DESCRIBED = {
    *("out", "layout", "pin_memory", "names", "memory_format", "generator", "implicit"),
}


@pytest.mark.parametrize("name", [name for name, entry in FUNCTIONS.items() if entry.also])
def test_further_signatures_are_torchs(name: str) -> None:
    schemas = torch._C._jit_get_schemas_for_operator(f"aten::{name.rpartition('.')[2]}")
    for signature in FUNCTIONS[name].signatures:
        assert any(_fits(signature, schema) for schema in schemas), signature.names


def _fits(ours: Signature, schema: Any) -> bool:
    theirs = [argument for argument in schema.arguments if argument.name not in _NOT_DESCRIBED]
    if list(ours.names) != [argument.name.replace("self", "input") for argument in theirs]:
        return False
    return all(
        argument.keyword == their.kwarg_only and _same_default(argument.default, their)
        for argument, their in zip(ours, theirs)
    )


def _same_default(ours: Any, their: Any) -> bool:
    if ours is REQUIRED or not their.has_default_value() or their.name == "dtype":
        return True  # a schema has numbers for dtypes
    return (
        list(ours) == list(their.default_value)
        if isinstance(ours, tuple)
        else ours == their.default_value
    )


# Attributes and values that are no tensors

_ATTRIBUTES = [
    *("x.shape", "x.shape[1]", "x.shape[:-1]", "x.shape[-1] * 2", "x.ndim", "m.T", "v.T", "x.mT"),
    *(
        "z.real",
        "z.imag",
        "x.real",
        "-torch.inf",
        "torch.pi",
        "x.size(0) + x.size(1)",
        "x.max(1).values",
    ),
    *("x.sort(-1).indices", "x.topk(2).values", "x.aminmax().max", "x.median(1).indices"),
    *(
        "x * (x.shape[-1] ** -0.5)",
        "x.new_zeros(x.shape[0], x.size(1))",
        "x.view(x.size(0), -1)[0]",
    ),
    *(
        "torch.zeros(x.shape[:2], dtype=x.dtype, device=x.device)",
        "torch.full((2,), torch.finfo(x.dtype).min)",
    ),
    *(
        "x.masked_fill(k, torch.finfo(x.dtype).min)",
        "x.masked_fill(k, -torch.inf)",
        "x.unbind(0)[0]",
    ),
    *(
        "x + torch.arange(x.shape[-1], device=x.device)",
        "x.to(torch.finfo(x.dtype).eps > 0 and x.dtype)",
    ),
    *(
        "torch.stack([*x.unbind(0), *y])",
        "torch.cat([*x.chunk(2, 2)], dim=1)",
        "(x > 0).sum() + (i == 1).float().mean()",
    ),
]


@pytest.mark.parametrize("call", _ATTRIBUTES)
def test_attributes_and_numbers(call: str) -> None:
    ours, theirs = inferred(call), computed(call)
    if isinstance(ours, float):
        assert isinstance(theirs, float)
        return
    assert_agree(ours, theirs, call)
