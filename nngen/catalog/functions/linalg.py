"""Products of matrices and vectors, einsum, and Fourier transforms."""

from __future__ import annotations

from nngen.catalog import products
from nngen.catalog.entry import both, function
from nngen.catalog.since import Since
from nngen.symbolic.rules import linalg as rules

_SCALED = "*, beta: float = 1, alpha: float = 1"
_NORM = "norm: 'forward' | 'backward' | 'ortho' | None = None"
_LENGTH = f"input: Tensor, n: int | None = None, dim: int = -1, {_NORM}"
_SIZES = f"input: Tensor, s: list[int] | None = None, dim: list[int] = (-2, -1), {_NORM}"
_ALL_SIZES = f"input: Tensor, s: list[int] | None = None, dim: list[int] | None = None, {_NORM}"

FUNCTIONS = (
    function(
        both("matmul"),
        "input: Tensor, other: Tensor",
        rules.matmul,
        mult_adds=products.matrix_product,
    ),
    function(
        both("mm"), "input: Tensor, mat2: Tensor", rules.plain, mult_adds=products.matrix_product
    ),
    function(
        both("bmm"), "input: Tensor, mat2: Tensor", rules.batched, mult_adds=products.matrix_product
    ),
    function(
        both("mv"), "input: Tensor, vec: Tensor", rules.on_vector, mult_adds=products.matrix_product
    ),
    function(
        both("dot"),
        "input: Tensor, tensor: Tensor",
        rules.of_vectors,
        mult_adds=products.matrix_product,
    ),
    function(
        both("inner"),
        "input: Tensor, other: Tensor",
        rules.inner,
        mult_adds=products.matrix_product,
    ),
    function(both("outer"), "input: Tensor, vec2: Tensor", rules.outer),
    function(both("kron"), "input: Tensor, other: Tensor", rules.kron),
    function("torch.linalg.cross", "input: Tensor, other: Tensor, *, dim: int = -1", rules.cross),
    function(
        both("addmm"),
        f"input: Tensor, mat1: Tensor, mat2: Tensor, {_SCALED}",
        rules.added,
        mult_adds=products.added_product,
    ),
    function(
        both("baddbmm"),
        f"input: Tensor, batch1: Tensor, batch2: Tensor, {_SCALED}",
        rules.added_batch,
        mult_adds=products.added_batch_product,
    ),
    function(
        both("addbmm"),
        f"input: Tensor, batch1: Tensor, batch2: Tensor, {_SCALED}",
        rules.added_batches,
        mult_adds=products.added_batches,
    ),
    function(
        both("addmv"),
        f"input: Tensor, mat: Tensor, vec: Tensor, {_SCALED}",
        rules.added_vector,
        mult_adds=products.added_vector,
    ),
    function(
        both("addr"), f"input: Tensor, vec1: Tensor, vec2: Tensor, {_SCALED}", rules.added_outer
    ),
    function(both("trace"), "input: Tensor", rules.trace, since=Since(dtypes={"float16": "2.13"})),
    function(both("det logdet"), "input: Tensor", rules.determinant_method),
    function(both("inverse"), "input: Tensor", rules.inverse_method),
    function("torch.linalg.det", "A: Tensor", rules.determinant),
    function("torch.linalg.inv", "A: Tensor", rules.inverse),
    function(
        "torch.einsum",
        "equation: str, *operands: Tensor | list[Tensor]",
        rules.einsum,
        mult_adds=products.einsum,
    ),
    function(
        "torch.tensordot",
        "a: Tensor, b: Tensor, dims: int | list[int | list[int]] = 2",
        rules.tensordot,
        mult_adds=products.tensordot,
    ),
    function("torch.cdist", "x1: Tensor, x2: Tensor, p: float = 2.0", rules.distances),
    function("torch.fft.fft torch.fft.ifft", _LENGTH, rules.fourier),
    function("torch.fft.rfft", _LENGTH, rules.real_fourier),
    function("torch.fft.irfft", _LENGTH, rules.from_real_fourier),
    function("torch.fft.fft2 torch.fft.ifft2", _SIZES, rules.fourier_all),
    function("torch.fft.rfft2", _SIZES, rules.real_fourier_all),
    function("torch.fft.irfft2", _SIZES, rules.from_real_fourier_all),
    function("torch.fft.fftn torch.fft.ifftn", _ALL_SIZES, rules.fourier_all),
    function("torch.fft.rfftn", _ALL_SIZES, rules.real_fourier_all),
    function("torch.fft.irfftn", _ALL_SIZES, rules.from_real_fourier_all),
)
