"""Rules of what takes tensors apart and puts them together: chunk, split, unbind, cat, stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from nngen.errors import Fault
from nngen.symbolic.agreement import first_right
from nngen.symbolic.broadcasting import agree, axis, show
from nngen.symbolic.parts import Parts, parted
from nngen.symbolic.rules.common import as_sizes, shape_of
from nngen.symbolic.rules.reshaping import grown
from nngen.symbolic.sizes import Dim, Size, value_of
from nngen.symbolic.slicing import sliced
from nngen.symbolic.substitution import divides, minimum, quotient, same
from nngen.symbolic.tensor import MAX_PARTS, Tensor, promote, unbound
from nngen.symbolic.untold import untold


def unbind(input: Tensor, dim: int) -> Parts:
    return unbound(input, dim)


def chunk(input: Tensor, chunks: Dim, dim: int) -> Parts:
    """As many parts of one size, the last one smaller. An open size is taken to give all of them."""
    where, size = _dimension(input, dim)
    wanted, known = value_of(chunks), value_of(size)
    if wanted is None:
        raise Fault(f"how many parts there are, {chunks}, is open until the model runs")
    if wanted < 1:
        raise Fault(f"chunks must be at least 1, not {chunks}")
    _require_few(wanted if known is None else min(wanted, known))
    if isinstance(chunks, Size):
        each = (size + chunks - 1) // chunks
        even = quotient(size, chunks)
        sizes = [even] * wanted if divides(size, chunks) else _numbers(known, value_of(each))
        return _picking(_parts(input, where, sizes, chunks), (each, even))
    each = -(-size // wanted) if wanted != 2 else (size + 1) // 2
    length = value_of(each)
    if known is not None and length:
        wanted = -(-known // length)
    last = size - each * (wanted - 1) if wanted != 2 else size // 2
    parts = _parts(input, where, [*[each] * (wanted - 1), last])
    return _picking(parts, (each, last), least=chunks)


def split(tensor: Tensor, split_size_or_sections: Any, dim: int) -> Parts:
    return split_method(tensor, split_size_or_sections, dim)


def split_method(input: Tensor, split_size: Any, dim: int) -> Parts:
    """Parts of one size, the last one smaller, or parts of the sizes that a list gives."""
    where, size = _dimension(input, dim)
    if isinstance(split_size, tuple):
        return split_sizes(input, split_size, dim)
    length = as_sizes((split_size,))[0]
    if (value_of(length) or 0) < 0:
        raise Fault(f"split_size must be at least 1, not {length}")
    whole = size // length if value_of(length) != 0 else 0
    known, part, count = value_of(size), value_of(length), value_of(whole)
    if count is not None and count > 0 and same(size, whole * length):
        parts = _parts(input, where, [length] * _require_few(count), whole)
        return parts if isinstance(whole, int) else _picking(parts, (length,))
    if known is None or part is None:
        raise Fault(f"how many parts of {length} are in {size} is open until the model runs")
    if part < 1:
        raise Fault(f"split_size must be at least 1, not {length}")
    count = _require_few(max(-(-known // part), 1))
    parts = _parts(input, where, [*[length] * (count - 1), size - length * (count - 1)])
    return _picking(parts, (length,))


def split_sizes(input: Tensor, split_sizes: Any, dim: int) -> Parts:
    where, size = _dimension(input, dim)
    sizes = as_sizes(split_sizes)
    if any((value_of(part) or 0) < 0 for part in sizes) or not agree(_total(sizes), size):
        raise Fault(f"the parts {show(sizes)} do not add up to {size}, the size of dimension {dim}")
    return _parts(input, where, sizes)


def sections(input: Tensor, dim: int, sections: Any = None, indices: Any = None) -> Parts:
    """tensor_split: parts as equal as can be, or cut at indices."""
    where, size = _dimension(input, dim)
    if indices is not None:
        cuts = (0, *as_sizes(indices))
        bounds = zip(cuts, (*cuts[1:], None))
        return _parts(input, where, [sliced(size, slice(*pair)) for pair in bounds])
    count = as_sizes((sections,))[0]
    if not isinstance(count, int) or count < 1:
        raise Fault(f"the number of sections is a whole number of at least 1, not {count}")
    _require_few(count)
    return _parts(input, where, [(size + count - 1 - i) // count for i in range(count)])


def cat(tensors: Any, dim: int) -> Tensor:
    # torch takes an empty vector beside tensors of any shape, for history's sake.
    given, tensors = tensors, [*tensors]
    tensors = [t for t in tensors if shape_of(t) != (0,)] or tensors
    shapes = [shape_of(tensor) for tensor in tensors]
    if not shapes:
        raise Fault("there is nothing to concatenate")
    if not all(shapes):
        raise Fault("tensors without dimensions cannot be concatenated", "`torch.stack`")
    where = axis(dim, len(shapes[0]))
    for shape in shapes[1:]:
        if len(shape) != len(shapes[0]) or any(
            not agree(a, b) for i, (a, b) in enumerate(zip(shape, shapes[0])) if i != where
        ):
            raise Fault(
                f"the shapes {' and '.join(map(show, shapes))} differ in more than dimension {dim}"
            )
    total = _total([shape[where] for shape in shapes])
    if isinstance(given, Parts):
        along, whole = given.whole or (None, 0)
        total = whole if along == where else _number(given) * shapes[0][where]
    return Tensor((*shapes[0][:where], total, *shapes[0][where + 1 :]), promote(*tensors))


def stack(tensors: Any, dim: int) -> Tensor:
    shapes = [shape_of(tensor) for tensor in tensors]
    if not shapes:
        raise Fault("there is nothing to stack")
    for shape in shapes[1:]:
        if len(shape) != len(shapes[0]) or not all(map(agree, shape, shapes[0])):
            raise Fault(f"the shapes {' and '.join(map(show, shapes))} differ")
    where = axis(dim, len(shapes[0]) + 1)
    count = _number(tensors) if isinstance(tensors, Parts) else len(shapes)
    result = (*shapes[0][:where], count, *shapes[0][where:])
    return Tensor(result, promote(*tensors))


def hstack(tensors: Any) -> Tensor:
    rows = [grown(tensor, 1) for tensor in tensors]
    return cat(rows, 0 if rows and len(shape_of(rows[0])) == 1 else 1)


def vstack(tensors: Any) -> Tensor:
    return cat([grown(tensor, 2) for tensor in tensors], 0)


def dstack(tensors: Any) -> Tensor:
    return cat([grown(tensor, 3) for tensor in tensors], 2)


def column_stack(tensors: Any) -> Tensor:
    """Vectors as the columns of a matrix."""
    columns = [
        tensor.sized(*shape_of(tensor), 1) if len(shape_of(tensor)) == 1 else grown(tensor, 2)
        for tensor in tensors
    ]
    return cat(columns, 1)


def _dimension(input: Tensor, dim: int) -> tuple[int, Dim]:
    shape = shape_of(input)
    if not shape:
        raise Fault("a tensor without dimensions cannot be taken apart")
    where = axis(dim, len(shape))
    return where, shape[where]


def _parts(input: Tensor, where: int, sizes: Sequence[Dim], count: Dim | None = None) -> Parts:
    shape = shape_of(input)
    parts = (replace(input, shape=(*shape[:where], size, *shape[where + 1 :])) for size in sizes)
    return parted(parts, count, (where, shape[where]))


def _numbers(size: int | None, each: int | None) -> list[Dim]:
    """So many parts of one size, the last one smaller."""
    if size is None or not each:
        raise Fault("how many parts there are is open until the model runs")
    return [min(each, size - start) for start in range(0, max(size, 1), each)]


def _picking(parts: Parts, sizes: Sequence[Dim], least: int = 0) -> Parts:
    """Parts of which an index or a slice gives what it does however many there are.

    Args:
        parts: the parts.
        sizes: the size of all but the last; and what it, or the last, may be as well.
        least: a size of at least so much is taken apart.
    """
    assert parts.whole is not None
    each, (where, size), given = sizes[0], parts.whole, tuple(parts)
    if value_of(size) is None or (isinstance(size, int) and isinstance(each, int)):
        return parts

    def part(index: int, count: int | None = None) -> Tensor:
        """The part at an index, counted from the last where that is negative; of `count`, where so many are there."""

        def exact(whole: int, length: int) -> int | None:
            found = [min(length, whole - start) for start in range(0, whole, max(length, 1))]
            if whole < least or count not in (None, len(found)):
                return None
            return found[index] if -len(found) <= index < len(found) else None

        here = value_of(shape_of(given[index])[where])
        candidates = [*reversed(sizes), *([] if here is None else [here])]
        if index >= 0:
            rest = size - index * each
            candidates += [rest, minimum(each, rest)]
        found = first_right(exact, (size, each), candidates)
        vague = _vague(given[index], where, each)
        return _resized(given[index], where, vague if found is None else found)

    def picked(index: int | slice | None) -> Any:
        if index is None:
            *_, last = range(len(given))
            return (*(part(0, len(given)),) * last, part(last, len(given)))
        if isinstance(index, int):
            return part(index)
        taken = [_resized(part, where, _vague(part, where, each)) for part in given[index]]
        bounds = index.start, index.stop
        if index.step is None and all(each is None or each >= 0 for each in bounds):
            start, stop = (None if bound is None else each * bound for bound in bounds)
            return parted(taken, None, (where, sliced(size, slice(start, stop))))
        return tuple(taken)

    return parted(parts, parts.number, parts.whole, picked)


def _vague(part: Tensor, where: int, each: Dim) -> Dim:
    """The size of a part, of which it is known in this use alone how many are before it."""
    number = value_of(shape_of(part)[where])
    return untold(number, f"it depends on how many parts of {each} there are")


def _resized(part: Tensor, where: int, size: Dim) -> Tensor:
    shape = shape_of(part)
    return part.sized(*shape[:where], size, *shape[where + 1 :])


def _number(parts: Parts) -> Dim:
    return len(parts) if parts.number is None else parts.number


def _total(sizes: Sequence[Dim]) -> Dim:
    total: Dim = 0
    for size in sizes:
        total = total + size
    return total


def _require_few(count: int) -> int:
    if count > MAX_PARTS:
        raise Fault(f"{count} parts are more than the {MAX_PARTS} that a line may take apart")
    return count
