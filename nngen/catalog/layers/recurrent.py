"""Recurrent layers and their cells.

The weights of each layer and direction are parameters of their own, so state, draw and form are made from the
arguments. An input without a batch dimension gets one and loses it again, as torch's kernels want it; of a packed
sequence they take the steps, and how many sequences each time step has.
"""

from __future__ import annotations

from collections.abc import Callable

from nngen.catalog import products
from nngen.catalog.entry import Check, Layer, State, at_most, example, function, parameter
from nngen.catalog.layers import recurrent_cells
from nngen.catalog.layers.recurrent_cells import Values, drawn_alike, is_batched, whole
from nngen.symbolic.rules import recurrent
from nngen.symbolic.sizes import value_of
from nngen.symbolic.tensor import Packed


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
    source = "input" if is_batched(values, 3) else "input.unsqueeze(batch_dim)"
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
    batched = is_batched(values, 3)
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
    if is_batched(values, 3):
        return ("output", *states)
    return ("output.squeeze(batch_dim)", *(f"{state}.squeeze(1)" for state in states))


def _form(function: str, gates: int) -> Callable[[Values], str]:
    """Of a layer with one hidden state."""
    weights = _weights(gates)

    def form(values: Values) -> str:
        batched = is_batched(values, 3)
        name = function.format_map(values)
        state = _sorted("hx", values) if batched else "hx.unsqueeze(1)"
        if values["hx"] is None:
            state = _zeros(values, "hidden_size")
        called = _call(name, ", ".join(s.name for s in weights(values)), values, state)
        output, h_n = _results(values, ("h_n",))
        return f"output, h_n = {called}\nout = ({output}, {h_n})"

    return form


def _lstm_form(values: Values) -> str:
    batched = is_batched(values, 3)
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
        draw=drawn_alike(_weights(gates)),
        let=_LET,
        stem=stem,
        mult_adds=products.recurrent,
        examples=(
            example((4, 5), call=both, hidden_size=6),
            example((4, 5), call=f"y, _ = {stem}1(x)", hidden_size=6, batch_first=True, **chosen),
            example(
                (4, 5), call=both, hidden_size=6, num_layers=3, dropout=0.4, bidirectional=True
            ),
            example((4, 5), whole(1, 4, 6), call=given, input_size=5, hidden_size=6, bias=False),
            example(
                _WHOLE,
                whole(4, 2, 6),
                call=given,
                hidden_size=6,
                num_layers=2,
                batch_first=True,
                bidirectional=True,
                **chosen,
            ),
            example(_LONE, call=both, hidden_size=6, batch_first=True),
            example(_LONE, call=f"_, h = {stem}1(x)", hidden_size=6, num_layers=2, bias=False),
            example(_LONE, whole(2, 6), call=given, hidden_size=6, bidirectional=True, **chosen),
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
    draw=drawn_alike(_weights(4)),
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
            whole(1, 4, 6),
            whole(1, 4, 6),
            call="y, (h, c) = lstm1(x, (h0, c0))",
            input_size=5,
            hidden_size=6,
            bias=False,
        ),
        example(
            _WHOLE,
            whole(4, 2, 3),
            whole(4, 2, 6),
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
            whole(2, 6),
            whole(2, 6),
            call="y, (h, c) = lstm1(x, (h0, c0))",
            hidden_size=6,
            bidirectional=True,
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
    *recurrent_cells.LAYERS,
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
