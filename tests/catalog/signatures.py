"""The signatures of torch's layers and functions, as the installed torch has them."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

NOT_DESCRIBED = {
    *("self", "device", "dtype", "size_average", "reduce", "min_value", "max_value"),
    *("out", "layout", "pin_memory", "memory_format", "generator"),
}


def torch_signature(name: str) -> inspect.Signature:
    """What torch documents as the constructor of a layer; of recurrent layers the first overload."""
    found = inspect.signature(getattr(nn, name))
    kinds = {parameter.kind for parameter in found.parameters.values()}
    if inspect.Parameter.VAR_POSITIONAL not in kinds or "__init__" not in vars(getattr(nn, name)):
        return found
    tree = ast.parse(textwrap.dedent(inspect.getsource(getattr(nn, name))))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            scope: dict[str, Any] = {}
            node.decorator_list, node.body = [], [ast.Pass()]
            future = ast.parse("from __future__ import annotations").body
            code = ast.fix_missing_locations(ast.Module([*future, node], []))
            exec(compile(code, "<overload>", "exec"), scope)  # noqa: S102
            return inspect.signature(scope["__init__"])
    raise LookupError(name)


def described(signature: inspect.Signature) -> dict[str, inspect.Parameter]:
    """The arguments of torch's that an entry has to have."""
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return {
        name: parameter
        for name, parameter in signature.parameters.items()
        if parameter.kind not in variadic and name not in NOT_DESCRIBED and not name.startswith("_")
    }


@dataclass(frozen=True)
class Form:
    """One form of a function of torch: its arguments with their defaults, `...` where one is required."""

    defaults: Mapping[str, Any]
    takes_anything: bool = False

    def has(self, name: str, default: Any) -> bool:
        """Whether this is the argument's default; 1 and 1.0 are one, True is another."""
        own = self.defaults[name]
        return bool(own == default) and isinstance(own, bool) == isinstance(default, bool)


# Methods and functions that are bound by hand, so that neither Python nor a schema tells their arguments.
_BY_HAND = "float double half bfloat16 long int bool type ndimension nonzero"
UNDESCRIBED = {f"Tensor.{name}" for name in _BY_HAND.split()} | {"torch.tensor", "torch.nonzero"}


def forms(name: str) -> list[Form]:
    """The forms of a function: its Python signature, or a builtin's operator schemas."""
    space, *path = name.split(".")
    function: Any = {
        "torch": torch,
        "F": torch.nn.functional,
        "Tensor": Tensor,
        "nn": torch.nn,
    }[space]
    for word in path:
        function = getattr(function, word)
    if getattr(function, "__qualname__", "").startswith("boolean_dispatch"):
        function = inspect.getclosurevars(function).nonlocals["if_false"]
    if inspect.isfunction(function):
        return [_python_form(inspect.signature(function))]
    operator = function.__name__
    schemas = torch._C._jit_get_schemas_for_operator(f"aten::{operator}")
    found = [_schema_form(schema, method=space == "Tensor") for schema in schemas]
    return [form for form in found if "a" not in form.defaults]  # those are of plain numbers


def _python_form(signature: inspect.Signature) -> Form:
    kinds = {parameter.kind for parameter in signature.parameters.values()}
    given = {
        "input" if name == "self" else name: (
            ... if parameter.default is inspect.Parameter.empty else parameter.default
        )
        for name, parameter in signature.parameters.items()
        if name == "self" or name in described(signature)
    }
    return Form(given, inspect.Parameter.VAR_POSITIONAL in kinds)


def _schema_form(schema: Any, method: bool) -> Form:
    """A method's tensor stands first, wherever the operator has it."""
    first = {"input": ...} if method else {}
    return Form(
        first
        | {
            "input" if argument.name == "self" else argument.name: (
                _schema_default(argument.default_value) if argument.has_default_value() else ...
            )
            for argument in schema.arguments
            if argument.name == "self" or argument.name not in NOT_DESCRIBED
        }
    )


def _schema_default(value: Any) -> Any:
    """A default as Python's documentation has it: one number for the same in each dimension."""
    if isinstance(value, list):
        return value[0] if value and len(set(value)) == 1 else tuple(value) or None
    return value
