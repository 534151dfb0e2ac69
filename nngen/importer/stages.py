"""The stages of an import, one after the other."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor, nn

from nngen.catalog import LAYERS
from nngen.graph import read_spec
from nngen.importer.capture import Call, captured
from nngen.importer.compare import compared
from nngen.importer.fold import Blocks, Chain, Layer, Piece
from nngen.importer.inputs import Input
from nngen.importer.lists import joined
from nngen.importer.modes import merged
from nngen.importer.record import Recorded
from nngen.importer.refusal import ImportRefused, class_at
from nngen.importer.sketch import LayerStep, Sketch, Sketcher, StateStep
from nngen.importer.trace import traced
from nngen.importer.write import Writer
from nngen.language import document
from nngen.pipeline import Compilation
from nngen.proof.loading import load


def imported(
    make: nn.Module | Callable[[], nn.Module], inputs: Mapping[str, Input], name: str = ""
) -> str:
    """As `nngen.importer.from_module`."""
    with torch.random.fork_rng(devices=[]):
        recorded = Recorded(make)
        model = recorded.model
        feed = {each: value.draw(value.shape[0]) for each, value in inputs.items()}
        importer = Importer(recorded, captured(model, feed))
        text = importer.text(name or type(model).__name__, inputs)
        notes = [*compared(text, model, inputs), *_said_of(text, make)]
    return "".join(f"# {line}\n" for line in notes) + text


def _said_of(text: str, make: nn.Module | Callable[[], nn.Module]) -> Iterator[str]:
    """What else is said of a spec: whether its weights come out equal from one seed, and what lint finds."""
    compilation = Compilation(read_spec(document.parse(text, "the spec"), "the spec"))
    if not isinstance(make, nn.Module):
        pair = load(text)
        torch.manual_seed(0)
        right = make().state_dict()
        torch.manual_seed(0)
        found = getattr(pair.nn_style, pair.graph.model.name)().state_dict()
        apart = next((key for key in right if not torch.equal(right[key], found[key])), "")
        if apart:
            yield f"From one seed its weights are others than the module's: {apart} is the first."
        else:
            yield "From one seed its weights are the module's, too."
    codes = sorted({finding.code for finding in compilation.findings})
    if codes:
        yield f"nngen lint finds {', '.join(codes)} in it, which the module does as well."


class Importer:
    """Makes a spec of one model.

    Args:
        recorded: the model, and what its layers were made from.
        calls: what each module was given and gave.
    """

    def __init__(self, recorded: Recorded, calls: Mapping[str, Call]) -> None:
        self.recorded = recorded
        # Traces turn the mode, and the user's model keeps its own.
        self.model = copy.deepcopy(recorded.model)
        self.originals = dict(recorded.model.named_modules(remove_duplicate=False))
        self.calls = calls
        self.blocks = Blocks()
        self.state: dict[str, str] = {}

    def text(self, name: str, inputs: Mapping[str, Input]) -> str:
        """The spec."""
        sketch, pieces = self._body("", self.model)
        self.blocks.settle()
        class_name = name if name[:1].isupper() else name.capitalize()
        return Writer(self.state).spec(class_name, inputs, self.blocks, sketch, pieces)

    def _body(self, path: str, module: nn.Module) -> tuple[Sketch, list[Piece]]:
        """What a module's forward does, and what its steps build."""
        call = self._call(path, module)
        if type(module).forward is nn.Sequential.forward:
            names = list(module._modules)
            steps = [LayerStep(each, None) for each in names]
            return Sketch(["x"], list(steps)), [
                self._piece(_below(path, each), module.get_submodule(each)) for each in names
            ]
        before = dict(module.named_modules())
        graph = merged(traced(module, call, True), traced(module, call, False))
        inside = {
            each: self.calls[_below(path, each)]
            for each in before
            if _below(path, each) in self.calls and each
        }
        sketch = Sketcher(module, graph, inside).run()
        for step in sketch.steps:
            if isinstance(step, StateStep):
                self._own(module, step)
        pieces = [
            self._piece(_below(path, step.target), module.get_submodule(step.target))
            for step in sketch.steps
            if isinstance(step, LayerStep)
        ]
        return joined(sketch, pieces, module)

    def _call(self, path: str, module: nn.Module) -> Call:
        if path not in self.calls:
            raise ImportRefused(
                f"{path} is never called, and a spec builds what it calls",
                class_at(type(module)),
                "take it out of the module",
            )
        return self.calls[path]

    def _piece(self, path: str, module: nn.Module) -> Piece:
        kind = type(module).__name__
        if kind in LAYERS and type(module) is getattr(nn, kind, None):
            return Layer(kind, self.recorded.arguments(self.originals[path]))
        if type(module).forward is nn.Sequential.forward:
            names = [None if each.isdecimal() else each for each in module._modules]
            chain = Chain(names, self._children(path, module))
            if type(module) is nn.Sequential:
                return chain
            return self.blocks.use(kind, None, [chain])
        if type(module).__module__.startswith("torch.nn"):
            raise ImportRefused(f"{path}: there is no layer {kind} in a spec")
        sketch, pieces = self._body(path, module)
        return self.blocks.use(kind, sketch, pieces)

    def _children(self, path: str, module: nn.Module) -> list[Piece]:
        return [
            self._piece(_below(path, name), module.get_submodule(name)) for name in module._modules
        ]

    def _own(self, module: nn.Module, step: StateStep) -> None:
        """How a parameter or buffer of the class's own is written."""
        tensor = getattr(module, step.name)
        if step.is_parameter:
            written = f"{{shape: {list(tensor.shape)}, init: zeros_}}"
        else:
            written = _formula(step.name, tensor, module)
        if self.state.setdefault(step.name, written) != written:
            raise ImportRefused(
                f"{step.name} has another shape or value in another module of a class",
                class_at(type(module)),
            )


def _formula(name: str, tensor: Tensor, module: nn.Module) -> str:
    """An expression that gives a buffer's value."""
    shape = ", ".join(map(str, tensor.shape))
    dtype = "" if tensor.dtype == torch.get_default_dtype() else f", dtype={tensor.dtype}"
    tries = [f"torch.zeros({shape}{dtype})", f"torch.ones({shape}{dtype})"]
    if tensor.numel() and bool((tensor == tensor.flatten()[0]).all()):
        tries.append(f"torch.full(({shape},), {tensor.flatten()[0].item()!r}{dtype})")
    if tensor.dim() == 1:
        tries.append(f"torch.arange({len(tensor)})")
    if tensor.dim() == 2 and tensor.shape[0] == tensor.shape[1]:
        square = f"torch.ones({shape}{dtype})"
        tries += [
            f"torch.tril({square})",
            f"torch.triu({square})",
            f"torch.eye({len(tensor)}{dtype})",
        ]
    if tensor.numel() <= 8:
        tries.append(f"torch.tensor({tensor.tolist()}{dtype})")
    for text in tries:
        value = eval(text, {"torch": torch})
        if value.dtype == tensor.dtype and torch.equal(value, tensor):
            persistent = "" if name in module.state_dict() else ", persistent: false"
            return f'{{value: "{text}"{persistent}}}'
    raise ImportRefused(
        f"the buffer {name} has values that no short formula gives", class_at(type(module))
    )


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path and name else path or name
