"""What users of PyTorch do with a model, done with what is committed under generated/."""

from __future__ import annotations

import copy
import importlib
import io
import pickle
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

MODELS: dict[str, tuple[str, dict[str, int], tuple[Tensor, ...]]] = {
    "cnn": ("CNN", {}, (torch.rand(2, 1, 28, 28),)),
    "residual": ("TinyResNet", {}, (torch.rand(2, 3, 32, 32),)),
    "film_resnet": (
        "FiLMResNet",
        {"question_size": 7, "channels": 6},
        (torch.rand(2, 3, 9, 9), torch.rand(2, 7)),
    ),
    "wavenet": (
        "WaveNet",
        {"levels": 12, "channels": 6, "skip_channels": 8, "depth": 3},
        (torch.randint(12, (2, 20)),),
    ),
}

pytestmark = pytest.mark.parametrize(
    ("package", "style"),
    [(package, style) for package in MODELS for style in ("nn_style", "functional_style")],
)


@pytest.fixture
def module(package: str, style: str) -> ModuleType:
    return importlib.import_module(f"generated.{package}.{style}")


@pytest.fixture
def make(module: ModuleType, package: str) -> Any:
    """Builds the model anew, from one seed."""
    name, arguments, _ = MODELS[package]

    def make() -> nn.Module:
        torch.manual_seed(0)
        model: nn.Module = getattr(module, name)(**arguments)
        return model.eval()

    return make


@pytest.fixture
def inputs(package: str) -> tuple[Tensor, ...]:
    return MODELS[package][2]


@pytest.fixture
def dynamo() -> Iterator[None]:
    torch.compiler.reset()
    yield
    torch.compiler.reset()


def test_pickle_and_deepcopy(make: Any, inputs: tuple[Tensor, ...]) -> None:
    model = make()
    expected = model(*inputs)
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert torch.equal(other(*inputs), expected)
        assert all(a is not b for a, b in zip(other.parameters(), model.parameters()))


def test_state_dicts_load_strictly(make: Any, inputs: tuple[Tensor, ...]) -> None:
    model, other = make(), make()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(0.5)
    file = io.BytesIO()
    torch.save(model.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file, weights_only=True), strict=True)
    assert torch.equal(other(*inputs), model(*inputs))
    for change in ("missing", "unexpected"):
        state = dict(model.state_dict())
        state.update(another=torch.zeros(1)) if change == "unexpected" else state.popitem()
        with pytest.raises(RuntimeError, match=change.capitalize()):
            other.load_state_dict(state)


def test_float64(make: Any, inputs: tuple[Tensor, ...]) -> None:
    model = make().to(torch.float64)
    given = [one.double() if one.is_floating_point() else one for one in inputs]
    assert model(*given).dtype == torch.float64
    whole = [name for name, one in model.state_dict().items() if one.dtype != torch.float64]
    assert all(name.endswith("num_batches_tracked") for name in whole)


def test_the_meta_device(make: Any, inputs: tuple[Tensor, ...]) -> None:
    model = make()
    output = model.to("meta")(*(one.to("meta") for one in inputs))
    assert output.device.type == "meta" and output.shape == make()(*inputs).shape


@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
def test_export(make: Any, inputs: tuple[Tensor, ...], training: bool) -> None:
    model = make().train(training)
    program = torch.export.export(copy.deepcopy(model), inputs)
    torch.manual_seed(1)
    expected = model(*inputs)
    torch.manual_seed(1)
    assert torch.equal(program.module()(*inputs), expected)


def test_export_with_an_open_batch(make: Any, inputs: tuple[Tensor, ...]) -> None:
    model = make()
    batch = torch.export.Dim("batch")
    program = torch.export.export(model, inputs, dynamic_shapes=[{0: batch} for _ in inputs])
    more = tuple(torch.cat((one, one, one)) for one in inputs)
    assert torch.equal(program.module()(*more), model(*more))


@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
def test_one_graph(make: Any, inputs: tuple[Tensor, ...], training: bool, dynamo: None) -> None:
    """What torch.compile sees of a model has no break; run as it is, it computes the same."""
    model, other = make().train(training), make().train(training)
    compiled = torch.compile(other, fullgraph=True, backend="eager")
    torch.manual_seed(1)
    expected = model(*inputs)
    torch.manual_seed(1)
    assert torch.equal(compiled(*inputs), expected)
    assert all(map(torch.equal, model.state_dict().values(), other.state_dict().values()))


def test_gradients_of_each_sample(make: Any, inputs: tuple[Tensor, ...]) -> None:
    """torch.func's way: the model as a function of its parameters, mapped over the samples."""
    model = make()
    parameters = dict(model.named_parameters())

    def total(parameters: dict[str, Tensor], *one: Tensor) -> Tensor:
        sample = tuple(part[None] for part in one)
        result: Tensor = torch.func.functional_call(model, parameters, sample).sum()
        return result

    gradient = torch.func.grad(total)
    each = torch.func.vmap(gradient, in_dims=(None, *[0] * len(inputs)))(parameters, *inputs)
    first = gradient(parameters, *(one[0] for one in inputs))
    for name, parameter in parameters.items():
        assert each[name].shape == (2, *parameter.shape)
        # vmap computes all samples in one kernel, which rounds otherwise than the kernel for one
        torch.testing.assert_close(each[name][0], first[name], rtol=1e-3, atol=1e-4)
