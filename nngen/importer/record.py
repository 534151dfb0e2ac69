"""Builds a model, and keeps what each layer of torch.nn was made from: the arguments as the code gives them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from torch import nn

from nngen.catalog import LAYERS
from nngen.importer.refusal import ImportRefused, class_at, raised_at

Arguments = Mapping[str, Any]


class Recorded:
    """A model, and the constructor's arguments of its layers.

    Attributes:
        model: the module.
        given: what each layer was made from, where that was seen.
    """

    def __init__(self, make: nn.Module | Callable[[], nn.Module]) -> None:
        self.given: WeakKeyDictionary[nn.Module, Arguments] = WeakKeyDictionary()
        if isinstance(make, nn.Module):
            self.model = make
            return
        with self._watching():
            try:
                self.model = make()
            except Exception as error:
                raise ImportRefused(
                    f"the model cannot be made: {type(error).__name__}: {error}",
                    raised_at(error),
                    "give its constructor's arguments with --arg NAME=VALUE",
                ) from error
        if not isinstance(self.model, nn.Module):
            raise ImportRefused(f"that makes a {type(self.model).__name__}, not an nn.Module")

    @contextmanager
    def _watching(self) -> Iterator[None]:
        kinds = [getattr(nn, name) for name in LAYERS if hasattr(nn, name)]
        own = {kind: kind.__init__ for kind in kinds if "__init__" in vars(kind)}
        for kind, init in own.items():
            kind.__init__ = self._recording(kind, init)
        try:
            yield
        finally:
            for kind, init in own.items():
                kind.__init__ = init

    def _recording(self, kind: type, init: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(init)
        # Recurrent layers take *args, and keep as attributes what they were given.
        is_open = any(each.kind is each.VAR_POSITIONAL for each in signature.parameters.values())

        @functools.wraps(init)
        def wrapped(module: nn.Module, *args: Any, **keywords: Any) -> None:
            init(module, *args, **keywords)
            if type(module) is kind and not is_open:
                bound = signature.bind(module, *args, **keywords)
                self.given[module] = dict(list(bound.arguments.items())[1:])

        return wrapped

    def arguments(self, module: nn.Module) -> dict[str, Any]:
        """A layer's arguments but for those that its input decides.

        Raises:
            ImportRefused: they cannot be found out.
        """
        entry = LAYERS[type(module).__name__]
        seen = self.given.get(module)
        found: dict[str, Any] = {}
        for argument in entry.signature:
            if argument.name in entry.infer:
                continue
            if seen is not None:
                value = seen.get(argument.name, argument.default)
            else:
                value = _attribute(module, argument.name)
                # A kernel of (3, 3) was 3 in all likelihood, and is the same.
                if isinstance(value, tuple) and len(set(value)) == 1 < len(value):
                    value = value[0]
            found[argument.name] = list(value) if isinstance(value, tuple) else value
        return found


def _attribute(module: nn.Module, name: str) -> Any:
    if name == "bias" and not isinstance(getattr(module, "bias", None), bool):
        holder = "in_proj_bias" if hasattr(module, "in_proj_bias") else "bias"
        return getattr(module, holder, None) is not None
    if not hasattr(module, name):
        raise ImportRefused(
            f"what {type(module).__name__} was given as {name} is not to be found in it",
            class_at(type(module)),
            "give the class or a function that makes the model, not the model itself",
        )
    return getattr(module, name)
