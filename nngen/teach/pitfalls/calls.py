"""Pitfalls of `forward`: what is called with what."""

from __future__ import annotations

from nngen.teach.pitfalls.model import Pitfall

_MAX_POOLS = (
    *("MaxPool1d", "MaxPool2d", "MaxPool3d"),
    *("F.max_pool1d", "F.max_pool2d", "F.max_pool3d"),
)
_SHAPE = "The output has the shape {shape}."
_TRAINED = "Does the first weight have a gradient? {first}. Does the second? {second}."
_TOTAL = "For the values {values}, their sum with their ReLU comes out as {total}."

PITFALLS = (
    Pitfall(
        "flatten-before-convolution",
        "The image flattened before the convolution",
        about=("Flatten", "Conv2d", "F.conv2d", "torch.flatten", "Tensor.flatten", "Tensor.view"),
        wrong="torch refuses it: there is no image to slide over.",
        right=_SHAPE,
        why="A convolution slides over height and width. An image flattened to (batch, pixels) has neither. It is the "
        "linear layer that wants flat input: flatten after the last pooling.",
        rule="Flatten between the convolutions and the first linear layer, not before.",
        docs="generated/torch.nn.Conv2d.html",
        raises="RuntimeError",
    ),
    Pitfall(
        "max-pool-without-kernel-size",
        "`F.max_pool2d` without its kernel size",
        about=_MAX_POOLS,
        wrong="torch refuses the call.",
        right=_SHAPE,
        why="`nn.MaxPool2d` was given its kernel size in `__init__`; `F.max_pool2d` has nothing but what is in the "
        "call. Here torch complains. Where a function has a default, as for a stride, a padding or a dropout "
        "probability, it does not, and computes something else.",
        rule="A function remembers nothing: give it in every call what the module was given in `__init__`.",
        docs="generated/torch.nn.functional.max_pool2d.html",
        raises="TypeError",
    ),
    Pitfall(
        "input-instead-of-output",
        "The second layer applied to the input again",
        about=("F.conv2d", "F.linear"),
        wrong=_TRAINED,
        right=_TRAINED,
        why="One wrong name, and what the first layer gave is thrown away. Where the shapes do not fit, torch "
        "complains. Where they do, as here, it says nothing: the first layer has no effect, gets no gradient, and "
        "never learns.",
        rule="Use one name throughout `forward`: every line takes `x` and gives `x`.",
        docs="generated/torch.nn.functional.linear.html",
    ),
    Pitfall(
        "in-place-relu-before-residual",
        "An in-place ReLU on a value that is still needed",
        about=("ReLU", "F.relu"),
        wrong=_TOTAL,
        right=_TOTAL,
        why="`inplace=True` saves memory by overwriting its input. The residual that is added afterwards is that same "
        "tensor, and no longer what it was. torch complains only where the backward pass needs the values that are "
        "gone; a sum does not, so it is wrong and nobody says so.",
        rule="Use `inplace=True` only where nothing else needs the input.",
        docs="generated/torch.nn.ReLU.html",
    ),
)
