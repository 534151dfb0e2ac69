"""A model in memory, in all styles: the generated source made into modules. Running them needs torch."""

from __future__ import annotations

import itertools
import linecache
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import yaml

from nngen.emit.model import Graph
from nngen.emit.needs import refuse_older
from nngen.emit.source_map import SourceMap
from nngen.emit.styles import STYLES, named
from nngen.errors import SpecError
from nngen.files.writer import seal
from nngen.graph import read_spec
from nngen.graph.tensor_spec import Fed
from nngen.language import document
from nngen.language import spec as specs
from nngen.language.document import Node
from nngen.language.styles import TWINS
from nngen.packages import import_torch
from nngen.pipeline import Compilation
from nngen.proof.subject import Rename, Subject, Written

_NUMBER = itertools.count()


@dataclass(frozen=True, repr=False)
class Pair:
    """A spec in all styles, whichever of them it has built: `pair.nn_style` is the module of a package.

    Attributes:
        styles: the modules, by the names of the styles.
        to_functional, to_nn: rename the keys of a state_dict.
        source_map: which step of the spec made which line of them.
        text: the spec, as YAML.
        document: its tree.
        spec: as it was read, with the values that its checks use.
        face: gives the HTML that a notebook shows, if it shows any.
    """

    styles: Mapping[str, ModuleType]
    to_functional: Rename
    to_nn: Rename
    source_map: SourceMap
    text: str
    document: Node
    spec: specs.Spec
    face: Callable[[Pair], str] | None = None

    @property
    def nn_style(self) -> ModuleType:
        """The module with the model in torch.nn style."""
        return self.styles["nn"]

    @property
    def functional_style(self) -> ModuleType:
        """The module with the model in functional style."""
        return self.styles["functional"]

    if not TYPE_CHECKING:  # it would make every name right

        def __getattr__(self, name: str) -> ModuleType:
            """A further style, by the name of its module."""
            for module in self.__dict__.get("styles", {}).values():
                if module.__name__.rpartition(".")[2] == name:
                    return module
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def graph(self) -> Graph:
        """The model that all were written from."""
        return self.source_map.graph

    def __repr__(self) -> str:
        return f"<the twins of {self.graph.model.name}, from {self.graph.source}>"

    def _repr_html_(self) -> str | None:
        """What a notebook shows."""
        return self.face(self) if self.face else None

    def subject(self, styles: Sequence[str] = ()) -> Subject:
        """The model in several styles, and what verification feeds them.

        Args:
            styles: their names, nn first; by default the twins and those that the spec names.
        """
        graph, files = self.graph, self.source_map.in_styles()

        def again(values: Mapping[str, Any]) -> Fed:
            # A text among a spec's values is an expression.
            texts = {name: repr(value) for name, value in values.items() if isinstance(value, str)}
            other = Compilation(specs.with_values(self.spec, {**values, **texts})).graph
            return Fed(other.inputs, other.targets, other.arguments, other.sizes)

        forms = {form.style: form for form in graph.forms}
        renaming = {"functional": (self.to_functional, self.to_nn)}
        return Subject(
            graph.model.name,
            tuple(
                Written(
                    name,
                    self.styles[name],
                    *renaming.get(name, (dict, dict)),
                    # The line that seals a file, its first, is no step's.
                    (None, *files[name].lines),
                    tuple(part.below(1) for part in files[name].parts),
                    forms[name].owns_state,
                )
                for name in styles or dict.fromkeys((*TWINS, *self.spec.styles))
            ),
            graph.inputs,
            graph.targets,
            graph.arguments,
            graph.sizes,
            graph.modules,
            self.document,
            again,
        )


def load(
    spec: str | Path | Mapping[str, Any],
    values: Mapping[str, Any] | None = None,
    gradients: bool = False,
    face: Callable[[Pair], str] | None = None,
) -> Pair:
    """Build a model in memory, in all styles, from a path, a YAML text or a dict.

    Args:
        spec: the model.
        values: what its checks use for constructor arguments and open sizes.
        gradients: they are to be differentiated; older versions of torch cannot do that with all layers.
        face: gives the HTML that a notebook shows of the pair.

    Raises:
        SpecError: the spec is wrong, or uses what this version of torch lacks.
        FileError: the file cannot be read.
    """
    text, node, file = _read(spec)
    given = specs.with_values(read_spec(node, file), values or {})
    try:
        source_map = Compilation(given, styles=STYLES).source_map
    except SpecError:
        # What only a style that nobody asked for cannot say is no mistake.
        asked = tuple(dict.fromkeys((*TWINS, *given.styles)))
        source_map = Compilation(given, styles=named(asked)).source_map
    texts = {name: file.text for name, file in source_map.files.items()}
    name = source_map.graph.model.name.lower()
    refuse_older(source_map.graph, import_torch(), gradients)
    package = _package(texts, f"nngen_loaded_{next(_NUMBER)}_{name}")
    forms = source_map.graph.forms
    return Pair(
        {form.style: getattr(package, form.module) for form in forms},
        package.to_functional,
        package.to_nn,
        source_map,
        text,
        node,
        given,
        face,
    )


def _read(spec: str | Path | Mapping[str, Any]) -> tuple[str, Node, str]:
    """A spec's text, its tree, and what the code calls it; a dict's text is what YAML has for it."""
    if isinstance(spec, Mapping):
        node = document.of(spec)
        return yaml.safe_dump(_plain(spec), sort_keys=False, allow_unicode=True), node, "a dict"
    if isinstance(spec, str) and "\n" in spec:
        return spec, document.parse(spec, "<text>"), "a text"
    if not isinstance(spec, (str, os.PathLike)):
        kind = type(spec).__name__
        raise TypeError(f"a spec is a path, a YAML text or a dict, not a value of type {kind}")
    path = Path(spec)
    data = document.read_bytes(path)
    return data.decode(), document.decode(data, path), path.name


def _plain(value: Any) -> Any:
    """Tuples as lists, and any mapping as a dict."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def _package(files: Mapping[str, str], name: str) -> Any:
    """The bodies of files as an imported package; registered, so that its classes pickle and export.

    Lines count as in the files that a build writes.
    """
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
        text = seal(files[file])
        linecache.cache[module.__file__] = (
            len(text),
            None,
            text.splitlines(True),
            module.__file__,
        )
        # Runs what nngen itself wrote: no text of a spec reaches it but as names, literals and checked trees.
        exec(compile(text, module.__file__, "exec"), module.__dict__)  # noqa: S102
    return package
