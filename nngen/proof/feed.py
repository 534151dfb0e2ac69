"""Inputs and targets drawn for a check, from a generator of their own."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nngen.errors import Mark, NngenError
from nngen.graph.tensor_spec import TensorSpec
from nngen.proof.subject import Subject
from nngen.symbolic.evaluator import Evaluator
from nngen.symbolic.expressions import parse
from nngen.symbolic.mathematics import NUMBERS, attribute_of_number

OPEN_SIZE = 7


@dataclass(frozen=True)
class Feed:
    """One batch: what `forward` takes, and what `loss` takes after the outputs, by name."""

    inputs: dict[str, Tensor]
    targets: dict[str, Tensor]
    has_loss: bool

    def copied(self) -> Feed:
        """The same values, free to be written into."""
        inputs, targets = (
            {name: tensor.clone() for name, tensor in tensors.items()}
            for tensors in (self.inputs, self.targets)
        )
        return Feed(inputs, targets, self.has_loss)

    def to(self, device: torch.device, dtype: torch.dtype | None) -> Feed:
        """The same batch there, and what is floating point as that dtype, if one is given."""

        def moved(tensor: Tensor) -> Tensor:
            return tensor.to(device, dtype if tensor.is_floating_point() else None)

        inputs, targets = (
            {name: moved(tensor) for name, tensor in tensors.items()}
            for tensors in (self.inputs, self.targets)
        )
        return Feed(inputs, targets, self.has_loss)

    def requiring_grad(self) -> Feed:
        """Copies, where each input that can have a gradient asks for one."""
        copy = self.copied()
        for tensor in copy.inputs.values():
            tensor.requires_grad_(tensor.is_floating_point() or tensor.is_complex())
        return copy


def draw_feed(subject: Subject, batch: int, seed: int) -> Feed:
    """Draws a batch; the global random-number state is left alone."""
    generator = torch.Generator().manual_seed(seed)
    sizes = {**subject.arguments, "N": batch, **subject.sizes}
    inputs, targets = (
        {spec.name: _draw(spec, batch, sizes, generator) for spec in specs}
        for specs in (subject.inputs, subject.targets or ())
    )
    return Feed(inputs, targets, subject.targets is not None)


def _number(size: str, sizes: dict[str, Any]) -> int:
    """The value of a size, `T` or `dim * N`; one that is open and not among `sizes` is 7."""
    tree = parse(size, Mark("a size")).tree
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    scope = {name: sizes.get(name, OPEN_SIZE) for name in names}
    return int(Evaluator({**scope, **NUMBERS}, attribute_of_number)(tree))


def _draw(
    spec: TensorSpec, batch: int, sizes: dict[str, Any], generator: torch.Generator
) -> Tensor:
    shape = [batch] if spec.batch else []
    shape += [_number(size, sizes) if isinstance(size, str) else size for size in spec.shape]
    if min(shape, default=0) < 0:
        raise NngenError(
            f"{spec.name} would have the shape {tuple(shape)} at batch size {batch}\n"
            "  hint: give larger sizes in `check`, or keep the batch apart from other dimensions"
        )
    dtype: torch.dtype = getattr(torch, spec.dtype)
    if spec.kind == "sign":
        return (2 * torch.randint(2, shape, generator=generator) - 1).to(dtype)
    if not (dtype.is_floating_point or dtype.is_complex):
        below = max(2, spec.low + 1) if spec.below is None else spec.below
        return torch.randint(spec.low, below, shape, generator=generator).to(dtype)
    if spec.kind == "normal" and spec.below is None:
        return torch.randn(shape, generator=generator, dtype=dtype)
    below = 1 if spec.below is None else spec.below
    uniform = spec.low + torch.rand(shape, generator=generator, dtype=dtype) * (below - spec.low)
    if spec.kind == "probability":
        return uniform / uniform.sum(dim=min(1, len(shape) - 1), keepdim=True)
    return uniform
