"""Runs the programs of pitfalls."""

from __future__ import annotations

import io
import warnings
from contextlib import redirect_stdout
from string import Formatter

import torch

from nngen.errors import NngenError
from nngen.teach.pitfalls.model import Half, Pitfall
from nngen.teach.pitfalls.outcome import Ran


def run_half(pitfall: Pitfall, half: Half) -> Ran:
    """Run one program of a pitfall.

    Raises:
        NngenError: it does not end as it should.
    """
    code, sentence = pitfall.code(half), pitfall.says(half)
    variables: dict[str, object] = {"__name__": "__main__"}
    output, error = _run(code, f"{pitfall.name}/{half}.py", variables)
    ended = type(error).__name__ if error else ""
    if ended != (pitfall.raises if half == "wrong" else ""):
        wanted = pitfall.raises if half == "wrong" and pitfall.raises else "no error"
        message = f"{pitfall.name}, {half}: expected {wanted} of torch {torch.__version__}"
        raise NngenError(f"{message}; it ended in {ended or 'no error'}\n{output}") from error
    fields = [field for _, field, _, _ in Formatter().parse(sentence) if field]
    numbers = {field: _number(variables[field]) for field in fields}
    return Ran(code, output, numbers, sentence, ended)


def _run(code: str, file: str, variables: dict[str, object]) -> tuple[str, Exception | None]:
    """What a reader sees who runs a program, and the error that it ends in."""
    printed = io.StringIO()
    error = None
    with (
        warnings.catch_warnings(record=True) as warned,
        redirect_stdout(printed),
        torch.random.fork_rng(devices=[]),
        torch.enable_grad(),
    ):
        warnings.simplefilter("always")
        try:
            exec(compile(code, file, "exec"), variables)  # noqa: S102  it is ours
        except Exception as raised:  # noqa: BLE001  what is wrong may raise anything
            error = raised
    lines = [f"{each.category.__name__}: {each.message}" for each in warned]
    lines += printed.getvalue().splitlines()
    lines += [f"{type(error).__name__}: {error}"] if error else []
    return "\n".join(lines), error


def _number(value: object) -> object:
    # A sum turns -0.0, which torch may well give, into the 0.0 that a sentence should show.
    return value + 0.0 if isinstance(value, float) else value
