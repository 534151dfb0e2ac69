"""Twins in memory: the generated source made into modules. Running them needs torch."""

from __future__ import annotations

import itertools
import linecache
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from nngen import document
from nngen import spec as specs
from nngen.graph import Graph
from nngen.sourcemap import SourceMap, trace
from nngen.subject import Origins, Subject

_NUMBER = itertools.count()


@dataclass(frozen=True)
class Pair:
    """The twins of one spec.

    Attributes:
        nn_style, functional_style: the modules, as a built package has them.
        to_functional, to_nn: rename the keys of a state_dict.
        source_map: which step of the spec made which line of them.
    """

    nn_style: ModuleType
    functional_style: ModuleType
    to_functional: Callable[[dict[str, Any]], dict[str, Any]]
    to_nn: Callable[[dict[str, Any]], dict[str, Any]]
    source_map: SourceMap

    @property
    def graph(self) -> Graph:
        """The model that both were written from."""
        return self.source_map.graph

    def subject(self) -> Subject:
        """The twins with what verification feeds them."""
        graph, files = self.graph, self.source_map.files
        return Subject(
            graph.model.name,
            self.nn_style,
            self.functional_style,
            self.to_functional,
            self.to_nn,
            graph.inputs,
            graph.targets,
            graph.arguments,
            graph.sizes,
            Origins(files["nn_style.py"].lines, files["functional_style.py"].lines, graph.modules),
        )


def load(spec: str | Path | Mapping[str, Any], values: Mapping[str, Any] | None = None) -> Pair:
    """Build a model in memory, from a path, a YAML text or a dict.

    Args:
        spec: the model.
        values: what its checks use for constructor arguments and open sizes.

    Raises:
        SpecError: the spec is wrong.
        FileError: the file cannot be read.
    """
    source_map = trace(specs.with_values(_read(spec), values or {}))
    texts = {name: file.text for name, file in source_map.files.items()}
    name = source_map.graph.model.name.lower()
    package = _package(texts, f"nngen_loaded_{next(_NUMBER)}_{name}")
    return Pair(
        package.nn_style,
        package.functional_style,
        package.to_functional,
        package.to_nn,
        source_map,
    )


def _read(spec: str | Path | Mapping[str, Any]) -> specs.Spec:
    if isinstance(spec, Mapping):
        return specs.from_node(document.of(spec), "a dict")
    if isinstance(spec, str) and "\n" in spec:
        return specs.from_node(document.parse(spec, "<text>"), "a text")
    return specs.read(Path(spec))


def _package(files: Mapping[str, str], name: str) -> Any:
    """The files as an imported package; registered, so that its classes pickle and export."""
    package = ModuleType(name)
    package.__path__ = []
    sys.modules[name] = package
    for file in sorted(files, reverse=True):
        module = (
            package if file == "__init__.py" else ModuleType(f"{name}.{file.removesuffix('.py')}")
        )
        if module is not package:
            sys.modules[module.__name__] = module
            setattr(package, file.removesuffix(".py"), module)
        module.__package__ = name
        module.__file__ = f"<{name}/{file}>"
        linecache.cache[module.__file__] = (
            len(files[file]),
            None,
            files[file].splitlines(True),
            module.__file__,
        )
        # Runs what nngen itself wrote: no text of a spec reaches it but as names, literals and checked trees.
        exec(compile(files[file], module.__file__, "exec"), module.__dict__)  # noqa: S102
    return package
