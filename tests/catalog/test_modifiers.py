"""Weight norm and spectral norm: the twins, and torch's own parametrisations."""

from __future__ import annotations

import linecache
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

import nngen
from nngen.errors import SpecError

LAYERS: dict[str, tuple[dict[str, Any], list[int]]] = {
    "Linear": ({"out_features": 4}, [6]),
    "Conv1d": ({"out_channels": 4, "kernel_size": 3}, [2, 7]),
    "Conv2d": ({"out_channels": 4, "kernel_size": 3, "groups": 2, "bias": False}, [2, 7, 6]),
    "Conv3d": ({"out_channels": 3, "kernel_size": 2}, [2, 4, 3, 4]),
    "ConvTranspose2d": ({"out_channels": 3, "kernel_size": 2}, [2, 4, 3]),
}
MODIFIERS: list[tuple[str, dict[str, Any]]] = [
    ("weight_norm", {}),
    ("weight_norm", {"dim": 1}),
    ("weight_norm", {"dim": None}),
    ("spectral_norm", {}),
    ("spectral_norm", {"n_power_iterations": 3, "eps": 1e-6}),
    ("spectral_norm", {"dim": 1}),
]


def spec(kind: str, modifier: str, arguments: dict[str, Any]) -> dict[str, Any]:
    layer, shape = LAYERS[kind]
    return {"name": "M", "input": shape, "layers": [{f"{kind} as a": layer, modifier: arguments}]}


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize(("modifier", "arguments"), MODIFIERS, ids=str)
def test_twins_are_equal(kind: str, modifier: str, arguments: dict[str, Any]) -> None:
    report = nngen.verify(spec(kind, modifier, arguments))
    assert report.equal, report.as_text()


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize(("modifier", "arguments"), MODIFIERS, ids=str)
def test_nn_twin_is_torchs_parametrisation(
    kind: str, modifier: str, arguments: dict[str, Any]
) -> None:
    pair = nngen.load(spec(kind, modifier, arguments))
    torch.manual_seed(3)
    model = pair.nn_style.M()
    after = torch.get_rng_state()
    layer, shape = LAYERS[kind]
    features = [shape[0], layer.get("out_features", layer.get("out_channels"))]
    rest = {k: v for k, v in layer.items() if k not in ("out_features", "out_channels")}
    torch.manual_seed(3)
    plain = getattr(nn, kind)(*features, **rest)
    made = getattr(parametrizations, modifier)(plain, **arguments)
    assert torch.equal(after, torch.get_rng_state())
    found = {key.removeprefix("a."): value for key, value in model.state_dict().items()}
    assert found.keys() == made.state_dict().keys()
    assert all(torch.equal(value, found[key]) for key, value in made.state_dict().items())
    x = torch.randn(3, *shape)
    assert torch.equal(model(x), made(x))


def test_the_arithmetic_is_written_out() -> None:
    pair = nngen.load(spec("Linear", "spectral_norm", {}))
    code = "".join(linecache.getlines(str(pair.functional_style.__file__)))
    assert "a_weight = self.a_weight_original / a_sigma" in code
    assert "if self.training:" in code


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"ReLU": None, "weight_norm": {}}, "ReLU has no weight to modify"),
        ({"Linear": 3, "weight_norm": {"dimm": 0}}, "weight_norm has no key 'dimm'"),
        ({"Linear": 3, "weight_norm": 0}, "takes its arguments as a mapping"),
        ({"Linear": 3, "weight_norm": {}, "spectral_norm": {}}, "one modifier is enough"),
        ({"Linear": 3, "spectral_norm": {"eps": 0}}, "a number above 0"),
        ({"Linear": 3, "spectral_norm": {"dim": 2}}, "dim"),
        ({"Linear": 3, "weight_norm": {"dim": 2}}, "dim"),
    ],
)
def test_slips_are_refused(step: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        nngen.load({"name": "M", "input": [4], "layers": [step]})
