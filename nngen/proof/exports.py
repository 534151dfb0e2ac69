"""The twins as others use them: torch.func, torch.export, ONNX, safetensors, torch.compile.

What torch cannot do with the nn twin, its own layers, does not apply, and is told so; what it
cannot do with the functional twin alone is a difference.
"""

from __future__ import annotations

import io
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn

from nngen.errors import NngenError
from nngen.packages import install
from nngen.proof.bench import Act, Bench
from nngen.proof.bits import frozen, leaves
from nngen.proof.carried import State, check_file
from nngen.proof.feed import Feed
from nngen.proof.ledger import Seen
from nngen.proof.observe import see_outputs, see_step
from nngen.proof.options import Conditions
from nngen.proof.twin import Twin

MESSAGE = 200  # characters of a message that may go on for pages
COMPILERS = ("g++", "clang++", "c++", "cl")


class NothingToDerive(Exception):
    """No output of the model is a floating-point number."""


@dataclass(frozen=True)
class Export:
    """One way to use the twins.

    Args:
        group: the line of the table.
        check: does it.
        packages: what it needs to be installed.
    """

    group: str
    check: Callable[[Bench], None]
    packages: tuple[str, ...] = ()

    @property
    def lacks(self) -> str:
        """What is not there, and how to get it; empty where all is."""
        missing = [package for package in self.packages if find_spec(package) is None]
        if missing:
            return f"{', '.join(missing)} not installed: {install('verify')}"
        named = os.environ.get("CXX")
        if self.group == "torch.compile" and not any(map(shutil.which, (named or "", *COMPILERS))):
            return "no C++ compiler found: install g++ or clang++"
        return ""


def exports_for(conditions: Conditions) -> tuple[Export, ...]:
    """What the conditions ask for.

    Raises:
        NngenError: something that it needs is not there; with `everything`, that is told
            where the check would stand.
    """
    asked = [
        *(EXPORTS if conditions.exports or conditions.everything else ()),
        *((COMPILE,) if conditions.compile or conditions.everything else ()),
    ]
    if not conditions.everything:
        for export in asked:
            if export.lacks:
                raise NngenError(f"{export.group}: {export.lacks}")
    return tuple(_told(export) if export.lacks else export for export in asked)


def _told(export: Export) -> Export:
    def check(bench: Bench) -> None:
        bench.ledger.skip(export.group, export.lacks)

    return replace(export, check=check)


def _settle(bench: Bench, group: str, act: Act, where: str = "", owning: bool = False) -> None:
    """Compares what the twins saw, or tells why torch cannot do it with the nn twin.

    Args:
        bench: the twins.
        group: the line of the table.
        act: what to do with a twin.
        where: the conditions.
        owning: only with those that own their state, as it is about modules.
    """
    where = (where or group) + bench.beside
    with _quiet():
        nn_run, *others = (
            bench.run_copy(twin, where, partial(_plainly, act))
            for twin in bench.twins
            if twin.owns_state or not owning
        )
    if nn_run.finding:
        both = "both twins raise" if others[0].finding else "the nn twin alone raises"
        raised = nn_run.finding
        bench.ledger.skip(group, f"{both} {raised.error}: {_short(raised.message)}")
        return
    for run in others:
        if run.finding:
            finding = replace(run.finding, message=_short(run.finding.message))
            bench.ledger.find(finding, bench.ledger.beside(run.style) + group)
        else:
            bench.ledger.settle((nn_run, run), group, where)


def _plainly(act: Act, twin: Twin, model: nn.Module, seen: Seen) -> None:
    """Raises what was the matter, not what an exporter says of it."""
    try:
        act(twin, model, seen)
    except Exception as error:  # noqa: BLE001  a twin may raise anything
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        raise cause from None


def _short(message: str) -> str:
    """The first sentences of a message."""
    return message if len(message) <= MESSAGE else f"{message[:MESSAGE].rsplit(' ', 1)[0]} …"


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps what exporters print and log from the report."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(before)


def _total(output: object) -> Tensor:
    """One number to derive: the sum of all outputs that can be derived.

    Raises:
        NothingToDerive: there is none.
    """
    tensors = [leaf for _, leaf in leaves(output, "") if isinstance(leaf, Tensor)]
    parts = [torch.view_as_real(one.resolve_conj()) if one.is_complex() else one for one in tensors]
    sums = [part.sum() for part in parts if part.is_floating_point()]
    if not sums:
        raise NothingToDerive("no output is a floating-point number")
    return torch.stack([part.to(sums[0].dtype) for part in sums]).sum()


def _see_gradients(twin: Twin, model: nn.Module, gradients: dict[str, Tensor], seen: Seen) -> None:
    """Adds the gradients; that of a parameter which is tied comes under each of its names."""
    of = {id(one): gradients[name] for name, one in model.named_parameters()}
    seen["gradients"] = {name: frozen(of[id(one)]) for name, one in twin.parameters(model)}


def _check_functional_call(bench: Bench) -> None:
    feed = bench.feed(bench.largest)

    def act(twin: Twin, model: nn.Module, seen: Seen) -> None:
        state = {name: one.clone() for name, one in (_parameters(model) | _buffers(model)).items()}
        for parameter in model.parameters():
            parameter.detach().zero_()  # what counts is what it is called with
        with torch.no_grad():
            output = twin.call(model.eval(), state, tuple(feed.copied().inputs.values()))
        seen["outputs"] = {name: frozen(leaf) for name, leaf in leaves(output, "output")}

    _settle(bench, "torch.func.functional_call", act)


def _check_grad(bench: Bench) -> None:
    feed = bench.feed(bench.largest)

    def act(twin: Twin, model: nn.Module, seen: Seen) -> None:
        inputs = tuple(feed.copied().inputs.values())

        def total(parameters: dict[str, Tensor]) -> Tensor:
            return _total(twin.call(model, parameters, inputs))

        model.eval()
        _see_gradients(twin, model, torch.func.grad(total)(_parameters(model)), seen)

    _settle(bench, "torch.func.grad", act)


def _check_vmap(bench: Bench) -> None:
    feed = bench.feed(bench.largest)
    batched = [spec.batch for spec in bench.subject.inputs]

    def act(twin: Twin, model: nn.Module, seen: Seen) -> None:
        inputs = tuple(feed.copied().inputs.values())

        def total(parameters: dict[str, Tensor], *sample: Tensor) -> Tensor:
            given = (one[None] if is_ else one for one, is_ in zip(sample, batched, strict=True))
            return _total(twin.call(model, parameters, tuple(given)))

        model.eval()
        along = (None, *(0 if is_ else None for is_ in batched))
        of_each = torch.func.vmap(torch.func.grad(total), in_dims=along)
        _see_gradients(twin, model, of_each(_parameters(model), *inputs), seen)

    _settle(bench, "torch.func.vmap of grad", act)


def _check_ensemble(bench: Bench) -> None:
    """Two models of one class at once, their parameters and buffers stacked."""
    feed = bench.feed(bench.largest)

    def act(twin: Twin, model: nn.Module, seen: Seen) -> None:
        inputs = tuple(feed.copied().inputs.values())
        state = _parameters(model) | _buffers(model)
        stacked = {name: torch.stack([one, 2 * one]) for name, one in state.items()}
        model.eval()
        run = torch.func.vmap(lambda state: twin.call(model, state, inputs))
        with torch.no_grad():
            output = run(stacked)
        seen["outputs"] = {name: frozen(leaf) for name, leaf in leaves(output, "output")}

    _settle(bench, "torch.func.vmap of models", act)


def _parameters(model: nn.Module) -> dict[str, Tensor]:
    return {name: parameter.detach() for name, parameter in model.named_parameters()}


def _buffers(model: nn.Module) -> dict[str, Tensor]:
    return dict(model.named_buffers())


def _check_export(bench: Bench) -> None:
    feed = bench.feed(bench.largest)

    def act(twin: Twin, model: nn.Module, seen: Seen) -> None:
        with torch.no_grad():
            program = torch.export.export(model.eval(), tuple(feed.copied().inputs.values()))
            see_outputs(program.module(), feed.copied(), seen)

    _settle(bench, "torch.export", act)


def _check_onnx(bench: Bench) -> None:
    feed = bench.feed(bench.largest)

    def act(twin: Twin, model: nn.Module, seen: Seen) -> None:
        inputs = tuple(feed.copied().inputs.values())
        with torch.no_grad():
            program = torch.onnx.export(model.eval(), inputs, dynamo=True, verbose=False)
        assert program is not None
        outputs = _run_onnx(program.model_proto.SerializeToString(), feed, bench.conditions)
        seen["outputs"] = {
            f"output {number}": torch.from_numpy(output) for number, output in enumerate(outputs)
        }

    _settle(bench, "ONNX in onnxruntime", act, owning=True)


def _run_onnx(model: bytes, feed: Feed, conditions: Conditions) -> Sequence[Any]:
    import onnxruntime  # type: ignore[import-untyped]

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = conditions.threads
    options.use_deterministic_compute = True
    options.log_severity_level = 4  # what is wrong, it raises
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    # An input that the model does not use is not one of the exported model's.
    given = {one.name: feed.inputs[one.name].cpu().numpy() for one in session.get_inputs()}
    outputs: Sequence[Any] = session.run(None, given)
    return outputs


def _check_safetensors(bench: Bench) -> None:
    group = "safetensors"
    try:
        _through_safetensors(dict(bench.models[0].state_dict()))
    except Exception as error:  # noqa: BLE001  whatever it does not take
        bench.ledger.skip(group, f"{type(error).__name__}: {_short(str(error))}")
    else:
        check_file(bench, group, _through_safetensors)


def _through_safetensors(state: State) -> State:
    from safetensors.torch import load, save

    # Tensors of their own: safetensors refuses those that share memory, as tied ones do.
    loaded: State = load(save({key: one.detach().clone() for key, one in state.items()}))
    return loaded


def _check_compile(bench: Bench) -> None:
    for mode in ("eval", "train"):
        _check_compiled(bench, mode)


def _check_compiled(bench: Bench, mode: str) -> None:
    """Compared with each other, not with the twins as they are: fused, they round otherwise."""
    feed = bench.feed(bench.largest)

    def act(twin: Twin, model: nn.Module, seen: Seen) -> None:
        torch.compiler.reset()
        model.train(mode == "train").compile(fullgraph=True)
        with torch.set_grad_enabled(mode == "train"):
            see_step(twin, model, feed, bench.seed, seen)

    group = f"torch.compile, {mode}"
    try:
        _settle(bench, group, act)
    finally:
        torch.compiler.reset()


EXPORTS = (
    Export("safetensors", _check_safetensors, ("safetensors",)),
    Export("torch.func.functional_call", _check_functional_call),
    Export("torch.func.grad", _check_grad),
    Export("torch.func.vmap of grad", _check_vmap),
    Export("torch.func.vmap of models", _check_ensemble),
    Export("torch.export", _check_export),
    Export("ONNX in onnxruntime", _check_onnx, ("onnx", "onnxscript", "onnxruntime")),
)
COMPILE = Export("torch.compile", _check_compile)
