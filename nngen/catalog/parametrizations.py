"""Weight norm and spectral norm: what stands beside a layer and changes how its weight is made.

A modifier makes of a layer's entry another entry, in which `weight` is computed in forward from other state. In the nn
twin it is torch's parametrization, torch.nn.utils.parametrizations.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from nngen.catalog.entry import Layer, State, buffer, parameter
from nngen.catalog.fragments import fragment
from nngen.catalog.signature import Signature, signature
from nngen.errors import Fault


@dataclass(frozen=True)
class Modifier:
    """A function of torch.nn.utils.parametrizations.

    Attributes:
        arguments: its signature after the module and the name, which is `weight`.
        apply: makes the entry of the changed layer from the layer's and the arguments' values.
    """

    name: str
    arguments: str
    apply: Callable[[Layer, Mapping[str, Any]], Layer]

    @property
    def signature(self) -> Signature:
        return signature(self.arguments)


def _rank(entry: Layer) -> int:
    """How many dimensions the layer's weight has."""
    made = fragment(_weight(entry).value)
    assert isinstance(made, ast.Call)
    starred = any(isinstance(size, ast.Starred) for size in made.args)
    return len(made.args) - 1 + int(entry.name[-2]) if starred else len(made.args)


def _checked_dim(dim: int, entry: Layer) -> int:
    """The dimension counted from 0.

    Raises:
        Fault: the weight has no such dimension.
    """
    rank = _rank(entry)
    if not -rank <= dim < rank:
        raise Fault(f"the weight of {entry.name} has {rank} dimensions, so dim cannot be {dim}")
    return dim % rank


def _weight(entry: Layer) -> State:
    return next(state for state in entry.state_of({}) if state.name == "weight")


def _others(entry: Layer) -> tuple[State, ...]:
    return tuple(state for state in entry.state_of({}) if state.name != "weight")


def _renamed(text: str, name: str) -> str:
    """A fragment in which the weight is called by another name."""
    tree = ast.parse("\n".join(_dedented(text)))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == "weight":
            node.id = name
    return ast.unparse(tree)


def _dedented(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if line.strip()]
    margin = min((len(line) - len(line.lstrip()) for line in lines), default=0)
    return [line[margin:] for line in lines]


def _joined(*texts: str) -> str:
    return "\n".join(line for text in texts for line in _dedented(text))


def _weight_norm(entry: Layer, values: Mapping[str, Any]) -> Layer:
    """weight = weight_v * weight_g / norm(weight_v), the norm over all dimensions but `dim`.

    torch computes it in a kernel of its own, from which the written-out arithmetic differs in the last bit.
    """
    dim = values["dim"]
    if dim is not None:
        _checked_dim(dim, entry)
    weight = fragment(_weight(entry).value)
    assert isinstance(weight, ast.Call)
    sizes = ast.unparse(ast.Tuple(weight.args, ast.Load()))
    kept = "()" if dim is None else f"*kept_size({sizes}, {dim})"
    axis = -1 if dim is None else dim
    state = (
        *_others(entry),
        parameter("parametrizations.weight.original0", f"torch.empty({kept})", alias="weight_g"),
        parameter("parametrizations.weight.original1", _weight(entry).value, alias="weight_v"),
    )
    draw = f"""
        with torch.no_grad():
            weight_g.copy_(torch.norm_except_dim(weight_v, 2, {axis}))
    """
    made = f"weight = torch._weight_norm(weight_v, weight_g, {axis})"
    form = _joined(made, str(entry.form))
    return replace(
        entry,
        state=state,
        draw=_joined(_renamed(str(entry.draw), "weight_v"), draw),
        form=form,
        note=lambda values: "weight = v * g / norm(v)",
    )


def _spectral_norm(entry: Layer, values: Mapping[str, Any]) -> Layer:
    """weight = original / sigma, sigma its largest singular value by power iteration.

    torch.nn.utils.parametrizations.spectral_norm; Miyato et al., Spectral Normalization for GANs, 2018.
    """
    dim = values["dim"]
    if dim is None:
        dim = 1 if entry.name.startswith("ConvTranspose") else 0
    rank = _rank(entry)
    dim = _checked_dim(dim, entry)
    weight = fragment(_weight(entry).value)
    assert isinstance(weight, ast.Call)
    sizes = ast.unparse(ast.Tuple(weight.args, ast.Load()))
    order = ", ".join(map(str, (dim, *(d for d in range(rank) if d != dim))))
    matrix = f"weight_original.permute({order}).flatten(1)" if dim else "weight_original.flatten(1)"
    eps = values["eps"]
    unit = f"dim=0, eps={eps!r}"
    steps = f"""
        F.normalize(torch.mv(matrix, weight_v), {unit}, out=weight_u)
        F.normalize(torch.mv(matrix.H, weight_u), {unit}, out=weight_v)
    """
    rows, columns = f"matrix_size({sizes}, {dim})[0]", f"matrix_size({sizes}, {dim})[1]"
    state = (
        *_others(entry),
        parameter(
            "parametrizations.weight.original", _weight(entry).value, alias="weight_original"
        ),
        buffer(
            "parametrizations.weight.0._u", f"torch.empty({rows})", alias="weight_u", written=True
        ),
        buffer(
            "parametrizations.weight.0._v",
            f"torch.empty({columns})",
            alias="weight_v",
            written=True,
        ),
    )
    iterations = values["n_power_iterations"]
    start = _joined(f"""
        weight_u.normal_()
        weight_v.normal_()
        F.normalize(weight_u, {unit}, out=weight_u)
        F.normalize(weight_v, {unit}, out=weight_v)
        with torch.no_grad():
            matrix = {matrix}
            for _ in range({15 + iterations}):
        """)
    inner = [f"        {line}" for line in _dedented(steps)]
    draw = "\n".join([start, *inner])
    loop = _dedented(steps)
    if iterations > 1:
        loop = [f"for _ in range({iterations}):", *(f"    {line}" for line in loop)]
    made = "\n".join(
        [
            f"matrix = {matrix}",
            "if training:",
            "    with torch.no_grad():",
            *(f"        {line}" for line in loop),
            "sigma = torch.vdot(weight_u.clone(), torch.mv(matrix, weight_v.clone()))",
            "weight = weight_original / sigma",
        ]
    )
    return replace(
        entry,
        state=state,
        draw=_joined(_renamed(str(entry.draw), "weight_original")) + "\n" + draw,
        form=_joined(made, str(entry.form)),
    )


MODIFIERS = {
    modifier.name: modifier
    for modifier in (
        Modifier("weight_norm", "dim: int | None = 0", _weight_norm),
        Modifier(
            "spectral_norm",
            "n_power_iterations: size = 1, eps: positive = 1e-12, dim: int | None = None",
            _spectral_norm,
        ),
    )
}
