"""Rules of the recurrent layers and their cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nngen.errors import Fault
from nngen.shapes.common import demand_rank, demand_size, shape_of
from nngen.shapes.demands import demand_weights_dtype
from nngen.sizes import Dim, value_of
from nngen.tensors import Shape, Tensor, show


def recurrent(
    input: Tensor,
    hx: Tensor | None,
    input_size: Dim,
    hidden_size: Dim,
    num_layers: Dim,
    batch_first: bool,
    bidirectional: bool,
) -> tuple[Tensor, Tensor]:
    """(L, N, input_size), batch first or without batch, to the features of each step and the last hidden state."""
    directions = 2 if bidirectional else 1
    batch = _sequence(input, input_size, batch_first)
    state = (num_layers * directions, *batch, hidden_size)
    if hx is not None:
        _demand_state(hx, state, "the hidden state")
    output = input.sized(*shape_of(input)[:-1], hidden_size * directions)
    return output, input.sized(*state)


def lstm(
    input: Tensor,
    hx: Any,
    input_size: Dim,
    hidden_size: Dim,
    num_layers: Dim,
    batch_first: bool,
    bidirectional: bool,
    proj_size: Dim,
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """The same with a cell state beside the hidden state, which may be projected to a smaller size."""
    directions = 2 if bidirectional else 1
    batch = _sequence(input, input_size, batch_first)
    size = hidden_size if value_of(proj_size) == 0 else proj_size
    hidden = (num_layers * directions, *batch, size)
    cell = (num_layers * directions, *batch, hidden_size)
    if hx is not None:
        first, second = _pair(hx)
        _demand_state(first, hidden, "the hidden state")
        _demand_state(second, cell, "the cell state")
    output = input.sized(*shape_of(input)[:-1], size * directions)
    return output, (input.sized(*hidden), input.sized(*cell))


def cell(input: Tensor, hx: Tensor | None, input_size: Dim, hidden_size: Dim) -> Tensor:
    """(N, input_size), or without batch, to (N, hidden_size)."""
    state = _step(input, input_size, hidden_size)
    if hx is not None:
        _demand_state(hx, state, "the hidden state")
    return input.sized(*state)


def lstm_cell(input: Tensor, hx: Any, input_size: Dim, hidden_size: Dim) -> tuple[Tensor, Tensor]:
    """The same with a cell state beside the hidden state."""
    state = _step(input, input_size, hidden_size)
    if hx is not None:
        for tensor, what in zip(_pair(hx), ("the hidden state", "the cell state")):
            _demand_state(tensor, state, what)
    return input.sized(*state), input.sized(*state)


def _sequence(input: Tensor, input_size: Dim, batch_first: bool) -> Shape:
    """The batch dimension of a sequence, if it has one."""
    shape = demand_rank(input, 2, 3)
    _demand_features(input, input_size)
    return () if len(shape) == 2 else (shape[0 if batch_first else 1],)


def _step(input: Tensor, input_size: Dim, hidden_size: Dim) -> Shape:
    shape = demand_rank(input, 1, 2)
    _demand_features(input, input_size)
    return (*shape[:-1], hidden_size)


def _demand_features(input: Tensor, input_size: Dim) -> None:
    demand_weights_dtype(input)
    demand_size(shape_of(input)[-1], input_size, "the last dimension of the input")


def _demand_state(state: Tensor, wanted: Shape, what: str) -> None:
    shape = shape_of(state)
    if len(shape) != len(wanted):
        raise Fault(f"{what} must have the shape {show(wanted)}, not {show(shape)}")
    for position, (size, right) in enumerate(zip(shape, wanted)):
        demand_size(size, right, f"dimension {position} of {what}")
    demand_weights_dtype(state, what=what)


def _pair(hx: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    if len(hx) != 2:
        raise Fault(
            f"the state is a hidden state and a cell state, not {len(hx)} tensors",
            "`y, (h, c) = lstm(x, (h, c))`",
        )
    return hx[0], hx[1]
