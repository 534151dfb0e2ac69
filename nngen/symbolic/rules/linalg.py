"""Rules of products: of matrices and vectors, einsum, and Fourier transforms."""

from __future__ import annotations

from typing import Any

from nngen.errors import Fault
from nngen.symbolic import dtypes
from nngen.symbolic.broadcasting import Shape, agree, axis, broadcast, show
from nngen.symbolic.rules.common import as_sizes, shape_of
from nngen.symbolic.sizes import Dim, value_of
from nngen.symbolic.tensor import Tensor, promote
from nngen.symbolic.tensor import matmul as _matmul


def matmul(input: Tensor, other: Tensor) -> Tensor:
    return _matmul(input, other)


def of_ranks(first: int, second: int) -> Any:
    """A matrix product of tensors with these numbers of dimensions, without broadcasting."""

    def rule(input: Tensor, other: Tensor) -> Tensor:
        left, right = _ranked(input, first), _ranked(other, second)
        if first == 3 and not agree(left[0], right[0]):
            raise Fault(f"the batches of {input} and {other} differ")
        return _matmul(input, other)

    return rule


mm, bmm, mv, dot = of_ranks(2, 2), of_ranks(3, 3), of_ranks(2, 1), of_ranks(1, 1)


def batched(input: Tensor, mat2: Tensor) -> Tensor:
    return bmm(input, mat2)  # type: ignore[no-any-return]


def plain(input: Tensor, mat2: Tensor) -> Tensor:
    return mm(input, mat2)  # type: ignore[no-any-return]


def on_vector(input: Tensor, vec: Tensor) -> Tensor:
    return mv(input, vec)  # type: ignore[no-any-return]


def of_vectors(input: Tensor, tensor: Tensor) -> Tensor:
    return dot(input, tensor)  # type: ignore[no-any-return]


def inner(input: Tensor, other: Tensor) -> Tensor:
    left, right = shape_of(input), shape_of(other)
    if not left or not right:
        return Tensor((*left, *right), promote(input, other))
    _require_one_dtype(input, other)
    if not agree(left[-1], right[-1]):
        raise Fault(f"the last dimensions of {input} and {other} differ")
    return input.sized(*left[:-1], *right[:-1])


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    return Tensor((*_ranked(input, 1), *_ranked(vec2, 1)), promote(input, vec2))


def kron(input: Tensor, other: Tensor) -> Tensor:
    left, right = shape_of(input), shape_of(other)
    rank = max(len(left), len(right))
    left, right = ((1,) * (rank - len(shape)) + shape for shape in (left, right))
    return Tensor(tuple(a * b for a, b in zip(left, right)), promote(input, other))


def cross(input: Tensor, other: Tensor, dim: int) -> Tensor:
    _require_one_dtype(input, other)
    if len(shape_of(input)) != len(shape_of(other)):
        raise Fault(f"{input} and {other} must have as many dimensions")
    shape = broadcast(input.shape, other.shape) or ()
    where = axis(dim, len(shape))
    for operand in (input, other):
        if not shape or value_of(shape_of(operand)[where]) not in (3, None):
            raise Fault(f"a cross product is of vectors of 3 elements, along dimension {dim}")
    return input.sized(*shape)


def added(input: Tensor, mat1: Tensor, mat2: Tensor) -> Tensor:
    return _added(input, mm(mat1, mat2))


def added_batch(input: Tensor, batch1: Tensor, batch2: Tensor) -> Tensor:
    return _added(input, bmm(batch1, batch2))


def added_batches(input: Tensor, batch1: Tensor, batch2: Tensor) -> Tensor:
    """addbmm: the products of all batches summed."""
    product = bmm(batch1, batch2)
    return _added(input, product.sized(*shape_of(product)[1:]))


def added_vector(input: Tensor, mat: Tensor, vec: Tensor) -> Tensor:
    return _added(input, mv(mat, vec))


def added_outer(input: Tensor, vec1: Tensor, vec2: Tensor) -> Tensor:
    product = outer(vec1, vec2)
    dtype = dtypes.joined(input.dtype, product.dtype)
    return _added(input.typed(dtype), product.typed(dtype))


def _added(input: Tensor, product: Tensor) -> Tensor:
    _require_one_dtype(input, product)
    shape = shape_of(product)
    if broadcast(input.shape, shape) != shape:
        raise Fault(f"{input} does not broadcast to {product}")
    return product


def trace(input: Tensor) -> Tensor:
    _ranked(input, 2)
    if input.dtype == "bool":
        raise Fault("a trace is of numbers, not of bool")
    return input.sized().typed(None if input.floating else "int64")


def determinant(A: Tensor) -> Tensor:
    return A.sized(*_square(A)[:-2])


def inverse(A: Tensor) -> Tensor:
    return A.sized(*_square(A))


def determinant_method(input: Tensor) -> Tensor:
    return determinant(input)


def inverse_method(input: Tensor) -> Tensor:
    return inverse(input)


def _square(matrix: Tensor) -> Shape:
    shape = shape_of(matrix)
    if len(shape) < 2 or not agree(shape[-1], shape[-2]):
        raise Fault(f"it takes square matrices, not {matrix}")
    if matrix.dtype in ("float16", "bfloat16") or not matrix.floating:
        raise Fault(f"it takes float32 or float64, not {matrix.dtype}")
    return shape


def distances(x1: Tensor, x2: Tensor) -> Tensor:
    """cdist: between the rows of both."""
    left, right = shape_of(x1), shape_of(x2)
    _require_one_dtype(x1, x2)
    _require_full_float(x1)
    if len(left) < 2 or len(right) < 2 or not agree(left[-1], right[-1]):
        raise Fault(f"it takes matrices with rows of one length, not {x1} and {x2}")
    batch = broadcast(left[:-2], right[:-2]) or ()
    return x1.sized(*batch, left[-2], right[-2])


def pair_distances(input: Tensor) -> Tensor:
    """pdist: between all rows."""
    rows, _ = _ranked(input, 2)
    _require_full_float(input)
    return input.sized(rows * (rows - 1) // 2)


def tensordot(a: Tensor, b: Tensor, dims: Any) -> Tensor:
    left, right = shape_of(a), shape_of(b)
    _require_one_dtype(a, b)
    if isinstance(dims, tuple):
        if len(dims) != 2 or len(as_sizes((dims[0],))) != len(as_sizes((dims[1],))):
            raise Fault("dims is a number, or a list of the dimensions of each, as many")
        first = [axis(dim, len(left)) for dim in as_sizes((dims[0],))]
        second = [axis(dim, len(right)) for dim in as_sizes((dims[1],))]
    else:
        if not 0 <= dims <= min(len(left), len(right)):
            raise Fault(f"{a} and {b} do not have {dims} dimensions in common")
        first, second = list(range(len(left) - dims, len(left))), list(range(dims))
    for i, j in zip(first, second):
        if not agree(left[i], right[j]):
            raise Fault(f"dimension {i} of {a} and dimension {j} of {b} differ")
    return a.sized(
        *(size for i, size in enumerate(left) if i not in first),
        *(size for j, size in enumerate(right) if j not in second),
    )


def einsum(equation: str, operands: Any) -> Tensor:
    """The sizes of the letters after the arrow; without one, of those that stand once, in order."""
    if len(operands) == 1 and isinstance(operands[0], tuple):
        operands = operands[0]
    terms, arrow, result = equation.replace(" ", "").partition("->")
    parts = terms.split(",")
    if len(parts) != len(operands):
        raise Fault(f"{equation!r} is for {len(parts)} tensors, not {len(operands)}")
    for operand in operands:
        _require_one_dtype(operands[0], operand)
    sizes: dict[str, Dim] = {}
    around: list[Shape] = []
    for part, operand in zip(parts, operands):
        around.append(_lettered(part, operand, sizes))
    batch = broadcast(*around) or ()
    if not arrow:
        letters = terms.replace(",", "").replace("...", "")
        result = "..." + "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    before, dots, after = result.partition("...")
    _require_letters(before + after)
    if len(set(before + after)) < len(before + after) or not set(before + after) <= set(sizes):
        raise Fault(f"the result of {equation!r} must take each letter once, from the tensors'")
    first: Tensor = operands[0]
    if len(operands) == 1 and not first.floating and set(before + after) < set(sizes):
        first = first.typed("int64")
    return first.sized(
        *(sizes[c] for c in before), *(batch if dots else ()), *(sizes[c] for c in after)
    )


def _lettered(part: str, operand: Tensor, sizes: dict[str, Dim]) -> Shape:
    """Note the sizes of a term's letters, and give those that its `...` stands for."""
    shape = shape_of(operand)
    before, dots, after = part.partition("...")
    _require_letters(before + after)
    extra = len(shape) - len(before + after)
    if extra < 0 or (extra and not dots):
        raise Fault(f"{part!r} is for {len(before + after)} dimensions, not for {operand}")
    ends = (*shape[: len(before)], *shape[len(before) + extra :])
    for letter, size in zip(before + after, ends):
        present = sizes.get(letter)
        if present is None or value_of(present) == 1:
            sizes[letter] = size
        elif value_of(size) != 1 and not agree(present, size):
            raise Fault(f"{letter!r} is {present} and {size}")
    return shape[len(before) : len(before) + extra]


def _require_letters(letters: str) -> None:
    if letters and not (letters.isascii() and letters.isalpha()):
        raise Fault(f"an equation is made of letters, `...`, `,` and `->`, not {letters!r}")


def fourier(input: Tensor, n: Any = None, dim: int = -1) -> Tensor:
    """fft and ifft."""
    return fourier_all(input, None if n is None else (n,), (dim,))


def fourier_all(input: Tensor, s: Any = None, dim: Any = None) -> Tensor:
    """fft2 and fftn, and back."""
    _, shape = _resized(input, s, dim)
    return input.sized(*shape).typed(dtypes.complex_of(dtypes.real(input.dtype)))


def real_fourier(input: Tensor, n: Any = None, dim: int = -1) -> Tensor:
    return real_fourier_all(input, None if n is None else (n,), (dim,))


def real_fourier_all(input: Tensor, s: Any = None, dim: Any = None) -> Tensor:
    """rfft2: of the last dimension one half."""
    if dtypes.category(input.dtype) == dtypes.COMPLEX:
        raise Fault("it takes real numbers")
    dims, shape = _resized(input, s, dim)
    shape[dims[-1]] = shape[dims[-1]] // 2 + 1
    return input.sized(*shape).typed(dtypes.complex_of(input.dtype))


def from_real_fourier(input: Tensor, n: Any = None, dim: int = -1) -> Tensor:
    return from_real_fourier_all(input, None if n is None else (n,), (dim,))


def from_real_fourier_all(input: Tensor, s: Any = None, dim: Any = None) -> Tensor:
    """irfft2: the half given back, to an even size unless one is said."""
    dims, shape = _resized(input, s, dim)
    if s is None:
        shape[dims[-1]] = 2 * (shape[dims[-1]] - 1)
    return input.sized(*shape).typed(
        "float64" if input.dtype in ("float64", "complex128") else "float32"
    )


def _resized(input: Tensor, sizes: Any, dim: Any) -> tuple[list[int], list[Dim]]:
    shape = list(shape_of(input))
    if input.dtype in ("float16", "bfloat16"):
        raise Fault(f"it does not take {input.dtype}")
    wanted = None if sizes is None else as_sizes(sizes)
    if dim is None:
        dim = range(-len(shape if wanted is None else wanted), 0)
    dims = [axis(item, len(shape)) for item in dim]
    if len(set(dims)) < len(dims) or not dims:
        raise Fault("dim names each dimension once")
    if wanted is not None and len(wanted) != len(dims):
        raise Fault(f"{show(wanted)} must be a size for each of {len(dims)} dimensions")
    for where, size in zip(dims, wanted or ()):
        if size != -1:
            shape[where] = size
    return dims, shape


def _ranked(tensor: Tensor, rank: int) -> Shape:
    shape = shape_of(tensor)
    if len(shape) != rank:
        raise Fault(f"it takes a tensor of {rank} dimension{'s' * (rank > 1)}, not {tensor}")
    return shape


def _require_full_float(tensor: Tensor) -> None:
    if tensor.dtype not in ("float32", "float64"):
        raise Fault(f"it takes float32 or float64, not {tensor.dtype}")


def _require_one_dtype(*tensors: Tensor) -> None:
    found = {tensor.dtype for tensor in tensors}
    if len(found) > 1:
        raise Fault(f"the tensors must be of one dtype, not {' and '.join(sorted(found))}")
