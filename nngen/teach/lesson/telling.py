"""What is said about one place of a spec."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from nngen.language.spec import LineStep
from nngen.teach.lesson import lines, sentences
from nngen.teach.lesson.modules import Modules
from nngen.teach.lesson.steps import Place
from nngen.teach.lesson.words import in_each, say
from nngen.teach.pitfalls import Pitfall, about

# What the parts of a spec are that are no steps, by their key.
PARTS = {
    "args": "An argument of the constructor, the same in both files.",
    "let": "A size that the constructor computes once, in both files.",
    "input": "An argument of `forward`, the same in both files.",
    "inputs": "An argument of `forward`, the same in both files.",
    "outputs": "What `forward` returns, in both files the same expression.",
    "init": "Parameters that are re-initialized, in both files by the same initialiser in the same order: one seed gives the same numbers.",
    "tie": "Two names for one parameter: it gets the gradients of both.",
    "loss": "The loss, of steps of its own: a method in both files.",
}


class Teller:
    """Puts into words what a place of the spec is."""

    def __init__(self, place: Place, modules: Modules) -> None:
        self.place = place
        self.module = modules.built.get(place.number)
        self.called = modules.called.get(place.number, ())
        self.line = place.step.line if isinstance(place.step, LineStep) else None
        self.kind = self.module.kind if self.module else getattr(place.step, "kind", "")

    def what(self) -> Markup:
        line = self.line
        if line is not None:
            return in_each(lambda language: sentences.what_line(line, language))
        if self.place.step is None:
            key = self.place.path.removeprefix(f"blocks.{self.place.block}").strip(".")
            part = key.partition(".")[0].partition("[")[0]
            return say(PARTS[part]) if part in PARTS else self._kind(self.place.block)
        return self._kind(self.kind)

    def _kind(self, kind: str) -> Markup:
        return in_each(lambda language: sentences.what(kind, language))

    def owner(self, style: str) -> Markup:
        """Who owns the parameters in a style; empty where there is nothing to say."""
        if self.place.step is None:
            return Markup()
        return in_each(lambda language: self._ownership(language).get(style, ""))

    def _ownership(self, language: str) -> sentences.Ownership:
        if self.module is not None:
            return sentences.where(self.module, language)
        return sentences.where_line(self.called, language)

    def why(self) -> Markup:
        if self.place.step is None:
            return Markup()
        kind = "" if self.line is not None else self.kind
        return in_each(lambda language: sentences.why_equal(kind, language))

    def docs(self) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for name in self._names():
            found.update(sentences.docs_links(name))
        return found

    def pitfalls(self) -> Sequence[Pitfall]:
        found = {each.name: each for name in self._names() for each in about(name)}
        return tuple(found.values())

    def _names(self) -> list[str]:
        """What of torch the place names, as the catalog spells it."""
        if self.line is None:
            return [self.kind] if self.kind else []
        calls = (node for node in ast.walk(self.line.value.tree) if isinstance(node, ast.Call))
        names = (lines.called(call) for call in calls)
        return [name for name in dict.fromkeys(names) if "." in name]
