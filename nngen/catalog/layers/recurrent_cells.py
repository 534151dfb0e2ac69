"""Recurrent cells, one step of a sequence; and what they have in common with the layers of recurrent.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nngen.catalog import products
from nngen.catalog.entry import Layer, State, example, parameter
from nngen.errors import Fault
from nngen.symbolic.rules import recurrent
from nngen.symbolic.tensor import Packed

Values = Mapping[str, Any]

_DRAW = "nn.init.uniform_(parameter, -1 / math.sqrt(hidden_size), 1 / math.sqrt(hidden_size))"


def drawn_alike(state: Callable[[Values], tuple[State, ...]]) -> Callable[[Values], str]:
    """All weights from one range, in order of registration."""

    def draw(values: Values) -> str:
        names = ", ".join(s.name for s in state(values) if s.when == "True" or values[s.when])
        return f"for parameter in ({names}):\n    {_DRAW}"

    return draw


def is_batched(values: Values, rank: int) -> bool:
    """Whether the input has a batch dimension, and with it `rank` dimensions."""
    if isinstance(values["input"], Packed):
        return True
    shape = values["input"].shape
    if shape is None:
        raise Fault(
            "whether the input has a batch dimension is not known before the model runs",
            "give it a shape that can: `x = x.reshape(…)`",
        )
    return len(shape) == rank


def whole(*shape: int) -> dict[str, Any]:
    """An input of an example that is not a batch."""
    return {"shape": list(shape), "batch": False}


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
        batched = is_batched(values, 2)
        state = "hx" if batched else "hx.unsqueeze(0)"
        if values["hx"] is None:
            state = _NO_STATE[batched]
        called = _cell_call(function.format_map(values), values, batched, state)
        return f"out = {called}" if batched else f"out = {called}.squeeze(0)"

    return form


def _lstm_cell_form(values: Values) -> str:
    batched = is_batched(values, 2)
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
        draw=drawn_alike(lambda values: _cell_weights(gates)),
        stem=stem,
        mult_adds=products.recurrent,
        examples=(
            example((5,), hidden_size=6),
            example((5,), (6,), call=given, hidden_size=6, bias=False, **chosen),
            example((5,), (6,), call=given, input_size=5, hidden_size=6, bias=True),
            example(whole(5), hidden_size=6, bias=False, **chosen),
            example(whole(5), whole(6), call=given, hidden_size=6),
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
    draw=drawn_alike(lambda values: _cell_weights(4)),
    stem="lstm_cell",
    mult_adds=products.recurrent,
    examples=(
        example((5,), call="h, c = lstm_cell1(x)", hidden_size=6),
        example((5,), (6,), (6,), call="h, c = lstm_cell1(x, (h0, c0))", hidden_size=6, bias=False),
        example(whole(5), call="h, _ = lstm_cell1(x)", hidden_size=6, bias=False),
        example(
            whole(5),
            whole(6),
            whole(6),
            call="h, c = lstm_cell1(x, (h0, c0))",
            input_size=5,
            hidden_size=6,
        ),
    ),
)

LAYERS = (
    _cell(
        "RNNCell", "One step of an RNN: the next hidden state.", "torch.rnn_{nonlinearity}_cell", 1
    ),
    _LSTM_CELL,
    _cell("GRUCell", "One step of a GRU: the next hidden state.", "torch.gru_cell", 3),
)
