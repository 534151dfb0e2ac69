"""The names that a class's sizes may use, and the choice of one expression where its uses offer several."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from nngen.catalog import LAYERS
from nngen.catalog.partial_evaluation import IN_MATH, Folder
from nngen.errors import Errors, Fault, LimitError, Mark, SpecError
from nngen.graph.letters import Letters
from nngen.graph.sized import given
from nngen.graph.written import Given
from nngen.language.spec import Body, LayerStep
from nngen.limits import ALLOW, limits
from nngen.symbolic.expressions import Line
from nngen.symbolic.named import named, sizes_in
from nngen.symbolic.sizes import Dim, OpenSize, Size, is_whole, symbols_of, value_of
from nngen.symbolic.substitution import substitute
from nngen.symbolic.untold import untold_reason

Place = tuple[str, tuple[str, ...], str, Mark]
Found = tuple[Dim, Mapping[str, Any], LayerStep]  # a size, the names of its use, and the step


@dataclass
class Choices:
    """The inferred sizes of all classes: what each use finds, and what serves them all.

    A block is walked once for each use. Where two uses find one size under two expressions, the one that is right in
    every use is chosen, and the walk is done again with it.
    """

    found: dict[Place, list[Found]] = field(default_factory=dict)
    chosen: dict[Place, Dim] = field(default_factory=dict)
    failed: dict[Place, SpecError] = field(default_factory=dict)

    def settle(self) -> bool:
        """Choose; whether the walk must be done again.

        Raises:
            SpecError: no expression gives a layer's size in every use. A block's may fail: it may not be needed.
        """
        for place, uses in self.found.items():
            try:
                self.chosen[place] = _choice(place, uses)
            except SpecError as error:
                if uses[0][2].kind in LAYERS:
                    raise
                self.failed[place] = error
                self.chosen[place] = uses[0][0]
        again = bool(self.failed) or any(
            str(size) != str(self.chosen[place])
            for place, uses in self.found.items()
            for size, _, _ in uses
        )
        self.found.clear()
        return again


def _choice(place: Place, uses: list[Found]) -> Dim:
    told = [size for size, _, _ in uses if not untold_reason(size)]
    for size in told:
        if all(_fits(size, found, names) for found, names, _ in uses):
            return size
    owner, _, argument, _ = place
    step = uses[0][2]
    values = " or ".join(sorted({str(value_of(size)) for size, _, _ in uses}))
    if not told:
        message = f"{argument} of {step.kind} is {values} here only: {untold_reason(uses[0][0])}"
        raise SpecError(message, step.mark, f"give {argument}, from an argument of {owner}")
    raise SpecError(
        f"{argument} of {step.kind} is {values}, and no expression over the arguments "
        f"of {owner} gives it in every use",
        step.mark,
        f"give {argument}, from an argument of {owner} if it differs",
    )


def _fits(size: Dim, found: Dim, names: Mapping[str, Any]) -> bool:
    if any(symbol.name not in names for symbol in symbols_of(size)):
        return False
    return value_of(substitute(size, names)) == value_of(found)


def _substitution(values: Mapping[str, Any]) -> dict[str, Any]:
    """What the names of a class are in one use of it, for expressions that another use has found."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= sizes_in(name, value)
        if not is_whole(value):
            found[name] = Given(ast.Name(name, ast.Load()), {}, {name: value})
    return found


@dataclass
class Walkthrough:
    """All classes of a spec while they are walked.

    Attributes:
        blocks: the spec's blocks.
        walk: walks a class in one use of it, to a Flow.
        letters: those for the sizes of inputs in classes in which no layer tells what they are.
        flows: for each block, the Flow of each use.
        stack: the blocks that are being walked.
        composites: for each class that stands for a layer of torch.nn, its layer and what is in it.
        arms: for each arm of a line's condition why it does not fit the uses seen so far, None once it fits one.
        counted: the steps followed and the layers built so far.
        errors: what is wrong in them.
        trial: it is only tried whether a change mends an error.
    """

    blocks: Mapping[str, Body]
    walk: Callable[..., Any]
    letters: Letters
    flows: dict[str, list[Any]] = field(default_factory=dict)
    stack: list[str] = field(default_factory=list)
    composites: dict[str, tuple[str, str]] = field(default_factory=dict)
    arms: dict[ast.expr, SpecError | None] = field(default_factory=dict)
    counted: int = 0
    errors: Errors = field(default_factory=Errors)
    trial: bool = False

    def trial_of(self) -> Walkthrough:
        """A walkthrough of the same classes, to try a change with."""
        return Walkthrough(self.blocks, self.walk, self.letters, stack=[*self.stack], trial=True)

    def count(self, mark: Mark, steps: int = 1) -> None:
        """Count what is followed or built: repeats within repeats, and blocks within blocks, multiply.

        Raises:
            SpecError: it is more than the limits allow.
        """
        self.counted += steps
        if self.counted > limits().steps:
            message = f"the model has more than {limits().steps:,} steps and layers"
            raise LimitError(message, mark, f"repeat less; {ALLOW}")

    def note_arms(self, arms: Mapping[ast.expr, Fault | SpecError | None], line: Line) -> None:
        """Note which arms of a line's conditions fit one use of a class."""
        for node, fault in arms.items():
            error = line.value.fault(fault) if isinstance(fault, Fault) else fault
            if error is None or node not in self.arms:
                self.arms[node] = error

    def refuse_misfits(self) -> None:
        """Note each arm that no use of its class takes and that would not work in any."""
        for error in self.arms.values():
            if error is not None:
                self.errors.add(error)


@dataclass
class Scope:
    """The sizes that the expressions of one class may name, in one use of it.

    Attributes:
        owner: the class.
        values: the names with their values in this use.
        choices: what inferred sizes are settled by.
        walkthrough: all classes.
        unrolled: names that stand for a number of their own in each copy of a repeat (`i`).
        lets: what the names that the class defines are made of.
    """

    owner: str
    values: Mapping[str, Any]
    choices: Choices
    walkthrough: Walkthrough
    unrolled: frozenset[str] = frozenset()
    lets: Mapping[str, Given] = field(default_factory=dict)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self.values)

    def inner(self, name: str, value: Any) -> Scope:
        """This scope with one more name, whose number, if it is one, has no place in the code."""
        unrolled = self.unrolled | ({name} if isinstance(value, int) else set())
        return replace(self, values={**self.values, name: value}, unrolled=unrolled)

    def defined(self, name: str, value: Any, tree: ast.expr) -> Scope:
        """This scope with one more name, which the class defines."""
        own = given(tree, self.values)
        with suppress(OpenSize):  # too long: it stays as it is written
            own = own.substituted(self.lets)
        values = {**self.values, name: named(name, value, defined=True)}
        return replace(self, values=values, lets={**self.lets, name: own})

    def printable(self, tree: ast.expr) -> ast.expr:
        """The tree as the generated constructor has it."""
        known = {name: self.values[name] for name in self.unrolled}
        return Folder(known, IN_MATH).expression(tree)

    def unsettled(self, path: tuple[str, ...], mark: Mark) -> dict[str, SpecError]:
        """The sizes at a place that no expression gives in every use."""
        return {
            name: error
            for (owner, place, name, where), error in self.choices.failed.items()
            if (owner, place, where) == (self.owner, path, mark)
        }

    def settle(self, path: tuple[str, ...], argument: str, size: Any, step: LayerStep) -> Any:
        """The expression of an inferred size that is right in every use."""
        if not isinstance(size, (int, Size)):
            return size
        place = (self.owner, path, argument, step.mark)
        here = _substitution(self.values)
        self.choices.found.setdefault(place, []).append((size, here, step))
        if place not in self.choices.chosen:
            return size
        return substitute(self.choices.chosen[place], here)
