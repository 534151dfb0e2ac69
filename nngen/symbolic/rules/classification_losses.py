"""Rules of the losses of classes."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from nngen.errors import Fault
from nngen.symbolic.broadcasting import Shape, show
from nngen.symbolic.rules.checks import require_one_dtype, require_real, require_weights_dtype
from nngen.symbolic.rules.common import require_rank, require_size, require_values, shape_of
from nngen.symbolic.rules.losses import is_same, known, reduced, require_same, weights_of
from nngen.symbolic.sizes import Dim, product, value_of
from nngen.symbolic.substitution import same
from nngen.symbolic.tensor import Tensor, promote


def cross_entropy(
    input: Tensor, target: Tensor, reduction: str, weight: Any = None, ignore_index: int = -100
) -> Tensor:
    """A loss of logits (N, C, …), and of classes (N, …) or of probabilities (N, C, …)."""
    if not target.floating:
        return class_loss(input, target, reduction, weight)
    _require_classes(input, weight)
    require_real(target, "the target of probabilities")
    require_same(input, target, "the target of probabilities")
    if known(ignore_index) is None or known(ignore_index) >= 0:
        raise Fault("ignore_index goes with class indices, but the target holds floats")
    return reduced(Tensor(_rest(shape_of(input)), promote(input, target)), reduction)


def class_loss(input: Tensor, target: Tensor, reduction: str, weight: Any = None) -> Tensor:
    """A loss of scores (N, C, …) and classes (N, …)."""
    _require_classes(input, weight)
    rest = _rest(shape_of(input))
    _require_indices(target)
    if len(shape_of(input)) == len(shape_of(target)) == 1:
        raise Fault(f"the scores must have a dimension for the classes, (N, C), not {input}")
    if not is_same(shape_of(target), rest):
        raise Fault(
            f"the target {target} does not fit the scores {input}, whose classes are dimension "
            f"{_class_axis(input)}: class indices are {show(rest)}"
        )
    return reduced(input.sized(*rest), reduction)


def multi_margin_loss(
    input: Tensor, target: Tensor, reduction: str, p: int, weight: Any = None
) -> Tensor:
    """A loss of scores (N, C) and classes (N,), or of (C,) and one class."""
    if known(p) not in (1, 2):
        raise Fault(f"p must be 1 or 2, not {p}")
    require_values(require_rank(input, 1, 2))
    _require_full(input)
    return class_loss(input, target, reduction, weight)


def multilabel_margin_loss(input: Tensor, target: Tensor, reduction: str) -> Tensor:
    """A loss of scores and class indices, both (N, C) or (C,)."""
    shape = require_rank(input, 1, 2)
    require_values(shape)
    _require_full(input)
    _require_indices(target)
    require_same(input, target)
    return reduced(input.sized(*shape[:-1]), reduction)


def linear_cross_entropy_loss(
    input: Tensor,
    target: Tensor,
    in_features: Dim,
    num_classes: Dim,
    out_features: tuple[Dim, ...],
    weight: Any,
    reduction: str,
    ignore_index: int | None,
) -> Tensor:
    """A loss of features (N, in_features) and classes (N, *out_features)."""
    require_weights_dtype(input)
    return _linear_cross_entropy(
        input, target, in_features, num_classes, out_features, weight, reduction, ignore_index
    )


def _linear_cross_entropy(
    input: Tensor,
    target: Tensor,
    in_features: Dim,
    num_classes: Dim,
    out_features: tuple[Dim, ...],
    weight: Any,
    reduction: str,
    ignore_index: int | None,
) -> Tensor:
    shape = require_rank(input, 1, 2)
    require_size(shape[-1], in_features, "the last dimension of the input")
    if out_features and len(shape) == 1:
        raise Fault("with out_features the input must have 2 dimensions")
    logits = input.sized(*shape[:-1], num_classes, *out_features)
    ignored = -100 if ignore_index is None else ignore_index
    if target.floating and ignore_index is not None:
        raise Fault("ignore_index goes with class indices, but the target holds floats")
    return cross_entropy(logits, target, reduction, weight, ignored)


def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    linear_bias: Tensor | None,
    weight: Tensor | None,
    reduction: str,
    ignore_index: int | None,
) -> Tensor:
    """A loss of features (N, D), a weight (C, …, D) and classes (N, …)."""
    shape = shape_of(linear_weight)
    if len(shape) < 2:
        raise Fault(f"linear_weight must have at least 2 dimensions, not {show(shape)}")
    require_one_dtype(input, linear_weight, linear_bias)
    if linear_bias is not None and not is_same(shape_of(linear_bias), shape[:-1]):
        raise Fault(f"linear_bias must be {show(shape[:-1])}, not {linear_bias}")
    return _linear_cross_entropy(
        input, target, shape[-1], shape[0], shape[1:-1], weight, reduction, ignore_index
    )


def adaptive_log_softmax(
    input_: Tensor,
    target_: Tensor,
    in_features: Dim,
    n_classes: Dim,
    cutoffs: tuple[Dim, ...],
    div_value: float,
) -> tuple[Tensor, Tensor]:
    """Features (N, in_features) and classes (N,) to log probabilities (N,) and their loss."""
    ends = [value_of(end) for end in (0, *cutoffs, n_classes)]
    if len(ends) < 3 or any(a is None or b is None or a >= b for a, b in pairwise(ends)):
        raise Fault(
            f"cutoffs must grow, and end below the {n_classes} classes, not {show(cutoffs)}",
            "`cutoffs: [10, 100]` makes three clusters of frequent, rarer and rare classes",
        )
    divisor = known(div_value)
    if divisor is not None and len(cutoffs) * math.log2(divisor) >= 32:
        raise Fault(f"div_value {div_value} leaves no features to the clusters")
    shape = require_rank(input_, 2)
    require_weights_dtype(input_)
    require_size(shape[-1], in_features, "the last dimension of the input")
    _require_indices(target_)
    if not is_same(shape_of(target_), shape[:1]):
        raise Fault(f"the target {target_} does not fit the input {input_}")
    return input_.sized(*shape[:1]), input_.sized()


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int,
    reduction: str,
) -> Tensor:
    """A loss of log probabilities (T, N, C), targets (N, S) or all in one row, and the lengths of both (N,)."""
    shape = require_rank(log_probs, 2, 3, of="log_probs")
    require_values(shape)
    _require_full(log_probs, "log_probs")
    classes, index = value_of(shape[-1]), value_of(blank)
    if classes is not None and index is not None and index >= classes:
        raise Fault(f"blank is {blank}, but there are {classes} classes, counted from 0")
    if classes == 1:
        raise Fault("there is no class beside the blank", "one class more than there are labels")
    rank = len(shape_of(targets))
    if not (rank == 1 or rank == len(shape) - 1):
        raise Fault(f"the targets must be (N, S), or all in one row, not {targets}")
    _require_indices(targets, "int32")
    batch = shape[1:-1]
    if rank == 2:
        require_size(shape_of(targets)[0], batch[0], "the number of targets")
    if isinstance(input_lengths, Tensor) is not isinstance(target_lengths, Tensor):
        raise Fault("input_lengths and target_lengths must both be tensors or both be lists")
    for lengths, name in ((input_lengths, "input_lengths"), (target_lengths, "target_lengths")):
        if isinstance(lengths, Tensor):
            _require_lengths(lengths, name, batch)
    if isinstance(input_lengths, tuple) and isinstance(target_lengths, tuple):
        _require_listed(input_lengths, "input_lengths", product(batch), shape[0])
        most = shape_of(targets)[1] if rank == 2 else None
        _require_listed(target_lengths, "target_lengths", product(batch), most)
        if most is None and all(isinstance(length, int) for length in target_lengths):
            require_size(sum(target_lengths), shape_of(targets)[0], "the sum of target_lengths")
    return reduced(log_probs.sized(*batch), reduction)


def _require_lengths(lengths: Tensor, name: str, batch: Shape) -> None:
    if lengths.floating:
        raise Fault(f"{name} must hold whole numbers, not {lengths.dtype}")
    if same(product(shape_of(lengths)), product(batch)) is not True:
        raise Fault(f"{name} must be {show(batch)}, one for each sample, not {lengths}")


def _require_listed(lengths: tuple[Any, ...], name: str, batch: Dim, most: Dim | None) -> None:
    require_size(len(lengths), batch, f"the number of {name}")
    largest = max((length for length in lengths if isinstance(length, int)), default=0)
    if most is not None and (value_of(most - largest) or 0) < 0:
        raise Fault(f"{name} must be at most {most}, not {largest}")


def _class_axis(input: Tensor) -> int:
    return min(1, len(shape_of(input)) - 1)


def _rest(shape: Shape) -> Shape:
    """The shape of scores without their classes."""
    return (*shape[:1], *shape[2:]) if len(shape) > 1 else ()


def _require_classes(input: Tensor, weight: Any) -> None:
    """Refuse scores that are none, and weights that are not one for each class."""
    shape = shape_of(input)
    if not shape:
        raise Fault("the scores must have at least 1 dimension")
    require_real(input, "the scores")
    if weight is None:
        return
    weights, classes = weights_of(weight), shape[_class_axis(input)]
    given = shape_of(weights)
    if len(given) != 1 or same(given[0], classes) is not True:
        count = str(given[0]) if len(given) == 1 else show(given)
        raise Fault(
            f"weight has {count} values, but there are {classes} classes", "one for each class"
        )
    if input.dtype != weights.dtype:
        raise Fault(f"weight is {weights.dtype}, but the scores are {input.dtype}")


def _require_full(input: Tensor, what: str = "the input") -> None:
    if input.dtype not in ("float32", "float64"):
        raise Fault(f"{what} must hold floats of 32 or 64 bits, not {input.dtype}")


def _require_indices(target: Tensor, *more: str) -> None:
    if target.dtype not in ("int64", *more):
        raise Fault(
            f"the target must hold class indices (int64), not {target.dtype}",
            "give the input `dtype: int64` and `below:` the number of classes",
        )
