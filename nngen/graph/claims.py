"""What docstrings and comments say of a class's shapes: only what is so in all flows that are known of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from nngen.errors import Fault
from nngen.graph.alternatives import alternatives
from nngen.graph.flow import Application, Flow, Operation
from nngen.graph.letters import letters_of
from nngen.graph.merging import fitting, resized
from nngen.symbolic.broadcasting import show
from nngen.symbolic.named import sizes_in
from nngen.symbolic.sizes import Dim, Size, symbol, symbols_of, value_of
from nngen.symbolic.substitution import substitute
from nngen.symbolic.tensor import Tensor, in_this_use

_UNKNOWN = ("tensor", None)
# More alternatives than these are no help to a reader.
_MOST = 3

# What stands at one place in each flow: the flow's number, and the value or the size.
Found = list[tuple[int, Any]]


class Claims:
    """Says shapes in the names of a class, and in letters for what has no name there.

    One letter stands for one size in every flow. A size that was computed from a letter, or that no expression gives
    in every flow, has a letter of its own: with a prime, where the plain one is taken.

    Args:
        flows: all that is known of the class.
        leading: the sizes of the input that the constructor takes.
        is_block: the class is a block, for which the sizes of its input have other names than for its user.
    """

    def __init__(self, flows: Sequence[Flow], leading: Sequence[str], is_block: bool) -> None:
        self.flows = flows
        self.is_block = is_block
        self.letters: dict[str, str] = {}  # by what is shown, the letter that it is made of
        self.own: dict[tuple[Any, str], str] = {}
        # For each flow: how its names are shown, and what that means to whoever uses the class there.
        self.shown: list[dict[str, Dim]] = [{} for _ in flows]
        self.senses: list[dict[str, Dim]] = [{} for _ in flows]
        body = flows[0].body
        walkthrough = flows[0].scope.walkthrough
        self.by_rank = letters_of(body, walkthrough.blocks, walkthrough.letters)
        options = (option.name for option in body.options)
        self.names = (*leading, *options, *(name.text for name, _ in body.let))
        self.taken = set(self.names)
        for number, flow in enumerate(flows):
            for name in self.names:
                for place, size in sizes_in(name, flow.scope.values.get(name)):
                    self._show(number, place, place, self._meaning(number, size))
        for values in zip(*(flow.inputs for flow in flows)):
            self._name_input([value.abstract for value in values])

    def maps(self) -> str:
        """What forward does: `Maps (N, 3, H, W) to (N, 10).`"""
        inputs = list(zip(*(flow.inputs for flow in self.flows)))
        given = []
        for values in inputs:
            text = self.text(list(enumerate(value.abstract for value in values)))
            name = values[0].name
            given.append(text or name if len(inputs) == 1 else f"{name} {text}".rstrip())
        result = self.text(
            [(number, flow.result.all_told) for number, flow in enumerate(self.flows)]
        )
        result = result or "what its arguments decide"
        return f"Maps {' and '.join(given)} to {result}." if given else f"Gives {result}."

    def text(self, found: Found) -> str:
        """The shapes of what stands at one place; alternatives where there are several, or nothing if there are many."""
        forms: dict[Any, Found] = {}
        others: dict[Any, Found] = {}  # of flows in which it is something else
        for number, value in found:
            told = alternatives(value)
            if told is None:
                return ""
            for each, here in told:
                known, each = forms if here else others, resized(in_this_use(each), fitting)
                known.setdefault(_form(each), []).append((number, each))
        forms = {**others, **forms}
        if _UNKNOWN in forms:
            forms = {
                form: each
                for form, each in forms.items()
                if form[0] != "tensor" or form == _UNKNOWN
            }
        # Names are given in an order that does not tell which of them is here.
        forms = dict(sorted(forms.items(), key=lambda pair: (*_extent(pair[0]), repr(pair[0]))))
        texts = [self._one(each) for each in forms.values()]
        order = sorted(zip(forms, texts), key=lambda pair: (*_extent(pair[0]), pair[1]))
        return ", or ".join(dict.fromkeys(text for _, text in order)) if len(order) <= _MOST else ""

    def _one(self, found: Found) -> str:
        """Values of one form."""
        value = found[0][1]
        if isinstance(value, dict):
            texts = [
                f"{key} {self.text([(number, each[key]) for number, each in found])}"
                for key in value
            ]
            return ", ".join(texts)
        if isinstance(value, (tuple, list)) and value:
            *others, last = (
                self.text([(number, each[place]) for number, each in found])
                for place in range(len(value))
            )
            return f"{', '.join(others)} and {last}" if others else last
        if isinstance(value, Tensor) and value.shape is not None:
            rank = len(value.shape)
            sizes = (
                self._size([(number, each.shape[place]) for number, each in found], place, rank)
                for place in range(rank)
            )
            return show(tuple(sizes))
        return "a number" if isinstance(value, (int, float, Size)) else str(value)

    def _name_input(self, values: Sequence[Any]) -> None:
        """Name the sizes of one input."""
        shapes = [value.shape if isinstance(value, Tensor) else None for value in values]
        for number, shape in enumerate(shapes):
            for size in shape or ():
                for each in symbols_of(size):
                    if each.value is None and not self.is_block:
                        self.letters[each.name] = each.name
                        self.taken.add(each.name)
                        self._show(number, each.name, each.name, Size((((each,), 1),)))
        ranks = {None if shape is None else len(shape) for shape in shapes}
        if self.is_block and len(ranks) == 1 and None not in ranks:
            (rank,) = ranks
            for place in range(rank or 0):
                self._name_size(
                    [shape[place] for shape in shapes if shape], self._letter(place, rank)
                )

    def _name_size(self, sizes: list[Dim], letter: str) -> None:
        """Name a size of an input of a block, which is one name in each of its flows."""
        names = [str(size) for size in sizes]
        meanings = dict(enumerate(self._meaning(number, size) for number, size in enumerate(sizes)))
        text = names[0] if len(set(names)) == 1 else ""
        if text in self.names:
            return
        if not all(value_of(size) is None for size in sizes) or not self._is_free(text, meanings):
            text = self._known(meanings, letter, by_chance=True) or self._free(letter, "2")
        elif text:
            letter = text
        self._introduce(text, letter, names, meanings)

    def _introduce(
        self, text: str, letter: str, names: Sequence[str], meanings: Mapping[int, Dim]
    ) -> None:
        """Let a text stand for what has these names in the flows."""
        self.taken.add(text)
        self.letters.setdefault(text, letter)
        for number, meaning in meanings.items():
            self._show(number, names[number], text, meaning)

    def _is_free(self, text: str, meanings: Mapping[int, Dim]) -> bool:
        """Whether a name that a size has in every flow can stand for it: it stands for no other."""
        shown = all(self.senses[number].get(text) == meanings[number] for number in meanings)
        return text.isidentifier() and (shown or text not in self.taken)

    def _known(self, meanings: Mapping[int, Dim], letter: str, by_chance: bool) -> str:
        """What is shown already and means the same in every flow: a letter of the same kind, or a name.

        Args:
            meanings: what the size means in each flow.
            letter: the kind of letter.
            by_chance: a letter may stand for what is one number in all flows, and so perhaps by chance. A name may not.
        """
        values = set(meanings.values())
        chance = len(values) == 1 and all(isinstance(each, int) for each in values)
        for text in self.senses[0]:
            alike = text in self.names if text not in self.letters else self.letters[text] == letter
            allowed = not chance or by_chance and text in self.letters
            if alike and allowed and all(self.senses[n].get(text) == meanings[n] for n in meanings):
                return text
        return ""

    def _size(self, found: Found, place: int, rank: int) -> Dim:
        """A size that is not an input's, or is one."""
        letter = self._letter(place, rank)
        sizes: list[Dim] = [size for _, size in found]
        if all(isinstance(size, int) and size == sizes[0] for size in sizes):
            return sizes[0]
        meanings = {number: self._meaning(number, size) for number, size in found}
        text = str(sizes[0])
        alike = all(value_of(size) is None and str(size) == text for size in sizes)
        if alike and text not in self.letters and self._is_free(text, meanings):
            # An open size that no input's shape tells of, for one in a packed sequence.
            self._introduce(text, text, [text] * len(self.flows), meanings)
        rendered = dict.fromkeys(self._rendered(*one) for one in found)
        candidates = [each for each in rendered if each is not None]
        fitting = [each for each in candidates if self._holds(each, found)]
        for each in fitting:
            if not self._letters_in(each) or str(each) in self.letters:
                return each
        if not self.is_block and fitting:
            return fitting[0]
        used = {each for one in found for each in self._letters_of(*one)}
        base = min(used) if len(used) == 1 or fitting and letter not in used else letter
        known = self._known(meanings, base, by_chance=False)
        if known and len(meanings) == len(found):
            return symbol(known)
        key = str(fitting[0]) if fitting else tuple((number, str(size)) for number, size in found)
        if (key, base) not in self.own:
            self.own[key, base] = self._free(base, "'")
            self.taken.add(self.own[key, base])
        return symbol(self.own[key, base])

    def _rendered(self, number: int, size: Dim) -> Dim | None:
        """A size of one flow as it is shown, if all in it can be."""
        shown = self.shown[number]
        if any(each.name not in shown for each in symbols_of(size)):
            return None
        found = substitute(size, shown)
        return None if " if " in str(found) else found

    def _holds(self, candidate: Dim, found: Found) -> bool:
        """Whether a size as it is shown is right in each flow."""
        for number, size in found:
            if any(each.name not in self.senses[number] for each in symbols_of(candidate)):
                return False
            try:
                here = substitute(candidate, self.senses[number])
            except Fault:  # of what is not built in this flow
                return False
            # Of a size that is 1, an expression does not remember what it is made of.
            if here != self._meaning(number, size) and not value_of(here) == 1 == value_of(size):
                return False
        return True

    def _letters_in(self, size: Dim) -> list[str]:
        return [self.letters[each.name] for each in symbols_of(size) if each.name in self.letters]

    def _letters_of(self, number: int, size: Dim) -> list[str]:
        """The letters that a size of one flow has in it, whatever else is."""
        shown = self.shown[number]
        return [
            letter
            for each in symbols_of(size)
            if each.name in shown
            for letter in self._letters_in(shown[each.name])
        ]

    def _meaning(self, number: int, size: Dim) -> Dim:
        flow = self.flows[number]
        return fitting(substitute(size, {**flow.others, **flow.substitution}))

    def _show(self, number: int, name: str, text: str, meaning: Dim) -> None:
        self.shown[number].setdefault(name, symbol(text))
        self.senses[number].setdefault(text, meaning)

    def _letter(self, place: int, rank: int | None) -> str:
        letters = self.by_rank.get(rank or 0)
        return letters[place] if letters else f"D{place}"

    def _free(self, letter: str, mark: str) -> str:
        """The letter, with as many marks as make it another than all that is shown."""
        text, count = letter, 1
        while text in self.taken:
            count += 1
            if mark == "2" and letter[-1].isdigit():
                text = chr(ord("D") + count - 1) + letter[1:]
            else:
                text = letter + (str(count) if mark == "2" else mark * (count - 1))
        return text


def _form(value: Any) -> tuple[Any, ...]:
    """What kind of value it is, its sizes left out."""
    if isinstance(value, Tensor):
        return ("tensor", None if value.shape is None else len(value.shape))
    if isinstance(value, dict):
        return ("dict", *((key, _form(item)) for key, item in value.items()))
    if isinstance(value, (tuple, list)):
        return ("list", *map(_form, value))
    is_number = isinstance(value, (int, float, Size)) and not isinstance(value, bool)
    return ("value", "a number" if is_number else str(value))


def _extent(form: Any) -> tuple[int, int]:
    """How many tensors are in a value of a form, and how many dimensions they have: the larger, the less."""
    if not isinstance(form, tuple):
        return 0, 0
    if form[0] == "tensor":
        return -1, -(form[1] or 0)
    inner = [_extent(each) for each in form[1:]]
    return sum(tensors for tensors, _ in inner), sum(ranks for _, ranks in inner)


def doubtful(flows: Sequence[Flow]) -> frozenset[object]:
    """The values and uses of layers in the first flow whose shape is another one in some flow.

    So is what is made of a name that the class does not have: that of a loop's count, for one.
    """
    first = flows[0]
    inputs = (value.abstract for value in first.inputs)
    shapes = (value.shape for value in inputs if isinstance(value, Tensor) and value.shape)
    names = {each.name for shape in shapes for size in shape for each in symbols_of(size)}
    for name, value in first.scope.values.items():
        names.update(place for place, _ in sizes_in(name, value))
    found: set[object] = set()
    for operations in zip(*(flow.operations for flow in flows)):
        for thing, value, others in _results(operations):
            if not _is_same(value, others, names):
                found.add(thing)
    return frozenset(found)


def _results(operations: Sequence[Operation]) -> Iterator[tuple[object, Any, list[Any]]]:
    """What a step of the first flow gives, with what it gives in the others."""
    first, *others = operations
    for place, value in enumerate(first.writes):
        if value is not None:
            writes = [each.writes[place] for each in others]
            yield value, value.abstract, [each.abstract for each in writes if each is not None]
    if first.application is not None:
        yield from _outputs([first.application, *(each.application for each in others)])
        if first.condition is not None:  # what passes is no less the result of the step
            results = [each.writes[0].abstract for each in operations if each.writes[0] is not None]
            yield first.application, first.application.output, results
    for call, application in first.calls.items():
        yield from _outputs([application, *(each.calls.get(call) for each in others)])


def _outputs(
    uses: Sequence[Application | None],
) -> Iterator[tuple[object, Any, list[Any]]]:
    first, *others = [use for use in uses if use is not None]
    yield first, first.output, [each.output for each in others]
    for children in zip(*(use.children for use in (first, *others))):
        yield from _outputs(children)


def _is_same(value: Any, others: Iterable[Any], names: set[str]) -> bool:
    """Whether a tensor has one shape in all flows, of such names."""
    if not isinstance(value, Tensor) or value.shape is None:
        return True
    shape = [_unvalued(size) for size in value.shape]
    return all(
        each.name in names and " if " not in str(size)
        for size in shape
        for each in symbols_of(size)
    ) and all(
        isinstance(each, Tensor) and each.shape and [_unvalued(s) for s in each.shape] == shape
        for each in others
    )


def _unvalued(size: Dim) -> Dim:
    """The size as it is in this use, without the numbers that its names stand for."""
    size = fitting(size)
    return substitute(size, {each.name: symbol(each.name) for each in symbols_of(size)})
