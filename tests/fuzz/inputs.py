"""Inputs to fuzz with: specs changed in their bytes, in their tree and in their expressions, and specs made up."""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nngen.catalog import FUNCTIONS, LAYERS
from nngen.catalog.initializers import INITIALIZERS
from nngen.language import document
from nngen.language.spec.steps import BESIDE

SPECS = Path(__file__).parent.parent.parent / "specs"
LONGEST = 4_000  # characters of an input that is changed once more

_KEYS = (
    *("name", "doc", "args", "input", "inputs", "blocks", "let", "layers", "outputs", "loss"),
    *("tie", "init", "check", "shape", "dtype", "below", "batch", "Sequential", *BESIDE),
)
_NUMBERS = ("0", "1", "2", "3", "7", "8", "-1", "64", "1000", "9223372036854775807", "0.5", "1e300")
_WORDS = (
    *("x", "y", "N", "T", "i", "n", "in_channels", "in_features", "training", "required", "None"),
    *("True", "same", "none", "self", "torch", "F", "x.shape", "x.dtype", "x.T", "...", "''"),
)
_OPERATORS = (
    "+",
    "-",
    "*",
    "/",
    "//",
    "%",
    "**",
    "@",
    "&",
    "|",
    "==",
    "<",
    "is",
    "and",
    "or",
    "if",
)
_PIECES = (
    *(
        "- ",
        ": ",
        "{",
        "}",
        "[",
        "]",
        ", ",
        "\n",
        "\n  ",
        "\n    ",
        "#",
        "'",
        '"',
        "&a ",
        "*a",
        "!",
        "|",
    ),
    *(
        ">",
        "?",
        "%",
        "@",
        "`",
        "\t",
        "\\",
        "${",
        "${i}",
        " as ",
        " = ",
        "(",
        ")",
        "null",
        "~",
        "<<",
    ),
    *("\0", "\ufeff", "\x85", "\u2028", "\u202e", "é", "ﬁ", "😀", "{{", "}}", "{%", "%}", "{#"),
)
_TOKEN = re.compile(r"[A-Za-z_][\w.]*|\d+(?:\.\d+)?|[^\s\w]")

Tree = Any


def plain(node: document.Node) -> Tree:
    """A document's tree as dicts, lists and values."""
    if isinstance(node, document.Mapping):
        return {key: plain(entry.value) for key, entry in node.entries.items()}
    if isinstance(node, document.Sequence):
        return [plain(item) for item in node.items]
    return node.value


class Inputs:
    """Makes inputs from the specs, and from what was kept of earlier inputs.

    Args:
        seed: decides all of them.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.texts = [path.read_text() for path in sorted(SPECS.glob("*.yaml"))]
        self.wrong: list[str] = []

    def keep(self, text: str, good: bool) -> None:
        """Change this text too from now on, which came to something new: a model (`good`), or an error."""
        if len(text) <= LONGEST:
            (self.texts if good else self.wrong).append(text)

    def __iter__(self) -> Iterator[str]:
        makers = (self._bytes, self._tree, self._expression, self._new)
        while True:
            yield self.random.choices(makers, (1, 3, 3, 3))[0]()

    def _new(self) -> str:
        return json.dumps(self._made_up())

    def _pick(self) -> str:
        """A text, mostly one that is a model, and a short one, which is quick."""
        wrong = self.wrong and self.random.random() < 0.1
        return min(self.random.choices(self.wrong if wrong else self.texts, k=3), key=len)

    # Bytes

    def _bytes(self) -> str:
        text = self._pick()
        for _ in range(self.random.randint(1, 4)):
            text = self._changed_text(text)
        return text

    def _changed_text(self, text: str) -> str:
        draw = self.random
        start = draw.randint(0, len(text))
        end = min(len(text), start + draw.choice((0, 0, 1, 1, 2, 5, 20)))
        other = draw.choice(self.texts)
        place = draw.randint(0, len(other))
        return (
            text[:start]
            + draw.choice(
                (
                    "",
                    draw.choice(_PIECES),
                    chr(draw.choice((draw.randrange(128), draw.randrange(0xD800)))),
                    text[start:end] * draw.choice((2, 3, 50)),
                    draw.choice((*_WORDS, *_NUMBERS, *_KEYS)),
                    other[place : place + 30],
                )
            )
            + text[end:]
        )

    # Trees

    def _parsed(self) -> Tree:
        while True:
            try:
                tree = plain(document.parse(self._pick(), ""))
            except document.SpecError:
                continue
            if isinstance(tree, dict) and tree:
                return tree

    def _tree(self) -> str:
        tree = self._parsed()
        for _ in range(self.random.randint(1, 3)):
            if tree:
                self._change(tree)
        return json.dumps(tree, ensure_ascii=self.random.random() < 0.5)

    def _change(self, tree: Tree) -> None:
        draw = self.random
        places = list(_containers(tree))
        place = draw.choice(places)
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key, other = draw.choice(keys), draw.choice(keys)
        change = draw.randrange(7)
        if change == 0:
            del place[key]
        elif change == 1:
            place[key], place[other] = place[other], place[key]
        elif change == 2 and isinstance(place, dict):
            place[draw.choice((*_KEYS, *LAYERS, *_WORDS))] = place.pop(key)
        elif change == 2:
            place.insert(other, copy.deepcopy(place[key]))
        elif change == 3:
            place[key] = copy.deepcopy(
                draw.choice(draw.choice(places[:1] + places[-20:]) and places)
            )
        elif change == 4:
            place[key] = {draw.choice(_KEYS): place[key]} if draw.random() < 0.5 else [place[key]]
        elif change == 5 and isinstance(place, dict):
            place[draw.choice(_KEYS)] = self._value()
        else:
            place[key] = self._value()

    def _value(self) -> Tree:
        draw = self.random
        return draw.choice(
            (
                lambda: draw.choice(
                    (None, True, False, 0, 1, 2, 3, -1, 0.5, 2**40, 2**63 - 1, 1e300)
                ),
                lambda: draw.choice(("", "x", *_WORDS)),
                lambda: self._made_expression(2),
                lambda: self._line(),
                lambda: draw.choice(([], {}, [1, 2], ["x", "x"], [[3]], {"a": 1})),
                lambda: self._step(1),
                lambda: draw.choice(list(INITIALIZERS)),
            )
        )()

    # Expressions

    def _expression(self) -> str:
        tree = self._parsed()
        found = [
            (place, key)
            for place in _containers(tree)
            for key in (place if isinstance(place, dict) else range(len(place)))
            if isinstance(place[key], str | int | float) and key != "name"
        ]
        for place, key in self.random.sample(found, min(len(found), self.random.randint(1, 2))):
            place[key] = self._changed_expression(str(place[key]))
        return json.dumps(tree)

    def _changed_expression(self, text: str) -> str:
        draw = self.random
        tokens = list(_TOKEN.finditer(text))
        if not tokens or draw.random() < 0.1:
            return self._made_expression(2)
        token = draw.choice(tokens)
        before, inside, after = text[: token.start()], token[0], text[token.end() :]
        new = draw.choice(
            (
                draw.choice(_WORDS),
                draw.choice(_NUMBERS),
                draw.choice(_OPERATORS),
                self._made_expression(1),
                f"({inside}, {inside})",
                f"{draw.choice(list(FUNCTIONS))}({inside})",
                f"{inside}[{draw.choice(('0', '-1', ':', '1:', '..., 0', 'None', ':, 1', 'x'))}]",
                "-" * draw.choice((1, 30, 300)) + inside,
                "",
            )
        )
        return before + new + after

    def _made_expression(self, depth: int) -> str:
        draw = self.random
        if depth == 0 or draw.random() < 0.2:
            return draw.choice((*_WORDS, *_NUMBERS))
        parts = [self._made_expression(depth - 1) for _ in range(3)]
        a, b, c = parts
        return draw.choice(
            (
                f"{a} {draw.choice(_OPERATORS)} {b}",
                f"({a}) {draw.choice(_OPERATORS)} ({b})",
                f"{a} if {b} else {c}",
                f"({a}, {b})",
                f"[{a}]",
                f"{{'k': {a}}}",
                f"x[{a}]",
                f"x.shape[{a}]",
                f"not {a}",
                self._call(depth),
            )
        )

    def _call(self, depth: int) -> str:
        draw = self.random
        name = draw.choice(list(FUNCTIONS))
        arguments = [self._made_expression(depth - 1) for _ in range(draw.randint(0, 3))]
        names = FUNCTIONS[name].signature.names
        for each in draw.sample(list(names), min(len(names), draw.choice((0, 0, 1, 2)))):
            arguments.append(f"{each}={self._made_expression(depth - 1)}")
        if name.startswith("Tensor."):
            return f"x.{name.removeprefix('Tensor.')}({', '.join(arguments)})"
        return f"{name}({', '.join(['x', *arguments])})"

    # Specs made up

    def _made_up(self) -> Tree:
        draw = self.random
        tree: Tree = {"name": "M", "input": draw.choice(([8], [3, 8, 8], [5, 8], [], ["T", 8]))}
        if draw.random() < 0.5:
            layer = LAYERS[draw.choice(list(LAYERS))]
            use = draw.choice(layer.examples)
            call = {"call": use.call} if use.call else {}
            names = "xyzuvw"[: len(use.inputs)]
            tree.pop("input")
            tree["inputs"] = {n: _feed(given) for n, given in zip(names, use.inputs)}
            step: Tree = {f"{layer.name} as {layer.stem}1": dict(use.arguments), **call}
            if not call and len(names) > 1:
                step["from"] = list(names)
            tree["layers"] = [step, *(self._step(2) for _ in range(draw.randint(0, 2)))]
            return tree
        if draw.random() < 0.3:
            tree["args"] = {"n": draw.choice((1, 2, 8, "required", None, [1, 2], 0.5))}
            tree["check"] = {"n": 2}
        if draw.random() < 0.2:
            tree["let"] = {"m": self._made_expression(2)}
        if draw.random() < 0.4:
            steps = [self._step(2) for _ in range(draw.randint(1, 3))]
            tree["blocks"] = {"Block": {"args": {"k": 2}, "layers": steps}}
        tree["layers"] = [self._step(2) for _ in range(draw.randint(1, 4))]
        if draw.random() < 0.1:
            tree["outputs"] = self._made_expression(2)
        if draw.random() < 0.2:
            tree["loss"] = draw.choice([name for name in LAYERS if LAYERS[name].is_loss])
        if draw.random() < 0.1:
            tree["init"] = {
                f"*{draw.choice(('', '.weight', '.bias'))}": draw.choice(list(INITIALIZERS))
            }
        return tree

    def _line(self) -> str:
        target = self.random.choice(("x", "y", "x, y", "y, (a, b)", "_", "y, _"))
        return f"{target} = {self._made_expression(3)}"

    def _step(self, depth: int) -> Tree:
        draw = self.random
        if draw.random() < 0.3:
            return self._line()
        kind = draw.choice(
            [*LAYERS, *["Linear", "Conv2d", "ReLU", "Block", "Sequential", "Parameter"] * 8]
        )
        name = kind + draw.choice(("", "", " as a", " as b${i}"))
        step: Tree = {name: self._arguments(kind, depth)}
        while draw.random() < 0.25:
            step[draw.choice(BESIDE)] = draw.choice(
                (
                    self._made_expression(1),
                    2,
                    3,
                    ["x"],
                    "training",
                    {},
                    "none",
                    f"y = a({self._made_expression(1)})",
                )
            )
        return name if step == {name: None} else step

    def _arguments(self, kind: str, depth: int) -> Tree:
        draw = self.random
        if kind == "Sequential":
            return [self._step(depth - 1) for _ in range(draw.randint(0, 3))] if depth else []
        if kind not in LAYERS:
            return draw.choice((None, 8, {"k": 3}, {"shape": [8], "init": "zeros_"}))
        example = draw.choice(LAYERS[kind].examples or (None,))
        given = dict(getattr(example, "arguments", {})) if draw.random() < 0.8 else {}
        for name in LAYERS[kind].signature.names:
            if draw.random() < 0.15:
                given[name] = (
                    self._value() if draw.random() < 0.5 else draw.choice((1, 2, 8, True, "n"))
                )
        return given or draw.choice((None, 8))


def _feed(given: Any) -> Tree:
    return list(given) if isinstance(given, tuple) else given


def _containers(tree: Tree) -> Iterator[Tree]:
    """The dicts and lists in a tree that are not empty."""
    if isinstance(tree, dict | list) and tree:
        yield tree
        for child in tree.values() if isinstance(tree, dict) else tree:
            yield from _containers(child)
