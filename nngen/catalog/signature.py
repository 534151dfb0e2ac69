"""Signatures, spelled as Python spells them, with kinds for annotations."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from nngen.catalog.argument_types import Kind, kind
from nngen.errors import Fault, Missing, did_you_mean


class _Required:
    def __repr__(self) -> str:
        return "required"


REQUIRED: Any = _Required()


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a layer or function.

    Attributes:
        default: torch's default, or REQUIRED.
        positional: written without its name; in a layer, the sizes in and out.
        variadic: takes all remaining positional values (`*size`).
        keyword: given by its name only.
    """

    name: str
    kind: Kind
    default: Any = REQUIRED
    positional: bool = False
    variadic: bool = False
    keyword: bool = False


@dataclass(frozen=True, slots=True)
class Signature:
    """The arguments of a layer or function, in torch's order."""

    arguments: tuple[Argument, ...]

    def __iter__(self) -> Any:
        return iter(self.arguments)

    def __getitem__(self, name: str) -> Argument:
        return next(argument for argument in self.arguments if argument.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(argument.name for argument in self.arguments)

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(argument.name for argument in self.arguments if argument.default is REQUIRED)

    def bind(
        self, function: str, positional: tuple[Any, ...], keywords: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The values of all arguments, checked, defaults filled in.

        Raises:
            Fault: an argument is unknown, given twice, missing, or of a wrong kind.
        """
        given: dict[str, Any] = {}
        rest = list(positional)
        for argument in self.arguments:
            if argument.variadic and rest:
                given[argument.name] = tuple(rest)
                rest.clear()
            elif rest and not argument.keyword:
                given[argument.name] = rest.pop(0)
        if rest:
            raise self._too_many(function, positional)
        for name, value in keywords.items():
            if name not in self.names:
                raise Fault(
                    f"{function} has no argument {name!r}",
                    did_you_mean(name, self.names),
                )
            if name in given:
                raise Fault(f"{function} is given {name!r} twice")
            given[name] = value
        missing = [name for name in self.required if name not in given]
        if missing:
            raise self.missing(function, missing)
        values = {}
        for argument in self.arguments:
            value = given.get(argument.name, argument.default)
            if argument.name in given:
                value = checked(argument, function, value)
            values[argument.name] = value
        return values

    def missing(self, owner: str, names: Sequence[str]) -> Missing:
        """What is said of arguments that are missing."""
        hint = f"it takes {self[names[0]].kind.description}" if len(names) == 1 else ""
        return Missing(owner, names, hint)

    def _too_many(self, function: str, given: tuple[Any, ...]) -> Fault:
        unnamed = [argument.name for argument in self.arguments if not argument.keyword]
        after = [argument.name for argument in self.arguments if argument.keyword]
        count = len(unnamed)
        noun = "argument" if count == 1 else "arguments"
        return Fault(
            f"{function} takes at most {count} {noun} without their names, not {len(given)}",
            f"give {', '.join(after)} by name" if after else "",
        )


def checked(argument: Argument, owner: str, value: Any) -> Any:
    """The value in the form that the argument's kind gives it.

    Raises:
        Fault: it is of another kind.
    """
    try:
        return argument.kind(value)
    except Fault as fault:
        raise Fault(f"{argument.name} of {owner} {fault.message}", fault.hint) from None


@cache
def signature(text: str) -> Signature:
    """The signature that `text` spells as Python would: `a: size, /, b: bool = True`."""
    parsed = ast.parse(f"def f({text}): ...").body[0]
    assert isinstance(parsed, ast.FunctionDef)
    spec = parsed.args
    positional = [*spec.posonlyargs, *spec.args]
    defaults = [REQUIRED] * (len(positional) - len(spec.defaults)) + [
        _default(d) for d in spec.defaults
    ]
    arguments = [
        Argument(arg.arg, _kind_of(arg), default, arg in spec.posonlyargs)
        for arg, default in zip(positional, defaults)
    ]
    if spec.vararg is not None:
        arguments.append(
            Argument(
                spec.vararg.arg,
                kind(f"list[{_annotation(spec.vararg)}]"),
                variadic=True,
            )
        )
    arguments += [
        Argument(
            arg.arg,
            _kind_of(arg),
            REQUIRED if default is None else _default(default),
            keyword=True,
        )
        for arg, default in zip(spec.kwonlyargs, spec.kw_defaults)
    ]
    return Signature(tuple(arguments))


def _default(node: ast.expr) -> Any:
    return ast.literal_eval(node)


def _kind_of(argument: ast.arg) -> Kind:
    return kind(_annotation(argument))


def _annotation(argument: ast.arg) -> str:
    return "any" if argument.annotation is None else ast.unparse(argument.annotation)
