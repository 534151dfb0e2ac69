"""How many multiply-adds a layer or function takes: those of its convolutions and matrix products, and no others.

A rule is called with the arguments, inputs and state that it names by parameter name, and with `output`. It gives None
where the count cannot be told. Biases, element-wise arithmetic, norms, activations and lookups count nothing, as in
torch.utils.flop_counter.FlopCounterMode (which counts a multiply-add as two).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nngen.symbolic.broadcasting import Shape
from nngen.symbolic.sizes import Dim, product
from nngen.symbolic.tensor import Tensor

Rule = Callable[..., "Dim | None"]


def _shape(tensor: Tensor) -> Shape:
    assert tensor.shape is not None
    return tensor.shape


def _count(tensor: Tensor) -> Dim:
    return product(_shape(tensor))


def linear(output: Tensor, weight: Tensor) -> Dim:
    return _count(output) * _shape(weight)[-1]


def bilinear(output: Tensor, weight: Tensor) -> Dim:
    return _count(output) * product(_shape(weight)[1:])


def convolution(output: Tensor, weight: Tensor) -> Dim:
    return _count(output) * product(_shape(weight)[1:])


def transposed_convolution(input: Tensor, weight: Tensor) -> Dim:
    return _count(input) * product(_shape(weight)[1:])


def recurrent(input: Tensor, state: Mapping[str, Tensor]) -> Dim:
    """Each weight multiplies once at every time step."""
    steps = product(_shape(input)[:-1])
    weights = (_count(tensor) for name, tensor in state.items() if name.startswith("weight"))
    return steps * sum(weights, 0)


def attention_layer(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim: Dim,
    batch_first: bool,
    add_bias_kv: bool,
    add_zero_attn: bool,
) -> Dim:
    sources = _shape(key)[-2 if batch_first or len(_shape(key)) == 2 else 0]
    sources = sources + int(add_bias_kv) + int(add_zero_attn)
    projections = (2 * _count(query) + _count(key) + _count(value)) * embed_dim
    return projections + 2 * _count(query) * sources


def attention(query: Tensor, key: Tensor, output: Tensor) -> Dim:
    return (_count(query) + _count(output)) * _shape(key)[-2]


def matrix_product(input: Tensor, output: Tensor) -> Dim:
    return _count(output) * _shape(input)[-1]


def added_product(mat1: Tensor, output: Tensor) -> Dim:
    return _count(output) * _shape(mat1)[-1]


def added_batch_product(batch1: Tensor, output: Tensor) -> Dim:
    return _count(output) * _shape(batch1)[-1]


def added_batches(batch1: Tensor, batch2: Tensor) -> Dim:
    return _count(batch1) * _shape(batch2)[-1]


def added_vector(mat: Tensor) -> Dim:
    return _count(mat)


def tensordot(a: Tensor, dims: Any, output: Tensor) -> Dim:
    shape = _shape(a)
    if isinstance(dims, int):
        return _count(output) * product(shape[len(shape) - dims :])
    axes = dims[0] if isinstance(dims[0], (list, tuple)) else [dims[0]]
    return _count(output) * product(shape[axis] for axis in axes)


def einsum(equation: str, operands: Any, output: Tensor) -> Dim | None:
    """Of two tensors; what is summed in one of them alone is summed before they meet."""
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = operands[0]
    terms = equation.replace(" ", "").partition("->")[0].split(",")
    if len(operands) != 2 or "." in equation:
        return 0 if len(operands) == 1 else None
    sizes = [dict(zip(term, _shape(tensor))) for term, tensor in zip(terms, operands)]
    summed = sizes[0].keys() & sizes[1].keys() - set(equation.partition("->")[2])
    if "->" not in equation:
        summed = sizes[0].keys() & sizes[1].keys()
    return _count(output) * product(sizes[0][letter] for letter in sorted(summed))


def matmul(left: Tensor, output: Tensor) -> Dim:
    """The multiply-adds of `left @ right`."""
    return _count(output) * _shape(left)[-1]


def untold() -> None:
    """What depends on values: the targets decide which clusters of an adaptive softmax are computed."""
