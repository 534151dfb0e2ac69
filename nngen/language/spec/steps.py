"""Reading steps: layers with their arguments and what stands beside them, and lines of Python."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from collections.abc import Mapping as Map
from dataclasses import dataclass, field, replace

from nngen.catalog import LAYERS
from nngen.catalog.argument_types import Kind, kind
from nngen.catalog.parametrizations import MODIFIERS
from nngen.errors import Errors, Follows, Mark, SpecError
from nngen.language.document import Entry, Mapping, Node, Scalar, Sequence
from nngen.language.naming import check_label, check_layer_name
from nngen.language.spec import meant
from nngen.language.spec.beside import (
    built_after_of,
    call_of,
    from_of,
    modifiers_of,
    otherwise_of,
    uncalled_of,
)
from nngen.language.spec.broken import unread, words_in
from nngen.language.spec.model import (
    INPUT_SIZES,
    Broken,
    Label,
    LayerStep,
    LineStep,
    Option,
    Rule,
    Step,
)
from nngen.language.spec.nodes import expression, items, shown
from nngen.language.spec.redraws import initializer, rules
from nngen.symbolic.expressions import Expression, parse, parse_line, shorten

# The sizes of a block's first input that it may name; used, they become its leading arguments.
BESIDE = ("from", "call", "repeat", "when", "otherwise", "init", "built_after", *MODIFIERS)
BESIDE_STATE = ("when", "otherwise", "built_after")  # of a Parameter or Buffer
LONGEST_LABEL = 200
SEQUENTIAL_FORM = "`Sequential: [{Linear: 10}, ReLU]`"
_HEAD = re.compile(r"(?P<kind>[A-Za-z_]\w*)(?:\s+as\s+(?P<name>\S.*))?")
NO_STEPS = ("ModuleList", "ModuleDict")  # torch.nn has them
STATE_KINDS = {
    "Parameter": {"shape": kind("any"), "init": kind("any")},
    "Buffer": {"value": kind("any"), "persistent": kind("bool")},
}


@dataclass(frozen=True)
class StepReader:
    """Reads steps of a spec with these blocks.

    Attributes:
        blocks: the constructor arguments of each block; None where they are not known.
        errors: what is wrong.
        amended: those of the errors that keep nobody from knowing what was meant.
    """

    blocks: Map[str, tuple[Option, ...] | None]
    errors: Errors
    amended: list[SpecError] = field(default_factory=list)

    def step(self, node: Node) -> Step:
        """A layer, or a line of Python."""
        if _is_line(node):
            return self.errors.attempt(self._line, node) or self.unread(node)
        return self._noted(self.layer, node)

    def _line(self, node: Node) -> LineStep:
        assert isinstance(node, Scalar)
        text = str(node.value)
        try:
            line = parse_line(text, node.mark)
            if line.target in self.kinds:
                behind = ast.unparse(line.value.tree)
                message = f"{text!r} is a line that would give a value the name of a layer"
                raise SpecError(message, node.mark, f"for the layer: `- {line.target}: {behind}`")
            return LineStep(line, node.mark)
        except SpecError:
            found = meant.step(text, self.kinds)
            if found is None:
                raise
        raise SpecError(found[0], node.mark, found[1])

    def child(self, node: Node) -> LayerStep:
        """A layer of a Sequential."""
        return self._noted(self._child, node)

    def _noted(self, read: Callable[[Node], LayerStep], node: Node) -> LayerStep:
        """A step; in one with a mistake is noted what else may be known of it."""
        before = len(self.errors.found)
        step = self.errors.attempt(read, node)
        if step is None:
            return self.unread(node)
        if len(self.errors.found) == before and not any(each.broken for each in step.children):
            return step
        amended = all(error in self.amended for error in self.errors.found[before:])
        amended = amended and not any(each.broken for each in step.children)
        broken = Broken(self.errors.found[-1], words_in(node), amended=amended)
        return replace(step, broken=broken)

    def unread(self, node: Node) -> LayerStep:
        """Stands for a step of which no more is known than its words, and the error noted last."""
        return unread(node, self.errors.found[-1], self.blocks)

    def _child(self, node: Node) -> LayerStep:
        if _is_line(node):
            raise SpecError(
                "a Sequential holds layers only", node.mark, "a line of Python is a step of its own"
            )
        step = self.layer(node)
        if step.kind in STATE_KINDS:
            raise SpecError(
                f"a Sequential holds layers only, and a {step.kind} is none",
                step.mark,
                "make a block with `layers`",
            )
        if step.label is not None and any("." in p for p in step.label.parts if isinstance(p, str)):
            raise SpecError(
                "the name of a layer in a Sequential has no dot",
                step.label.mark,
                "a Sequential in it makes names with dots",
            )
        if step.sources or step.call or step.uncalled or step.when or step.built_after:
            raise SpecError(
                "in a Sequential each layer takes what the one above gives",
                step.mark,
                "give it a step of its own",
            )
        if step.init:
            raise SpecError(
                "a layer in a Sequential cannot be re-initialized by itself",
                step.mark,
                "give the Sequential an `init`: `{Linear.bias: zeros_}`, or `{0.bias: zeros_}`",
            )
        return step

    def layer(self, node: Node) -> LayerStep:
        """A layer, with what stands beside it."""
        if isinstance(node, Scalar) and isinstance(node.value, str):
            return self._head(node.value, node.mark, None, {})
        if not isinstance(node, Mapping) or not node.entries:
            raise SpecError(
                f"a step is a layer or a line of Python, not {shown(node)}",
                node.mark,
                "`- Linear: 10`, or `- y = x + 1`",
            )
        first, *rest = node.entries.values()
        if first.key in BESIDE:
            raise SpecError(
                f"{first.key!r} stands beside a layer, after it",
                first.key_mark,
                f"`- Linear: 10` and, below it, `{first.key}:`",
            )
        if first.key not in self.kinds:
            hint = meant.other_form(first, rest, self.kinds)
            if hint:
                raise SpecError(f"a step has no key {first.key!r}", first.key_mark, hint)
        fitting = BESIDE_STATE if first.key.split()[0] in STATE_KINDS else BESIDE
        for entry in rest:
            if entry.key not in fitting:
                self.errors.add(self._stray(entry, first.key))
        beside = {entry.key: entry.value for entry in rest if entry.key in fitting}
        return self._head(first.key, first.key_mark, first.value, beside)

    def known(self, kind_name: str) -> tuple[str, ...]:
        """The names of a layer's or block's arguments."""
        if kind_name in self.blocks:
            return (*(option.name for option in self.blocks[kind_name] or ()), *INPUT_SIZES)
        if kind_name in STATE_KINDS:
            return tuple(STATE_KINDS[kind_name])
        return LAYERS[kind_name].signature.names if kind_name in LAYERS else ()

    def _stray(self, entry: Entry, head: str) -> SpecError:
        kind_name = head.split()[0]
        if entry.key in self.known(kind_name):
            return SpecError(
                f"{entry.key!r} is an argument of {kind_name}, but stands beside it",
                entry.key_mark,
                f"indent it further than {kind_name}, or write `{kind_name}: {{{entry.key}: …}}`",
            )
        if entry.key in BESIDE:
            message = f"{entry.key!r} stands beside a layer, and a {kind_name} is none"
            return SpecError(message, entry.key_mark, "take it out")
        hint = meant.key(entry, kind_name, self.known(kind_name), BESIDE)
        return SpecError(f"a step has no key {entry.key!r}", entry.key_mark, hint)

    def _head(
        self, head: str, mark: Mark, value: Node | None, beside: dict[str, Node]
    ) -> LayerStep:
        match = _HEAD.fullmatch(head)
        if match is None:
            if "=" in head:
                raise SpecError(
                    f"{head!r} looks like a line of Python that YAML took for a key",
                    mark,
                    "put the line in quotes",
                )
            found = meant.step(head, self.kinds)
            if found is not None:
                raise SpecError(found[0], mark, _with_value(found[1], value))
            raise SpecError(f"{head!r} is not a layer", mark, "`Linear`, or `Linear as name`")
        kind_name = match["kind"]
        self._check_kind(kind_name, mark, value)
        if self.blocks.get(kind_name, ()) is None:
            raise Follows
        attempt = self.errors.attempt
        if kind_name in STATE_KINDS and match["name"] and "${" not in match["name"]:
            attempt(check_layer_name, match["name"], mark)
        arguments: dict[str, Expression] = {}
        layers: dict[str, LayerStep] = {}
        children: tuple[LayerStep, ...] = ()
        redraws = attempt(rules, beside["init"], self.errors) if "init" in beside else ()
        if kind_name == "Parameter" and isinstance(value, Mapping) and "init" in value.entries:
            given_init = value.entries["init"]
            redraws = (Rule("", initializer(given_init.value), given_init.key_mark),)
            rest = {key: entry for key, entry in value.entries.items() if key != "init"}
            value = Mapping(rest, value.mark)
        if kind_name == "Sequential":
            given = value or Scalar(None, "", mark)
            listed = items(given, "a Sequential's value", "a list of layers", SEQUENTIAL_FORM, 0)
            children = tuple(map(self.child, listed))
        else:
            arguments, layers = self._arguments(kind_name, value)
        return LayerStep(
            kind_name,
            attempt(_label, match["name"], mark, match.start("name")) if match["name"] else None,
            arguments,
            mark,
            layers,
            children,
            attempt(from_of, beside.get("from")),
            attempt(call_of, beside.get("call")),
            attempt(expression, beside["repeat"]) if "repeat" in beside else None,
            attempt(expression, beside["when"]) if "when" in beside else None,
            attempt(otherwise_of, beside) or False,
            redraws or (),
            attempt(modifiers_of, kind_name, beside) or {},
            attempt(built_after_of, beside.get("built_after")),
            attempt(uncalled_of, beside) or False,
        )

    @property
    def kinds(self) -> tuple[str, ...]:
        """The layers and blocks that there are."""
        return (*self.blocks, *LAYERS, "Sequential", *STATE_KINDS)

    def _check_kind(self, kind_name: str, mark: Mark, value: Node | None) -> None:
        if kind_name not in self.kinds:
            has = "neither torch.nn nor the spec has" if self.blocks else "torch.nn has no layer"
            if kind_name in NO_STEPS:
                has = "a step cannot be a"
            hint = meant.layer(kind_name, value, self.kinds)
            raise SpecError(f"{has} {kind_name!r}", mark, hint)

    def _arguments(
        self, kind_name: str, node: Node | None
    ) -> tuple[dict[str, Expression], dict[str, LayerStep]]:
        if node is None or _is_null(node):
            return {}, {}
        known = self.known(kind_name)
        if not isinstance(node, Mapping):
            shorthand = self._shorthand(kind_name)
            if shorthand is None:
                raise SpecError(
                    f"{kind_name} takes no arguments", node.mark, meant.bare(kind_name, node)
                )
            if isinstance(node, Sequence) and kind_name in LAYERS:
                hint = meant.positional(kind_name, node)
                if hint:
                    message = f"the arguments of {kind_name} go by name"
                    raise SpecError(message, node.mark, hint)
            text = node.value if isinstance(node, Scalar) else None
            hint = meant.keywords(kind_name, text) if isinstance(text, str) else ""
            if hint:
                message = f"the arguments of {kind_name} are keys with colons"
                raise SpecError(message, node.mark, hint)
            wanted = self._kind(kind_name, shorthand)
            if wanted is not None and wanted.layer:
                message = (
                    f"{shorthand} of {kind_name} takes {wanted.description}, not {shown(node)}"
                )
                raise SpecError(message, node.mark, meant.holding(kind_name, {}, {}))
            return {shorthand: expression(node, wanted)}, {}
        arguments: dict[str, Expression] = {}
        layers: dict[str, LayerStep] = {}
        entries = list(node.entries.values())
        held = meant.held(kind_name, entries)
        if held is not None:
            entries = [entry for entry in entries if entry.key not in held.names]
            self.errors.add(
                SpecError(held.message, node.entries[held.names[0]].key_mark, held.hint)
            )
        options = tuple(name for name in known if name not in INPUT_SIZES)
        hint = meant.nameless(kind_name, options if kind_name in self.blocks else known, entries)
        if hint:
            message = f"each argument of {kind_name} has a name and a value"
            raise SpecError(message, node.mark, hint)
        within = 0  # how many keys belong to a tuple that YAML took apart
        for place, entry in enumerate(entries):
            within -= 1
            if within > 0:
                continue
            hint, within = meant.in_parentheses(entries, place)
            if hint:
                message = "a list stands in brackets, not in parentheses"
                self.errors.add(SpecError(message, entry.value.mark, hint))
                continue
            if entry.key not in known:
                error = _unknown(entry, kind_name, known)
                self.errors.add(error)
                name = meant.amended(kind_name, entry, node.entries)
                if name is not None:
                    self.amended.append(error)
                    arguments[name] = expression(entry.value, self._kind(kind_name, name))
                continue
            wanted = self._kind(kind_name, entry.key)
            if wanted is not None and wanted.layer and not _is_null(entry.value):
                layer = self.errors.attempt(self.layer, entry.value)
                layers |= {} if layer is None else {entry.key: layer}
                continue
            value = self.errors.attempt(expression, entry.value, wanted)
            arguments |= {} if value is None else {entry.key: value}
        return arguments, layers

    def _kind(self, kind_name: str, argument: str) -> Kind | None:
        if kind_name in self.blocks:
            return None
        if kind_name in STATE_KINDS:
            return STATE_KINDS[kind_name][argument]
        return LAYERS[kind_name].signature[argument].kind

    def _shorthand(self, kind_name: str) -> str | None:
        """The shorthand argument."""
        if kind_name in LAYERS:
            return LAYERS[kind_name].shorthand
        options = self.blocks.get(kind_name) or ()
        required = [option.name for option in options if option.default is None]
        if kind_name in STATE_KINDS:
            return self.known(kind_name)[0]
        return next(iter(required), options[0].name if options else None)


def _is_line(node: Node) -> bool:
    return (
        isinstance(node, Scalar) and isinstance(node.value, str) and not _HEAD.fullmatch(node.value)
    )


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None


def _unknown(entry: Entry, kind_name: str, known: tuple[str, ...]) -> SpecError:
    if entry.key in BESIDE:
        return SpecError(
            f"{entry.key!r} stands among the arguments of {kind_name}",
            entry.key_mark,
            f"indent it as far as {kind_name}, not further; "
            f"in one line: `{{{kind_name}: …, {entry.key}: {meant.flow(entry.value)}}}`",
        )
    hint = meant.argument(entry, kind_name, known)
    return SpecError(f"{kind_name} has no argument {entry.key!r}", entry.key_mark, hint)


def _with_value(hint: str, value: Node | None) -> str:
    """The hint for a step's head, with what stands behind it; another hint as it is."""
    _, is_step, step = hint.rpartition("`- ")
    if not is_step:
        return hint
    behind = "" if value is None or ":" in step else f": {meant.flow(value)}"
    return hint.removesuffix("`") + behind + "`" if hint.endswith("`") else hint


def _label(label: str, mark: Mark, start: int) -> Label:
    """A name with its `${…}`, in a value from its character `start` on."""
    if found := re.fullmatch(r"(\w+)\s+([\w.]+|[\[{].*)", label):
        raise SpecError(
            f"a ':' is missing after {found[1]!r}", mark, f"`… as {found[1]}: {found[2]}`"
        )
    if len(label) > LONGEST_LABEL:
        raise SpecError(f"{shorten(label)} is not a name: it is too long", mark)
    parts: list[str | Expression] = []
    rest = label
    while "${" in rest:
        before, _, after = rest.partition("${")
        inside, closed, rest = after.partition("}")
        if not closed:
            raise SpecError(f"the `${{` in {label!r} is not closed", mark)
        parts += [before, parse(inside, mark, start + len(label) - len(rest + closed + inside))]
    parts.append(rest)
    result = Label(tuple(parts), mark)
    if result.text is not None:
        check_label(result.text, mark)
    return result
