"""Names: what a spec may call its model, layers and values, and what would meet something else."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Mapping

from nngen.catalog.reserved import CONTAINER_NAMES, MODULE_NAMES, SEQUENTIAL_NAMES
from nngen.errors import Mark, SpecError
from nngen.symbolic.identifiers import identifier, is_identifier

# What the generated files import or call by these names.
_IMPORTED = frozenset(
    {"F", "nn", "torch", "copy", "math", "Tensor", "OrderedDict", "self", "float", "training"}
)
# What a model with a loss has beside its layers, and variables of forward: no constructor's argument has such a name.
_OWN = frozenset({"x", "out", "criterion", "loss"})

# What may stand between the dots of a layer's name.
_WORD = r"[A-Za-z0-9][A-Za-z0-9_-]*"
# The name of a layer that is no name of Python's: `downs.0`, `block1-0`.
LABEL = rf"{_WORD}(?:\.{_WORD})*"


def check_class_name(name: str, mark: Mark) -> None:
    """Refuse a name that cannot be the class's.

    Raises:
        SpecError: it cannot.
    """
    _check_identifier(name, mark, "a class name, such as `MyModel`")
    if name in _IMPORTED or hasattr(builtins, name):
        raise _taken(name, mark)


def check_layer_name(name: str, mark: Mark) -> None:
    """Refuse a name that cannot be an attribute and a value.

    Raises:
        SpecError: it cannot.
    """
    _check_identifier(name, mark, "a name, such as `conv1`")
    if name in MODULE_NAMES:
        raise SpecError(f"every nn.Module has its own {name!r}", mark, "choose another name")
    # An attribute may be called self, as BERT's is; what it gives cannot be named, see the walker.
    if name in _IMPORTED - {"self"}:
        raise _taken(name, mark)


def check_label(name: str, mark: Mark) -> None:
    """Refuse what a layer cannot be called: a name, or one in containers, `downs.0`, or one with dashes.

    Raises:
        SpecError: it cannot.
    """
    first, *below = name.split(".")
    if is_identifier(name) or not re.fullmatch(r"[A-Za-z0-9_.-]+", name) or name.startswith("_"):
        check_layer_name(name, mark)
        return
    if len(name) > 100 or not re.fullmatch(LABEL, name):
        raise SpecError(
            f"{name!r} is not a name",
            mark,
            "between its dots stand letters, digits, `_` and `-`: `downs.0`, `block1-0`",
        )
    if is_identifier(first):
        check_layer_name(first, mark)
    for each in below:
        if each in CONTAINER_NAMES:
            raise SpecError(f"every container has its own {each!r}", mark, "choose another name")
    check_layer_name(identifier(name), mark)


def check_option_name(name: str, mark: Mark) -> None:
    """Refuse a name that cannot be a constructor's argument or a local size.

    Raises:
        SpecError: it cannot.
    """
    check_layer_name(name, mark)
    if name in _OWN:
        raise _taken(name, mark)
    if hasattr(builtins, name):
        raise SpecError(f"{name!r} is a function of Python's own", mark, "choose another name")
    if name in ("self", "i", "in_channels", "in_features", "fan_in", "fan_out"):
        raise SpecError(f"the name {name!r} has a meaning of its own", mark, "choose another name")


def check_child_name(name: str, mark: Mark) -> None:
    """Refuse a name that cannot be a child's in a Sequential.

    Raises:
        SpecError: it cannot.
    """
    if name in SEQUENTIAL_NAMES:
        raise SpecError(f"every nn.Sequential has its own {name!r}", mark, "choose another name")


def check_value_name(name: str, mark: Mark) -> None:
    """Refuse a name that cannot be a local variable of `forward`.

    Raises:
        SpecError: it cannot.
    """
    _check_identifier(name, mark, "a name, such as `y`")
    if name in _IMPORTED:
        raise _taken(name, mark)


def check_beside_loss(names: Mapping[str, Mark], single: bool) -> None:
    """Refuse attributes of a model that would meet those of its loss.

    Args:
        names: the attributes, with their places.
        single: the loss is one layer, which the model holds as `criterion`.

    Raises:
        SpecError: one would.
    """
    for name, mark in names.items():
        if name == "loss" or (single and name == "criterion"):
            raise SpecError(
                f"a model with a loss has its own {name!r}", mark, "choose another name"
            )


def _taken(name: str, mark: Mark) -> SpecError:
    return SpecError(
        f"the name {name!r} is taken in the generated code", mark, "choose another name"
    )


def _check_identifier(name: str, mark: Mark, wanted: str) -> None:
    if len(name) > 100 or not is_identifier(name):
        shown = name if len(name) <= 60 else name[:57] + "..."
        raise SpecError(f"{shown!r} is not a Python name", mark, f"write {wanted}")
    if keyword.iskeyword(name):
        raise SpecError(f"{name!r} is a word of Python's own", mark, "choose another name")
    bare = name.lstrip("_")
    if name != bare:
        raise SpecError(
            f"{name!r} begins with an underscore, as private names do",
            mark,
            f"call it {bare!r}" if bare.isidentifier() else "choose another name",
        )
