"""Follows the forward of one class with torch.fx: its children are leaves, and each node knows its line of the source."""

from __future__ import annotations

import inspect
import sys
from typing import Any
from unittest import mock

import torch
from torch import Tensor, fx, nn

from nngen.importer.capture import Call
from nngen.importer.refusal import ImportRefused, class_at, place_of, raised_at

LINE = "nngen line"


class Tracer(fx.Tracer):
    """Traces one module as it was called.

    Args:
        call: the call.
    """

    proxy_buffer_attributes = True

    def __init__(self, call: Call) -> None:
        super().__init__()
        self.call = call

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return True

    def create_args_for_root(self, root_fn: Any, is_module: bool, concrete_args: Any = None) -> Any:
        """A proxy for each tensor that the module was given; all else as it was given."""
        signature = inspect.signature(root_fn)
        bound = signature.bind(self.root, *self.call.args, **self.call.keywords)
        given = list(bound.arguments.items())[1:]
        proxies: dict[str, Any] = {}
        for name, value in given:
            kind = signature.parameters[name].kind
            if kind in (kind.VAR_POSITIONAL, kind.VAR_KEYWORD):
                if value:
                    raise ImportRefused(
                        f"forward takes {name} as *args or **kwargs, which a spec cannot say",
                        class_at(type(self.root)),
                        "write out what it takes",
                    )
                continue
            proxies[name] = self._proxy(name, value)
        return (lambda root: root_fn(root, **proxies)), [self.root]

    def _proxy(self, name: str, value: Any) -> Any:
        if isinstance(value, Tensor):
            return self.create_proxy("placeholder", name, (), {})
        if isinstance(value, (tuple, list)) and any(isinstance(each, Tensor) for each in value):
            raise ImportRefused(
                f"forward is given several tensors as one argument, {name}",
                class_at(type(self.root)),
                "give each of them a name of its own",
            )
        return value

    def create_proxy(self, *args: Any, **keywords: Any) -> Any:
        proxy = super().create_proxy(*args, **keywords)
        proxy.node.meta[LINE] = place_of(sys._getframe())
        return proxy


def traced(module: nn.Module, call: Call, training: bool) -> fx.Graph:
    """What a module's forward does.

    Raises:
        ImportRefused: it does what depends on the values, or what no trace shows.
    """
    module.train(training)
    try:
        with mock.patch.object(torch.autograd.Function, "apply", _refuse_function):
            graph = Tracer(call).trace(module)
    except ImportRefused:
        raise
    except Exception as error:
        raise _refusal(error) from error
    _refuse_in_place(graph)
    for node in reversed(graph.nodes):
        if not node.users and node.op in ("call_function", "call_method", "get_attr"):
            graph.erase_node(node)
    return graph


def _refusal(error: Exception) -> ImportRefused:
    where, text = raised_at(error), str(error)
    if "control flow" in text:
        return ImportRefused(
            "which way this goes depends on the values or the sizes of a tensor",
            where,
            "ask an argument of the constructor instead, or torch.where",
        )
    if "is not installed as a submodule" in text:
        return ImportRefused(
            "this layer is not registered: it is built in forward, or stands in a Python list",
            where,
            "make it in __init__, in an nn.ModuleList if there are several",
        )
    if "interpreted as an integer" in text or "Proxy object cannot be iterated" in text:
        return ImportRefused(
            "this goes over the sizes or the items of a tensor, which would be frozen at those of the example",
            where,
            "write it with torch's own functions",
        )
    return ImportRefused(f"this cannot be followed: {type(error).__name__}: {text}", where)


def _refuse_function(*_: Any) -> None:
    raise ImportRefused(
        "a custom autograd.Function has no form in a spec",
        place_of(sys._getframe()),
        "write it with torch's own functions, whose gradients torch knows",
    )


def _refuse_in_place(graph: fx.Graph) -> None:
    for node in graph.nodes:
        name = node.target if node.op == "call_method" else getattr(node.target, "__name__", "")
        is_in_place = isinstance(name, str) and name.endswith("_") and not name.endswith("__")
        if node.op in ("call_method", "call_function") and (is_in_place or name == "setitem"):
            raise ImportRefused(
                f"{name} changes a tensor in place",
                node.meta.get(LINE, ""),
                f"use {name.rstrip('_')}, which gives a new one" if is_in_place else "",
            )
