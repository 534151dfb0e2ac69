"""Rules of the recurrent layers and their cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from nngen.errors import Fault
from nngen.symbolic.broadcasting import Shape, show
from nngen.symbolic.rules.checks import require_weights_dtype
from nngen.symbolic.rules.common import require_rank, require_size, require_values, shape_of
from nngen.symbolic.sizes import Dim, symbol, value_of
from nngen.symbolic.tensor import Packed, Tensor


def recurrent(
    input: Tensor | Packed,
    hx: Tensor | None,
    input_size: Dim,
    hidden_size: Dim,
    num_layers: Dim,
    batch_first: bool,
    bidirectional: bool,
) -> tuple[Tensor | Packed, Tensor]:
    """(L, N, input_size), batch first or without batch, to the features of each step and the last hidden state."""
    directions = 2 if bidirectional else 1
    batch = _sequence(input, input_size, batch_first)
    state = (num_layers * directions, *batch, hidden_size)
    if hx is not None:
        _require_state(hx, state, "the hidden state")
    return _features(input, hidden_size * directions), Tensor(state, input.dtype)


def lstm(
    input: Tensor | Packed,
    hx: Any,
    input_size: Dim,
    hidden_size: Dim,
    num_layers: Dim,
    batch_first: bool,
    bidirectional: bool,
    proj_size: Dim,
) -> tuple[Tensor | Packed, tuple[Tensor, Tensor]]:
    """The same with a cell state beside the hidden state, which may be projected to a smaller size."""
    directions = 2 if bidirectional else 1
    batch = _sequence(input, input_size, batch_first)
    size = hidden_size if value_of(proj_size) == 0 else proj_size
    hidden = (num_layers * directions, *batch, size)
    cell = (num_layers * directions, *batch, hidden_size)
    if hx is not None:
        first, second = _pair(hx)
        _require_state(first, hidden, "the hidden state")
        _require_state(second, cell, "the cell state")
    output = _features(input, size * directions)
    return output, (Tensor(hidden, input.dtype), Tensor(cell, input.dtype))


def cell(input: Tensor, hx: Tensor | None, input_size: Dim, hidden_size: Dim) -> Tensor:
    """(N, input_size), or without batch, to (N, hidden_size)."""
    state = _step(input, input_size, hidden_size)
    if hx is not None:
        _require_state(hx, state, "the hidden state")
    return input.sized(*state)


def lstm_cell(input: Tensor, hx: Any, input_size: Dim, hidden_size: Dim) -> tuple[Tensor, Tensor]:
    """The same with a cell state beside the hidden state."""
    state = _step(input, input_size, hidden_size)
    if hx is not None:
        for tensor, what in zip(_pair(hx), ("the hidden state", "the cell state")):
            _require_state(tensor, state, what)
    return input.sized(*state), input.sized(*state)


def packed(input: Tensor, lengths: Any, batch_first: bool, enforce_sorted: bool) -> Packed:
    """Sequences (L, N, *), or batch first, without what lies beyond their lengths."""
    shape = require_rank(input, 3)
    batch, length = shape[not batch_first], shape[batch_first]
    if isinstance(lengths, Tensor):
        if lengths.dtype != "int64":
            raise Fault(f"the lengths must be int64, not {lengths.dtype}")
        require_size(require_rank(lengths, 1, of="the lengths")[0], batch, "the number of lengths")
        longest: Dim = symbol("max(lengths)")
    elif isinstance(lengths, (tuple, list)) and all(_is_length(each, length) for each in lengths):
        require_size(batch, len(lengths), "the batch size")
        longest = max(lengths)
        if enforce_sorted and list(lengths) != sorted(lengths, reverse=True):
            raise Fault(
                "the lengths must fall, unless `enforce_sorted=False`", "`enforce_sorted=False`"
            )
    else:
        raise Fault(f"the lengths are whole numbers from 1 to {length}, one for each sequence")
    return Packed(shape[2], batch, longest, enforce_sorted, input.dtype)


def _is_length(value: Any, length: Dim) -> bool:
    limit = value_of(length)
    whole = isinstance(value, int) and not isinstance(value, bool)
    return whole and value >= 1 and (limit is None or value <= limit)


def padded(sequence: Packed, batch_first: bool, total_length: Dim | None) -> tuple[Tensor, Tensor]:
    """The sequences, filled up to one length, and their lengths."""
    length = sequence.length if total_length is None else total_length
    batch = sequence.batch
    sizes = (batch, length) if batch_first else (length, batch)
    return Tensor((*sizes, sequence.features), sequence.dtype), Tensor((batch,), "int64")


def _features(input: Tensor | Packed, size: Dim) -> Tensor | Packed:
    """The input with features of another size."""
    if isinstance(input, Packed):
        return replace(input, features=size)
    return input.sized(*shape_of(input)[:-1], size)


def _sequence(input: Tensor | Packed, input_size: Dim, batch_first: bool) -> Shape:
    """The batch dimension of a sequence, if it has one."""
    if isinstance(input, Packed):
        require_size(input.features, input_size, "the size of a step of the input")
        return (input.batch,)
    shape = require_rank(input, 2, 3)
    require_values(shape)
    _require_features(input, input_size)
    return () if len(shape) == 2 else (shape[0 if batch_first else 1],)


def _step(input: Tensor, input_size: Dim, hidden_size: Dim) -> Shape:
    shape = require_rank(input, 1, 2)
    _require_features(input, input_size)
    return (*shape[:-1], hidden_size)


def _require_features(input: Tensor, input_size: Dim) -> None:
    require_weights_dtype(input)
    require_size(shape_of(input)[-1], input_size, "the last dimension of the input")


def _require_state(state: Tensor, wanted: Shape, what: str) -> None:
    shape = shape_of(state)
    if len(shape) != len(wanted):
        raise Fault(f"{what} must have the shape {show(wanted)}, not {show(shape)}")
    for position, (size, right) in enumerate(zip(shape, wanted)):
        require_size(size, right, f"dimension {position} of {what}")
    require_weights_dtype(state, what=what)


def _pair(hx: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    if len(hx) != 2:
        raise Fault(
            f"the state is a hidden state and a cell state, not {len(hx)} tensors",
            "`y, (h, c) = lstm(x, (h, c))`",
        )
    return hx[0], hx[1]
