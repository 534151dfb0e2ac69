"""From which torch on something is there; what says nothing is in the oldest that nngen supports, too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Since:
    """The first minor versions of torch that have a layer or function, or what came to it later.

    Attributes:
        whole: the first that has it: `2.13`.
        gradient: the first that computes its gradient.
        arguments: by argument, the first that takes it.
        numbers: by argument, the first that takes a number for it; before, it was a tensor.
        dtypes: by dtype, the first that computes with it on the CPU.
    """

    whole: str = ""
    gradient: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, str] = field(default_factory=dict)
    dtypes: Mapping[str, str] = field(default_factory=dict)

    def facts(self, name: str) -> Iterator[tuple[str, str]]:
        """In words what came later, each with the version that brought it; `name` has them."""
        if self.whole:
            yield name, self.whole
        if self.gradient:
            yield f"the gradient of {name}", self.gradient
        for argument, version in self.arguments.items():
            yield f"{argument} of {name}", version
        for argument, version in self.numbers.items():
            yield f"a number as {argument} of {name}", version
        for dtype, version in self.dtypes.items():
            yield f"{name} of {dtype}", version


# In each version that nngen supports.
ALWAYS = Since()
