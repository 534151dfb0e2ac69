"""A folded model as the text of a spec."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from nngen.catalog import LAYERS
from nngen.importer.fold import Block, Blocks, Chain, Layer, Piece, Use
from nngen.importer.inputs import Input
from nngen.importer.modes import Code
from nngen.importer.sketch import LayerStep, LineStep, Sketch, StateStep
from nngen.language.formatting import formatted


class Writer:
    """Writes one spec.

    Args:
        state: how each parameter and buffer of a class's own is written, by its name: its shape, or its value.
    """

    def __init__(self, state: Mapping[str, str]) -> None:
        self.state = state

    def spec(
        self,
        name: str,
        inputs: Mapping[str, Input],
        blocks: Blocks,
        sketch: Sketch,
        pieces: Sequence[Piece],
    ) -> str:
        """The whole text, in form."""
        lines = [f"name: {name}", *_inputs(inputs)]
        if blocks.found:
            lines.append("blocks:")
            for block in blocks.found.values():
                lines += [f"  {line}" for line in self._block(block)]
        lines += self._body(sketch, iter(pieces), None)
        return formatted("\n".join(lines) + "\n", "the spec")

    def _block(self, block: Block) -> Iterator[str]:
        yield f"{block.name}:"
        if block.sketch is not None and block.sketch.inputs not in ([], ["x"]):
            yield f"  inputs: [{', '.join(block.sketch.inputs)}]"
        if block.arguments:
            texts = [
                f"{name}: {'required' if default is None else _scalar(default)}"
                for name, default, _ in block.arguments
            ]
            yield f"  args: {{{', '.join(texts)}}}"
        columns = iter(block.texts)
        pieces = iter(block.instances[0])
        if block.sketch is None:
            (chain,) = pieces
            assert isinstance(chain, Chain)
            yield "  Sequential:"
            for line in self._children(chain, columns):
                yield f"    {line}"
        else:
            for line in self._body(block.sketch, pieces, columns):
                yield f"  {line}"

    def _body(
        self, sketch: Sketch, pieces: Iterator[Piece], texts: Iterator[Any] | None
    ) -> Iterator[str]:
        yield "layers:"
        for step in sketch.steps:
            if isinstance(step, LineStep):
                yield f"  - {_plain(step.code)}"
            elif isinstance(step, StateStep):
                kind = "Parameter" if step.is_parameter else "Buffer"
                yield f"  - {kind} as {step.name}: {self.state[step.name]}"
            else:
                yield from (f"  {line}" for line in self._layer(step, next(pieces), texts))
        if isinstance(sketch.outputs, dict):
            pairs = ", ".join(f"{_plain(k)}: {v}" for k, v in sketch.outputs.items())
            yield f"outputs: {{{pairs}}}"
        elif isinstance(sketch.outputs, list):
            yield f"outputs: [{', '.join(sketch.outputs)}]"
        elif sketch.outputs:
            yield f"outputs: {sketch.outputs}"

    def _layer(self, step: LayerStep, piece: Piece, texts: Iterator[Any] | None) -> Iterator[str]:
        lines = list(self._piece(piece, step.target, texts))
        if step.call:
            lines.append(f"call: {_plain(step.call)}")
        elif step.sources is not None:
            one = len(step.sources) == 1
            sources = step.sources[0] if one else f"[{', '.join(step.sources)}]"
            lines.append(f"from: {sources}")
        yield from _item(lines)

    def _piece(self, piece: Piece, name: str | None, texts: Iterator[Any] | None) -> Iterator[str]:
        """The lines of a layer, a container or a use of a block, without what it is given."""
        called = f" as {name}" if name else ""
        if isinstance(piece, Chain):
            if piece.is_list:
                # All are written, as each takes its part of the texts.
                first, *_ = [list(self._piece(each, name, texts)) for each in piece.children]
                yield from first
                yield f"repeat: {len(piece.children)}"
                return
            yield f"Sequential{called}:" if piece.children else f"Sequential{called}: []"
            yield from (f"    {line}" for line in self._children(piece, texts))
            return
        if isinstance(piece, Use):
            kind, arguments = piece.block.name, piece.block.arguments
            required = [each for each, default, _ in arguments if default is None]
            shorthand = next(iter([*required, *(each for each, _, _ in arguments)]), None)
        else:
            kind, shorthand = piece.kind, LAYERS[piece.kind].shorthand
        given = self._given(piece, texts)
        if not given:
            yield f"{kind}{called}:"
        elif list(given) == [shorthand] and {"true", "false"}.isdisjoint(given.values()):
            yield f"{kind}{called}: {next(iter(given.values()))}"
        else:
            inside = ", ".join(f"{key}: {text}" for key, text in given.items())
            yield f"{kind}{called}: {{{inside}}}"

    def _given(self, piece: Layer | Use, texts: Iterator[Any] | None) -> dict[str, str]:
        """The arguments that are not defaults, as they are written."""
        found: dict[str, str] = {}
        numbers = {}
        for name, value, default in piece.slots():
            numbers[name] = (value if texts is None else next(texts), default)
        if isinstance(piece, Use):
            order = [name for name, _, _ in piece.block.arguments]
            others: Mapping[str, Any] = {}
            defaults: Mapping[str, Any] = {}
        else:
            order, others = list(piece.arguments), piece.arguments
            defaults = {each.name: each.default for each in LAYERS[piece.kind].signature}
        for name in order:
            value, default = numbers[name] if name in numbers else (others[name], defaults[name])
            if isinstance(value, Code):
                found[name] = _plain(value.text, flow=True)
            elif type(value) is not type(default) or value != default:
                found[name] = _scalar(value)
        return found

    def _children(self, chain: Chain, texts: Iterator[Any] | None) -> Iterator[str]:
        counted = list(map(_counted, chain.names))
        written = [
            list(self._piece(child, stem, texts))
            for (stem, _), child in zip(counted, chain.children)
        ]
        place = 0
        while place < len(written):
            lines, number = written[place], 1
            while (
                written[place + number : place + number + 1] == [lines]
                and isinstance(chain.children[place], (Use, Chain))
                and counted[place + number] == _next(counted[place], number)
            ):
                number += 1
            if number == 1:
                name = chain.names[place]
                first = lines[0].replace(f" as {counted[place][0]}", f" as {name}", 1)
                yield from _item([first, *lines[1:]])
            else:
                yield from _item([*lines, f"repeat: {number}"])
            place += number


def _counted(name: str | None) -> tuple[str | None, int]:
    """A name that ends in a number as what copies of a step are called, and the number."""
    found = re.fullmatch(r"(.*?)([0-9]+)", name or "")
    return (name, -1) if found is None else (f"{found[1]}${{i}}", int(found[2]))


def _next(counted: tuple[str | None, int], number: int) -> tuple[str | None, int]:
    """The name of the copy that comes so many after the first, whose number is 0."""
    stem, first = counted
    if stem is None:
        return counted
    return (stem, number) if first == 0 else (None, -1)


def _item(lines: Sequence[str]) -> Iterator[str]:
    """The lines of a step as an item of a list."""
    first = lines[0].removesuffix(":") if len(lines) == 1 else lines[0]
    yield f"- {first}"
    yield from (f"  {line}" for line in lines[1:])


def _inputs(inputs: Mapping[str, Input]) -> Iterator[str]:
    only, *others = inputs
    first = inputs[only]
    if not others and only == "x" and first.dtype == "float32":
        yield f"input: {list(first.shape[1:])}"
        return
    yield "inputs:"
    for name, each in inputs.items():
        shape = list(each.shape[1:])
        if each.dtype == "float32":
            yield f"  {name}: {shape}"
        else:
            below = f", below: {each.below}" if "int" in each.dtype else ""
            yield f"  {name}: {{shape: {shape}, dtype: {each.dtype}{below}}}"


def _scalar(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_scalar, value))}]"
    return _plain(value, flow=True) if isinstance(value, str) else repr(value)


def _plain(text: str, flow: bool = False) -> str:
    """A text without quotes, where YAML reads it so."""
    for shape in ("- {}", "[{}]") if flow else ("- {}",):
        try:
            if yaml.safe_load(shape.format(text)) != [text]:
                return json.dumps(text, ensure_ascii=False)
        except yaml.YAMLError:
            return json.dumps(text, ensure_ascii=False)
    return text
