"""Recurrent layers and their cells.

The weights of each layer and direction are parameters of their own, so state, draw and form are made from the
arguments. An input without a batch dimension gets one and loses it again, as torch's kernels want it; of a packed
sequence they take the steps, and how many sequences each time step has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nngen.catalog import products
from nngen.catalog.entry import Check, Layer, State, at_most, example, function, parameter
from nngen.errors import Fault
from nngen.symbolic.rules import recurrent
from nngen.symbolic.sizes import value_of
from nngen.symbolic.tensor import Packed

Values = Mapping[str, Any]

_DRAW = "nn.init.uniform_(parameter, -1 / math.sqrt(hidden_size), 1 / math.sqrt(hidden_size))"


def _draw(state: Callable[[Values], tuple[State, ...]]) -> Callable[[Values], str]:
    """All weights from one range, in order of registration."""

    def draw(values: Values) -> str:
        names = ", ".join(s.name for s in state(values) if s.when == "True" or values[s.when])
        return f"for parameter in ({names}):\n    {_DRAW}"

    return draw


def _batched(values: Values, rank: int) -> bool:
    """Whether the input has a batch dimension, and with it `rank` dimensions."""
    if isinstance(values["input"], Packed):
        return True
    shape = values["input"].shape
    if shape is None:
        raise Fault(
            "whether the input has a batch dimension cannot be told before the model runs",
            "give it a shape that can: `x = x.reshape(…)`",
        )
    return len(shape) == rank


# Layers


def _weights(gates: int) -> Callable[[Values], tuple[State, ...]]:
    """The weights of all layers and directions, in order of registration."""
    rows = "hidden_size" if gates == 1 else f"{gates} * hidden_size"

    def state(values: Values) -> tuple[State, ...]:
        projected = value_of(values.get("proj_size", 0)) != 0
        out = "proj_size" if projected else "hidden_size"
        directions = ("", "_reverse") if values["bidirectional"] else ("",)
        found: list[State] = []
        for layer in range(value_of(values["num_layers"]) or 1):
            below = f"{len(directions)} * {out}" if len(directions) > 1 else out
            columns = "input_size" if layer == 0 else below
            for direction in directions:
                suffix = f"l{layer}{direction}"
                found += [
                    parameter(f"weight_ih_{suffix}", f"torch.empty({rows}, {columns})"),
                    parameter(f"weight_hh_{suffix}", f"torch.empty({rows}, {out})"),
                ]
                if values["bias"]:
                    found += [
                        parameter(f"bias_ih_{suffix}", f"torch.empty({rows})"),
                        parameter(f"bias_hh_{suffix}", f"torch.empty({rows})"),
                    ]
                if projected:
                    found.append(
                        parameter(f"weight_hr_{suffix}", "torch.empty(proj_size, hidden_size)")
                    )
        return tuple(found)

    return state


def _call(function: str, weights: str, values: Values, state: str) -> str:
    source = "input" if _batched(values, 3) else "input.unsqueeze(batch_dim)"
    if isinstance(values["input"], Packed):
        return (
            f"{function}(input.data, input.batch_sizes, {state}, [{weights}], has_biases=bias, "
            "num_layers=num_layers, dropout=dropout, train=training, bidirectional=bidirectional)"
        )
    return (
        f"{function}({source}, {state}, [{weights}], has_biases=bias, num_layers=num_layers, "
        "dropout=dropout, train=training, bidirectional=bidirectional, batch_first=batch_first)"
    )


_LET = {
    "state_layers": "2 * num_layers if bidirectional else num_layers",
    "batch_dim": "0 if batch_first else 1",
}


def _zeros(values: Values, size: str) -> str:
    """The hidden state where none is given."""
    if isinstance(values["input"], Packed):
        return f"input.data.new_zeros(state_layers, input.batch_sizes[0], {size})"
    batched = _batched(values, 3)
    batch = "input.size(batch_dim)" if batched else "1"
    return f"input.new_zeros(state_layers, {batch}, {size})"


def _sorted(state: str, values: Values) -> str:
    """A given state in the order that a packed sequence has its sequences in."""
    if not isinstance(values["input"], Packed) or values["input"].in_order:
        return state
    return f"{state}.index_select(1, input.sorted_indices)"


def _results(values: Values, states: tuple[str, ...]) -> tuple[str, ...]:
    """The output and the states as the layer gives them."""
    if isinstance(values["input"], Packed):
        if values["input"].in_order:
            return ("nn.utils.rnn.PackedSequence(output, input.batch_sizes)", *states)
        sequence = (
            "nn.utils.rnn.PackedSequence(output, input.batch_sizes, input.sorted_indices, "
            "input.unsorted_indices)"
        )
        return (sequence, *(f"{s}.index_select(1, input.unsorted_indices)" for s in states))
    if _batched(values, 3):
        return ("output", *states)
    return ("output.squeeze(batch_dim)", *(f"{state}.squeeze(1)" for state in states))


def _form(function: str, gates: int) -> Callable[[Values], str]:
    """Of a layer with one hidden state."""
    weights = _weights(gates)

    def form(values: Values) -> str:
        batched = _batched(values, 3)
        name = function.format_map(values)
        state = _sorted("hx", values) if batched else "hx.unsqueeze(1)"
        if values["hx"] is None:
            state = _zeros(values, "hidden_size")
        called = _call(name, ", ".join(s.name for s in weights(values)), values, state)
        output, h_n = _results(values, ("h_n",))
        return f"output, h_n = {called}\nout = ({output}, {h_n})"

    return form


def _lstm_form(values: Values) -> str:
    batched = _batched(values, 3)
    weights = ", ".join(s.name for s in _weights(4)(values))
    lines = []
    state = "(hx[0].unsqueeze(1), hx[1].unsqueeze(1))"
    if batched:
        both = (_sorted("hx[0]", values), _sorted("hx[1]", values))
        state = "hx" if both[0] == "hx[0]" else f"({', '.join(both)})"
    if values["hx"] is None:
        projected = value_of(values["proj_size"]) != 0
        lines.append(f"zeros = {_zeros(values, 'proj_size' if projected else 'hidden_size')}")
        state = "(zeros, zeros)"
        if projected:
            lines.append(f"cell_zeros = {_zeros(values, 'hidden_size')}")
            state = "(zeros, cell_zeros)"
    lines.append(f"output, h_n, c_n = {_call('torch.lstm', weights, values, state)}")
    output, h_n, c_n = _results(values, ("h_n", "c_n"))
    lines.append(f"out = ({output}, ({h_n}, {c_n}))")
    return "\n".join(lines)


MOST_LAYERS = 100
_ARGUMENTS = (
    "input_size: size, hidden_size: size, /, num_layers: size = 1, {}bias: bool = True, "
    "batch_first: bool = False, dropout: probability = 0.0, bidirectional: bool = False"
)
_LONE = {"shape": [3, 5], "batch": False}
_WHOLE = {"shape": [2, 3, 5], "batch": False}


def _state(*shape: int) -> dict[str, Any]:
    return {"shape": list(shape), "batch": False}


def _layer(name: str, stem: str, doc: str, function: str, gates: int) -> Layer:
    """A layer with one hidden state."""
    extra = "nonlinearity: 'tanh' | 'relu' = 'tanh', " if name == "RNN" else ""
    both = f"y, h = {stem}1(x)"
    given = f"y, h = {stem}1(x, h0)"
    chosen = {"nonlinearity": "relu"} if name == "RNN" else {}
    return Layer(
        name,
        doc,
        _ARGUMENTS.format(extra),
        form=_form(function, gates),
        calls=function.format(nonlinearity="tanh"),
        shape=recurrent.recurrent,
        forward="input: Tensor | packed, hx: Tensor | None = None",
        infer={"input_size": "input.shape[-1]"},
        checks=at_most(MOST_LAYERS, "num_layers"),
        state=_weights(gates),
        draw=_draw(_weights(gates)),
        let=_LET,
        stem=stem,
        mult_adds=products.recurrent,
        examples=(
            example((4, 5), call=both, hidden_size=6),
            example((4, 5), call=f"y, _ = {stem}1(x)", hidden_size=6, batch_first=True, **chosen),
            example(
                (4, 5), call=both, hidden_size=6, num_layers=3, dropout=0.4, bidirectional=True
            ),
            example((4, 5), _state(1, 4, 6), call=given, input_size=5, hidden_size=6, bias=False),
            example(
                _WHOLE,
                _state(4, 2, 6),
                call=given,
                hidden_size=6,
                num_layers=2,
                batch_first=True,
                bidirectional=True,
                **chosen,
            ),
            example(_LONE, call=both, hidden_size=6, batch_first=True),
            example(_LONE, call=f"_, h = {stem}1(x)", hidden_size=6, num_layers=2, bias=False),
            example(_LONE, _state(2, 6), call=given, hidden_size=6, bidirectional=True, **chosen),
        ),
    )


_LSTM = Layer(
    "LSTM",
    "Long short-term memory over a sequence: the features of each step, the last hidden and cell state.",
    _ARGUMENTS.format("") + ", proj_size: count = 0",
    form=_lstm_form,
    calls="torch.lstm",
    shape=recurrent.lstm,
    forward="input: Tensor | packed, hx: list[Tensor] | None = None",
    infer={"input_size": "input.shape[-1]"},
    state=_weights(4),
    draw=_draw(_weights(4)),
    let=_LET,
    checks=(
        *at_most(MOST_LAYERS, "num_layers"),
        Check(
            "proj_size < hidden_size",
            "proj_size",
            "proj_size ({proj_size}) must be smaller than hidden_size ({hidden_size})",
        ),
    ),
    mult_adds=products.recurrent,
    examples=(
        example((4, 5), call="y, (h, c) = lstm1(x)", hidden_size=6),
        example((4, 5), call="y, _ = lstm1(x)", hidden_size=6, batch_first=True, proj_size=2),
        example(
            (4, 5),
            call="y, (h, c) = lstm1(x)",
            hidden_size=6,
            num_layers=3,
            dropout=0.4,
            bidirectional=True,
        ),
        example(
            (4, 5),
            call="y, (h, c) = lstm1(x)",
            hidden_size=6,
            num_layers=2,
            bidirectional=True,
            proj_size=3,
            bias=False,
        ),
        example(
            (4, 5),
            _state(1, 4, 6),
            _state(1, 4, 6),
            call="y, (h, c) = lstm1(x, (h0, c0))",
            input_size=5,
            hidden_size=6,
            bias=False,
        ),
        example(
            _WHOLE,
            _state(4, 2, 3),
            _state(4, 2, 6),
            call="y, (h, _) = lstm1(x, (h0, c0))",
            hidden_size=6,
            num_layers=2,
            batch_first=True,
            bidirectional=True,
            proj_size=3,
        ),
        example(_LONE, call="y, (h, c) = lstm1(x)", hidden_size=6, batch_first=True, proj_size=2),
        example(_LONE, call="y, _ = lstm1(x)", hidden_size=6, num_layers=2, dropout=0.5),
        example(
            _LONE,
            _state(2, 6),
            _state(2, 6),
            call="y, (h, c) = lstm1(x, (h0, c0))",
            hidden_size=6,
            bidirectional=True,
        ),
    ),
)


# Cells


def _cell_weights(gates: int) -> tuple[State, ...]:
    rows = "hidden_size" if gates == 1 else f"{gates} * hidden_size"
    return (
        parameter("weight_ih", f"torch.empty({rows}, input_size)"),
        parameter("weight_hh", f"torch.empty({rows}, hidden_size)"),
        parameter("bias_ih", f"torch.empty({rows})", when="bias"),
        parameter("bias_hh", f"torch.empty({rows})", when="bias"),
    )


_NO_STATE = {
    True: "input.new_zeros(input.size(0), hidden_size)",
    False: "input.new_zeros(1, hidden_size)",
}


def _cell_call(function: str, values: Values, batched: bool, state: str) -> str:
    source = "input" if batched else "input.unsqueeze(0)"
    biases = ", bias_ih, bias_hh" if values["bias"] else ""
    return f"{function}({source}, {state}, weight_ih, weight_hh{biases})"


def _cell_form(function: str) -> Callable[[Values], str]:
    def form(values: Values) -> str:
        batched = _batched(values, 2)
        state = "hx" if batched else "hx.unsqueeze(0)"
        if values["hx"] is None:
            state = _NO_STATE[batched]
        called = _cell_call(function.format_map(values), values, batched, state)
        return f"out = {called}" if batched else f"out = {called}.squeeze(0)"

    return form


def _lstm_cell_form(values: Values) -> str:
    batched = _batched(values, 2)
    lines = []
    state = "hx" if batched else "(hx[0].unsqueeze(0), hx[1].unsqueeze(0))"
    if values["hx"] is None:
        lines.append(f"zeros = {_NO_STATE[batched]}")
        state = "(zeros, zeros)"
    lines.append(f"h, c = {_cell_call('torch.lstm_cell', values, batched, state)}")
    lines.append("out = (h, c)" if batched else "out = (h.squeeze(0), c.squeeze(0))")
    return "\n".join(lines)


def _cell(name: str, doc: str, function: str, gates: int) -> Layer:
    """A cell with one hidden state."""
    extra = ", nonlinearity: 'tanh' | 'relu' = 'tanh'" if name == "RNNCell" else ""
    chosen = {"nonlinearity": "relu"} if name == "RNNCell" else {}
    stem = name.removesuffix("Cell").lower() + "_cell"
    given = f"h = {stem}1(x, h0)"
    return Layer(
        name,
        doc,
        f"input_size: size, hidden_size: size, /, bias: bool = True{extra}",
        form=_cell_form(function),
        calls=function.format(nonlinearity="tanh"),
        shape=recurrent.cell,
        forward="input: Tensor, hx: Tensor | None = None",
        infer={"input_size": "input.shape[-1]"},
        state=_cell_weights(gates),
        draw=_draw(lambda values: _cell_weights(gates)),
        stem=stem,
        mult_adds=products.recurrent,
        examples=(
            example((5,), hidden_size=6),
            example((5,), (6,), call=given, hidden_size=6, bias=False, **chosen),
            example((5,), (6,), call=given, input_size=5, hidden_size=6, bias=True),
            example(_state(5), hidden_size=6, bias=False, **chosen),
            example(_state(5), _state(6), call=given, hidden_size=6),
        ),
    )


_LSTM_CELL = Layer(
    "LSTMCell",
    "One step of an LSTM: the next hidden and cell state.",
    "input_size: size, hidden_size: size, /, bias: bool = True",
    form=_lstm_cell_form,
    calls="torch.lstm_cell",
    shape=recurrent.lstm_cell,
    forward="input: Tensor, hx: list[Tensor] | None = None",
    infer={"input_size": "input.shape[-1]"},
    state=_cell_weights(4),
    draw=_draw(lambda values: _cell_weights(4)),
    stem="lstm_cell",
    mult_adds=products.recurrent,
    examples=(
        example((5,), call="h, c = lstm_cell1(x)", hidden_size=6),
        example((5,), (6,), (6,), call="h, c = lstm_cell1(x, (h0, c0))", hidden_size=6, bias=False),
        example(_state(5), call="h, _ = lstm_cell1(x)", hidden_size=6, bias=False),
        example(
            _state(5),
            _state(6),
            _state(6),
            call="h, c = lstm_cell1(x, (h0, c0))",
            input_size=5,
            hidden_size=6,
        ),
    ),
)

LAYERS = (
    _layer(
        "RNN",
        "rnn",
        "A plain recurrence over a sequence: the features of each step, and the last hidden state.",
        "torch.rnn_{nonlinearity}",
        1,
    ),
    _LSTM,
    _layer(
        "GRU",
        "gru",
        "Gated recurrent units over a sequence: the features of each step, and the last hidden state.",
        "torch.gru",
        3,
    ),
    _cell(
        "RNNCell", "One step of an RNN: the next hidden state.", "torch.rnn_{nonlinearity}_cell", 1
    ),
    _LSTM_CELL,
    _cell("GRUCell", "One step of a GRU: the next hidden state.", "torch.gru_cell", 3),
)

# torch.lstm, torch.gru and their kin have no documented signature.
FUNCTIONS = (
    function(
        "nn.utils.rnn.pack_padded_sequence",
        "input: Tensor, lengths: any, batch_first: bool = False, enforce_sorted: bool = True",
        recurrent.packed,
    ),
    function(
        "nn.utils.rnn.pad_packed_sequence",
        "sequence: packed, batch_first: bool = False, padding_value: float = 0.0, "
        "total_length: size | None = None",
        recurrent.padded,
    ),
)
