"""Tied parameters in stateless style: they have one key, the first, as named_parameters has it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from nngen.emit.parameters import flows_below, leaves_of
from nngen.emit.ties import in_order
from nngen.errors import SpecError
from nngen.graph.flow import Flow


@dataclass(frozen=True)
class OneKey:
    """Which key stands for each parameter of a class, and of the blocks in it."""

    flow: Flow

    @cached_property
    def before(self) -> dict[str, str]:
        """The keys without the class's own ties, each with the one that the blocks in it look under."""
        found = {leaf.key: leaf.key for leaf in leaves_of(self.flow)}
        for inner, prefix in flows_below(self.flow):
            found |= {prefix + key: prefix + one for key, one in OneKey(inner).after.items()}
        return found

    @cached_property
    def tensors(self) -> dict[str, str]:
        """The keys of `before`, each with the one that had its tensor before the class tied it to another.

        Raises:
            SpecError: what a block has tied, the class makes two again.
        """
        found = {one: one for one in self.before.values()}
        for left, right in in_order(self.flow.body.tie):
            if self.before[left.text] != left.text or left.text in self._shared:
                raise SpecError(
                    f"{left.text!r} is tied in its block already, so the class around it cannot tie it to another",
                    left.mark,
                    f"tie {right.text!r} to it: the other way around",
                )
            found[left.text] = found[self.before[right.text]]
        return found

    @cached_property
    def after(self) -> dict[str, str]:
        """The keys, each with the one under which its tensor is found: the first that has it."""
        first: dict[str, str] = {}
        for key, tensor in self.tensors.items():
            first.setdefault(tensor, key)
        return {key: first[self.tensors[one]] for key, one in self.before.items()}

    @cached_property
    def moves(self) -> list[tuple[str, str]]:
        """What the class's own ties do to the keys of `before`: each that is left, and the one that gets its tensor.

        A key that only goes stands alone, with "".
        """
        stays = {self.after[one]: self.tensors[one] for one in self.tensors}
        moved = [(tensor, key) for key, tensor in stays.items() if tensor != key]
        gone = {tensor for tensor, _ in moved}
        gone_only = [key for key in self.tensors if key not in stays and key not in gone]
        return [*moved, *((key, "") for key in gone_only)]

    @cached_property
    def _shared(self) -> set[str]:
        """The keys of `before` that stand for several parameters of a block."""
        ones = list(self.before.values())
        return {one for one in ones if ones.count(one) > 1}
