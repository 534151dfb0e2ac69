"""Real data: both twins learn scikit-learn's handwritten digits from one seed, and stay equal at every step."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

from generated.digits import functional_style, nn_style, to_functional, to_nn


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """As quick for a model of this size, also where other tests run beside it."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


# What docs/using.md shows, line for line; tests/test_docs.py holds it to that.

digits = load_digits()
images = torch.tensor(digits.images[:, None] / 16, dtype=torch.float32)
labels = torch.tensor(digits.target)
train_images, test_images, train_labels, test_labels = train_test_split(
    images, labels, test_size=0.2, random_state=0
)


def train(model_class, epochs=6):
    torch.manual_seed(0)
    model = model_class()
    optimizer = torch.optim.Adam(model.parameters())
    losses = []
    for _ in range(epochs):
        for rows in torch.randperm(len(train_images)).split(64):
            loss = model.loss(model(train_images[rows]), train_labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
    return model.eval(), torch.stack(losses)


@pytest.fixture(scope="module")
def trained() -> dict[str, tuple[nn.Module, torch.Tensor]]:
    styles = {"nn": nn_style, "functional": functional_style}
    return {name: train(style.Digits) for name, style in styles.items()}


def accuracy(model: nn.Module) -> float:
    with torch.no_grad():
        return (model(test_images).argmax(dim=1) == test_labels).double().mean().item()


def test_every_loss_is_equal(trained: dict[str, tuple[nn.Module, torch.Tensor]]) -> None:
    (_, losses), (_, twin_losses) = trained["nn"], trained["functional"]
    assert len(losses) == 138
    assert torch.equal(losses, twin_losses)


def test_the_final_state_is_equal(trained: dict[str, tuple[nn.Module, torch.Tensor]]) -> None:
    (model, _), (twin, _) = trained["nn"], trained["functional"]
    state, twin_state = to_functional(model.state_dict()), twin.state_dict()
    assert state.keys() == twin_state.keys()
    assert all(torch.equal(state[key], twin_state[key]) for key in state)
    assert twin_state["bn1_num_batches_tracked"] == 138


@pytest.mark.parametrize("style", ["nn", "functional"])
def test_it_learns(trained: dict[str, tuple[nn.Module, torch.Tensor]], style: str) -> None:
    model, losses = trained[style]
    assert losses[-20:].mean() < losses[0] / 20
    assert accuracy(model) > 0.97


def test_a_trained_checkpoint_goes_both_ways(
    trained: dict[str, tuple[nn.Module, torch.Tensor]],
) -> None:
    (model, _), (twin, _) = trained["nn"], trained["functional"]
    fresh, fresh_twin = nn_style.Digits().eval(), functional_style.Digits().eval()
    fresh.load_state_dict(to_nn(twin.state_dict()))
    fresh_twin.load_state_dict(to_functional(model.state_dict()))
    with torch.no_grad():
        scores = [each(test_images) for each in (model, twin, fresh, fresh_twin)]
    assert all(torch.equal(scores[0], other) for other in scores[1:])


def test_training_depends_on_its_seed() -> None:
    """Or the tests above would compare nothing."""
    torch.manual_seed(1)
    other = nn_style.Digits()
    torch.manual_seed(0)
    assert not torch.equal(nn_style.Digits().fc1.weight, other.fc1.weight)
