"""Rules of what makes tensors from sizes and numbers."""

from __future__ import annotations

import math
from typing import Any

from nngen.errors import Fault
from nngen.symbolic import dtypes
from nngen.symbolic.broadcasting import Shape
from nngen.symbolic.rules.common import RunTimeSize, as_sizes, require_float, require_real, shape_of
from nngen.symbolic.sizes import Dim, Size, value_of
from nngen.symbolic.tensor import UNKNOWN, Tensor
from nngen.symbolic.untold import untold


def made(size: Any, dtype: str | None = None) -> Tensor:
    """zeros and ones."""
    return Tensor(_sizes(size), dtype or "float32")


def random(size: Any, dtype: str | None = None) -> Tensor:
    """rand and randn."""
    if dtype is not None and dtypes.category(dtype) < dtypes.FLOAT:
        raise Fault(f"random floats cannot be of dtype {dtype}")
    return made(size, dtype)


def random_integers(size: Any, high: Any, low: Any = 0, dtype: str | None = None) -> Tensor:
    least, beyond = _number(low), _number(high)
    if least is not None and beyond is not None and least >= beyond:
        raise Fault(f"there is no whole number from {low} to below {high}")
    return made(size, dtype or "int64")


def filled(size: Any, fill_value: Any, dtype: str | None = None) -> Tensor:
    if isinstance(fill_value, Tensor):
        if shape_of(fill_value):
            raise Fault(f"the value is a number or a tensor without dimensions, not {fill_value}")
        zero = {dtypes.BOOL: "bool", dtypes.INTEGER: "int64", dtypes.COMPLEX: "complex64"}
        return made(size, dtype or zero.get(dtypes.category(fill_value.dtype)))
    return made(size, dtype or _of(fill_value))


def like(input: Tensor, dtype: str | None = None) -> Tensor:
    return input.typed(dtype)


def random_like(input: Tensor, dtype: str | None = None) -> Tensor:
    require_float(input.typed(dtype))
    return input.typed(dtype)


def drawn(input: Tensor, p: float | None = None) -> Tensor:
    """bernoulli: one draw an element, by its own probability or by `p`."""
    if p is None:
        require_float(input)
    require_real(input)
    return input


def multinomial(input: Tensor, num_samples: Dim, replacement: bool) -> Tensor:
    shape = shape_of(input)
    require_float(input)
    require_real(input)
    if len(shape) not in (1, 2):
        raise Fault(f"it takes a vector or a matrix of weights, not {input}")
    count, choices = value_of(num_samples), value_of(shape[-1])
    if not replacement and count is not None and choices is not None and count > choices:
        raise Fault(f"{count} different ones cannot be drawn from {choices}")
    return Tensor((*shape[:-1], num_samples), "int64")


def integers_like(input: Tensor, high: Any, low: Any = 0, dtype: str | None = None) -> Tensor:
    if dtypes.category(dtype or input.dtype) in (dtypes.BOOL, dtypes.COMPLEX):
        raise Fault(f"whole numbers cannot be of dtype {dtype or input.dtype}")
    return random_integers(input.shape, high, low, dtype or input.dtype)


def new(input: Tensor, size: Any, dtype: str | None = None) -> Tensor:
    return made(size, dtype or input.dtype)


def new_filled(input: Tensor, size: Any, fill_value: Any, dtype: str | None = None) -> Tensor:
    return made(size, dtype or input.dtype)


def counted_up(end: Any, start: Any = 0, step: Any = 1, dtype: str | None = None) -> Tensor:
    """arange."""
    _require_known(start, end, step)
    numbers = [_number(value) for value in (start, end, step)]
    floats = any(isinstance(value, float) for value in (start, end, step))
    result = dtype or ("float32" if floats else "int64")
    if None not in numbers:
        first, last, by = numbers
        if by == 0 or (last - first) / by < 0:  # type: ignore[operator]
            raise Fault(f"there is no way from {start} to {end} in steps of {step}")
    if floats:
        if None in numbers:
            raise Fault("how many numbers there are is open until the model runs")
        count: Dim = math.ceil((last - first) / by)  # type: ignore[operator]
        sizes = [repr(str(each)) for each in (start, end, step) if isinstance(each, Size)]
        if sizes:
            count = untold(value_of(count), f"it depends on {' and '.join(sizes)}")
        return Tensor((count,), result)
    if isinstance(step, int) and step < 0:
        start, end, step = end, start, -step
    return Tensor(((end - start + step - 1) // step,), result)


def spaced(steps: Dim, dtype: str | None = None) -> Tensor:
    """linspace and logspace."""
    if (value_of(steps) or 0) < 0:
        raise Fault(f"the number of steps is at least 0, not {steps}")
    return made((steps,), dtype)


def identity(n: Dim, m: Dim | None = None, dtype: str | None = None) -> Tensor:
    return made((n, n if m is None else m), dtype)


def shuffled(n: Dim, dtype: str | None = None) -> Tensor:
    return made((n,), dtype or "int64")


def lower_indices(row: Dim, col: Dim, offset: Dim, dtype: str | None = None) -> Tensor:
    """tril_indices."""
    return made((2, _triangle(row, col, offset)), dtype or "int64")


def upper_indices(row: Dim, col: Dim, offset: Dim, dtype: str | None = None) -> Tensor:
    """triu_indices: all that tril_indices with one diagonal less leaves."""
    return made((2, row * col - _triangle(row, col, offset - 1)), dtype or "int64")


def _triangle(row: Dim, col: Dim, offset: Dim) -> Dim:
    """How many elements of a matrix are on or below a diagonal."""
    if row == col and isinstance(offset, int) and offset in (0, -1):
        return row * (row + 1) // 2 if offset == 0 else row * (row - 1) // 2
    numbers = value_of(row), value_of(col), value_of(offset)
    if None in numbers:
        raise RunTimeSize("how many elements a triangle has is open until the model runs")
    count = _counted(*numbers)  # type: ignore[arg-type]
    sizes = [str(size) for size in (row, col, offset) if isinstance(size, Size)]
    return untold(count, f"it depends on {' and '.join(map(repr, sizes))}") if sizes else count


def _counted(rows: int, columns: int, offset: int) -> int:
    first = min(max(1 + offset, 0), columns)
    growing = min(max(columns - max(1 + offset, 0), 0), max(rows - max(-offset - 1, 0), 0))
    start = max(-offset - 1, 0) if offset < 0 else 0
    counted = max(rows - start, 0)
    steps = min(counted, growing + 1)
    total = sum(min(first + i, columns) for i in range(min(steps, 100_000)))
    return total + max(counted - steps, 0) * columns


def grid(tensors: Any) -> tuple[Tensor, ...]:
    """meshgrid with indexing "ij"."""
    if len(tensors) == 1 and isinstance(tensors[0], tuple):
        tensors = tensors[0]
    if not tensors:
        raise Fault("meshgrid takes at least one vector")
    lengths: list[Dim] = []
    for tensor in tensors:
        if len(shape_of(tensor)) > 1:
            raise Fault(f"meshgrid takes vectors, not {tensor}")
        if tensor.dtype != tensors[0].dtype:
            raise Fault("meshgrid takes tensors of one dtype")
        lengths.append(tensor.shape[0] if tensor.shape else 1)
    return tuple(tensor.sized(*lengths) for tensor in tensors)


def mesh(tensors: Any, indexing: str | None) -> tuple[Tensor, ...]:
    if indexing is None:
        raise Fault("meshgrid's indexing must be said", '`indexing="ij"` or `indexing="xy"`')
    result = grid(tensors)
    if indexing == "xy" and len(result) > 1:
        rows, columns, *rest = shape_of(result[0])
        return tuple(tensor.sized(columns, rows, *rest) for tensor in result)
    return result


def literal(data: Any, dtype: str | None = None) -> Tensor:
    """torch.tensor of numbers in lists."""
    shape, numbers = _nested(data)
    found = max((_of(number) for number in numbers), key=dtypes.DTYPES.index, default="float32")
    return Tensor(shape, dtype or found)


def _nested(data: Any) -> tuple[Shape, list[Any]]:
    if isinstance(data, (tuple, list)):
        rows = [_nested(item) for item in data]
        if any(shape != rows[0][0] for shape, _ in rows):
            raise Fault("the lists must be of one length")
        inner = rows[0][0] if rows else ()
        return (len(rows), *inner), [number for _, numbers in rows for number in numbers]
    if data is not UNKNOWN and not isinstance(data, (bool, int, float, Size)):
        shown = f"a tensor {data}" if isinstance(data, Tensor) else repr(data)
        raise Fault(f"it takes numbers, not {shown}", "`torch.stack` joins tensors")
    return (), [0.0 if data is UNKNOWN else data]


def _of(number: Any) -> str:
    return "float32" if number is UNKNOWN else dtypes.of_number(number)


def _sizes(size: Any) -> Shape:
    sizes = as_sizes(size if isinstance(size, tuple) else (size,))
    for item in sizes:
        if (value_of(item) or 0) < 0:
            raise Fault(f"a size is at least 0, not {item}")
    return sizes


def _number(value: Any) -> float | None:
    return value_of(value) if isinstance(value, Size) else None if value is UNKNOWN else value


def _require_known(*values: Any) -> None:
    if any(value is UNKNOWN for value in values):
        raise RunTimeSize("a size must be known before the model runs")
