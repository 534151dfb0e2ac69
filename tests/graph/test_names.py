"""What layers without a name are called."""

from __future__ import annotations

import pytest

import nngen


def names(layers: str, more: str = "") -> list[str]:
    """The names of the model's layers; verification holds them against those of the reading."""
    text = f"name: Net\ninput: [4]\nlayers: [{layers}]\n{more}"
    report = nngen.verify(text)
    assert report.equal, report
    return [name for name, _ in nngen.load(text).nn_style.Net().named_children()]


@pytest.mark.parametrize(
    ("layers", "more", "wanted"),
    [
        ("{Linear: 4}, ReLU", "", ["fc1", "relu"]),
        ("{Linear: 4}, ReLU, {Linear: 4}, ReLU", "", ["fc1", "relu1", "fc2", "relu2"]),
        ("{Linear: 4}, ReLU, ReLU as second", "", ["fc1", "relu", "second"]),
        ("{Linear: 4}, ReLU as relu, ReLU", "", ["fc1", "relu", "relu1"]),
        ("{Linear: 4}, ReLU, y = relu1 + fc1", "", ["fc1", "relu1"]),
        ("{Linear: 4}, ReLU, y = relu + fc1", "", ["fc1", "relu"]),
        ("{Linear: 4}, ReLU, {Tanh: , from: relu1}", "", ["fc1", "relu1", "tanh"]),
        ("{Linear: 4}, {Dropout: dropout}", "args: {dropout: 0.1}", ["fc1", "dropout1"]),
        ("relu = x * 2, {ReLU: , from: relu}", "", ["relu1"]),
        ("LayerNorm", "", ["norm1"]),
        ("{BatchNorm1d: {affine: false, track_running_stats: false}}", "", ["bn1"]),
        ("Body", "blocks: {Body: {layers: [Tanh]}}", ["body1"]),
        ("{Sequential as s: [ReLU, ReLU]}", "", ["s"]),
    ],
)
def test_names(layers: str, more: str, wanted: list[str]) -> None:
    assert names(layers, more) == wanted
