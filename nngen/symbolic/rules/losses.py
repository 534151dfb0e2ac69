"""Rules of the losses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nngen.errors import Fault
from nngen.symbolic.broadcasting import Shape, broadcast, show
from nngen.symbolic.rules.checks import require_real
from nngen.symbolic.rules.common import array_shape, require_rank, shape_of
from nngen.symbolic.sizes import Size, value_of
from nngen.symbolic.substitution import same
from nngen.symbolic.tensor import Code, Tensor, promote


def matching_loss(
    input: Tensor, target: Tensor, reduction: str, weight: Tensor | None = None
) -> Tensor:
    """A loss of two tensors of one shape."""
    _require_numbers(input, target, weight)
    if not input.floating:
        require_real(target, "the input or the target")
    require_same(input, target)
    if weight is not None:
        require_same(input, weight, "the weight")
    dtype = promote(*(tensor for tensor in (input, target, weight) if tensor is not None))
    return reduced(Tensor(shape_of(input), dtype), reduction)


def smooth_l1_loss(input: Tensor, target: Tensor, reduction: str, beta: float) -> Tensor:
    """A loss of two tensors of one shape; `beta` bounds the error that is squared."""
    if (known(beta) or 0) < 0:
        raise Fault(f"beta must be at least 0, not {beta}")
    return matching_loss(input, target, reduction)


def huber_loss(
    input: Tensor, target: Tensor, reduction: str, weight: Tensor | None = None
) -> Tensor:
    """A loss of two tensors of one shape and dtype."""
    require_real(input)
    _require_one_dtype(input, target)
    return matching_loss(input, target, reduction, weight)


def promoting_loss(input: Tensor, target: Tensor, reduction: str) -> Tensor:
    """A loss of two tensors of floats that go together."""
    require_real(target, "the target")
    return rate_loss(input, target, reduction)


def rate_loss(input: Tensor, target: Tensor, reduction: str) -> Tensor:
    """A loss of rates and counts that go together."""
    require_real(input)
    _require_numbers(target)
    return reduced(Tensor(_together(input, target), promote(input, target)), reduction)


def hinge_embedding_loss(input: Tensor, target: Tensor, reduction: str) -> Tensor:
    """A loss of distances and signs that go together, in the dtype of the distances."""
    return replace(rate_loss(input, target, reduction), dtype=input.dtype)


def soft_margin_loss(input: Tensor, target: Tensor, reduction: str) -> Tensor:
    """A loss of scores and signs that go with them."""
    loss = hinge_embedding_loss(input, target, "none")
    _require_fit(input, loss, target, "the target")
    return reduced(loss, reduction)


def binary_cross_entropy(
    input: Tensor, target: Tensor, reduction: str, weight: Any = None
) -> Tensor:
    """A loss of probabilities and targets of one shape and dtype, with a weight that goes with them."""
    _require_one_dtype(input, target)
    return binary_loss(input, target, reduction, weight)


def binary_loss(
    input: Tensor, target: Tensor, reduction: str, weight: Any = None, pos_weight: Any = None
) -> Tensor:
    """A loss of scores and targets of one shape, with weights that go with them."""
    require_real(input)
    require_real(target, "the target")
    require_same(input, target)
    for name, given in (("weight", weight), ("pos_weight", pos_weight)):
        _weighted(input, given, name)
    return reduced(replace(target, shape=input.shape), reduction)


def multilabel_soft_margin_loss(
    input: Tensor, target: Tensor, reduction: str, weight: Any = None
) -> Tensor:
    """A loss of scores (*, C) and targets that go with them: (*)."""
    if not shape_of(input):
        raise Fault("the input must have at least 1 dimension")
    require_real(input)
    _require_numbers(target)
    loss = _weighted(Tensor(_together(input, target), promote(input, target)), weight, "weight")
    shape, axis = shape_of(loss), len(shape_of(input)) - 1
    return reduced(loss.sized(*shape[:axis], *shape[axis + 1 :]), reduction)


def gaussian_nll_loss(input: Tensor, target: Tensor, var: Tensor | float, reduction: str) -> Tensor:
    """A loss of means, targets, and variances of that shape, or one for each row or column."""
    require_real(input)
    _require_numbers(target)
    loss = Tensor(_together(input, target), promote(input, target))
    if isinstance(var, Tensor):
        require_real(var, "the variance")
        var = var.sized(*_variance(shape_of(input), shape_of(var)))
        loss = Tensor(_together(loss, var), promote(loss, var))
    return reduced(loss, reduction)


def _variance(input: Shape, var: Shape) -> Shape:
    if is_same(input, var):
        return var
    if len(var) == len(input) - 1 and is_same(input[:-1], var):
        return (*var, 1)
    differing = [v for i, v in zip(input, var) if same(i, v) is not True]
    if len(input) == len(var) and len(differing) <= 1 and all(value_of(v) == 1 for v in differing):
        return var
    raise Fault(
        f"the variance {show(var)} does not go with the input {show(input)}",
        "it has the input's shape, lacks its last dimension, or has one dimension of 1",
    )


def margin_ranking_loss(input1: Tensor, input2: Tensor, target: Tensor, reduction: str) -> Tensor:
    """A loss of two tensors of scores, and of signs."""
    shapes = [shape_of(tensor) for tensor in (input1, input2, target)]
    if len({len(shape) for shape in shapes}) > 1:
        raise Fault(f"all must have as many dimensions: {', '.join(map(show, shapes))}")
    for tensor, name in ((input1, "the first input"), (input2, "the second input")):
        require_real(tensor, name)
    _require_numbers(target)
    shape = broadcast(*shapes) or ()
    return reduced(Tensor(shape, promote(input1, input2, target)), reduction)


def cosine_embedding_loss(input1: Tensor, input2: Tensor, target: Tensor, reduction: str) -> Tensor:
    """A loss of two tensors of vectors (N, D), and of signs (N,)."""
    rank = len(require_rank(target, 0, 1, of="the target"))
    for tensor, name in ((input1, "the first input"), (input2, "the second input")):
        require_rank(tensor, rank + 1, of=name)
        require_real(tensor, name)
    shape = broadcast(input1.shape, input2.shape) or ()
    shape = broadcast(shape[:-1], target.shape) or ()
    return reduced(Tensor(shape, promote(input1, input2)), reduction)


def triplet_margin_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, swap: bool, reduction: str
) -> Tensor:
    """A loss of three tensors of vectors (N, D)."""
    return triplet_distance_loss(anchor, positive, negative, None, swap, reduction)


def triplet_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    distance_function: Any,
    swap: bool,
    reduction: str,
) -> Tensor:
    """A loss of three tensors, by the distances between them."""
    shapes = [shape_of(tensor) for tensor in (anchor, positive, negative)]
    if len({len(shape) for shape in shapes}) > 1:
        raise Fault(
            f"anchor, positive and negative must have as many dimensions: {', '.join(map(show, shapes))}"
        )
    for tensor, name in ((anchor, "anchor"), (positive, "positive"), (negative, "negative")):
        require_real(tensor, f"the {name}")
    pairs = [(anchor, positive), (anchor, negative), (positive, negative)]
    distances = [_distance(distance_function, *pair) for pair in pairs[: 3 if swap else 2]]
    shape = broadcast(*(distance.shape for distance in distances))
    return reduced(Tensor(shape, promote(*distances)), reduction)


def _distance(function: Any, left: Tensor, right: Tensor) -> Tensor:
    if callable(function):
        distance = function(left, right)
        if not isinstance(distance, Tensor):
            raise Fault("distance_function must give a tensor")
        return distance
    shape, dtype = _together(left, right), promote(left, right)
    name = function.text if isinstance(function, Code) else "F.pairwise_distance"
    if name in ("F.l1_loss", "F.mse_loss"):
        return matching_loss(left, right, "mean")
    axis = 1 if name == "F.cosine_similarity" else max(len(shape) - 1, 0)
    if axis >= max(len(shape), 1):
        raise Fault(f"{name} takes tensors of at least {axis + 1} dimensions, not {show(shape)}")
    return Tensor((*shape[:axis], *shape[axis + 1 :]), dtype)


def known(value: Any) -> Any:
    """A number, or None for a size that is open."""
    return value.value if isinstance(value, Size) else value


def reduced(unreduced: Tensor, reduction: str) -> Tensor:
    return unreduced if reduction == "none" else unreduced.sized()


def _require_numbers(*values: Tensor | None) -> None:
    for value in values:
        if value is not None and (value.dtype == "bool" or value.dtype.startswith("complex")):
            raise Fault(f"a loss takes numbers, not {value.dtype}")


def _require_one_dtype(input: Tensor, target: Tensor) -> None:
    if input.dtype != target.dtype:
        raise Fault(f"input and target must have one dtype, not {input.dtype} and {target.dtype}")


def require_same(input: Tensor, other: Tensor, what: str = "the target") -> None:
    if not is_same(shape_of(input), shape_of(other)):
        raise Fault(
            f"{what} {other} and the input {input} must have one shape",
            "torch would repeat one of them or fail; `unsqueeze`, `squeeze` or `expand` say what is meant",
        )


def _require_fit(input: Tensor, together: Tensor, other: Tensor, what: str) -> None:
    if not is_same(shape_of(together), shape_of(input)):
        raise Fault(f"{what} {other} does not fit into the input {input}")


def is_same(left: Shape, right: Shape) -> bool:
    """Whether two shapes are surely the same."""
    return len(left) == len(right) and all(same(a, b) is True for a, b in zip(left, right))


def _together(*values: Tensor) -> Shape:
    """The shape that all take together."""
    return broadcast(*(shape_of(value) for value in values)) or ()


def _weighted(loss: Tensor, weight: Any, name: str) -> Tensor:
    """The loss times a weight, which must fit into it."""
    if weight is None:
        return loss
    weights = weights_of(weight)
    _require_numbers(weights)
    try:
        together = Tensor(_together(loss, weights), promote(loss, weights))
    except Fault:
        raise Fault(
            f"{name} of shape {weights} does not go with the input {loss}",
            "as in broadcasting, its last dimension is that of the input, or 1",
        ) from None
    _require_fit(loss, together, weights, name)
    return together


def weights_of(weight: Any) -> Tensor:
    """A weight of a function, or of a layer, which makes a buffer of it."""
    return weight if isinstance(weight, Tensor) else Tensor(array_shape(weight))
