"""What layers and arguments are called elsewhere, in Keras, Flax or torch.nn.functional, and what torch.nn has for them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from nngen.catalog import FUNCTIONS, LAYERS

# Names without their number of dimensions, in small letters; {} stands for that number.
_NAMES = {
    **dict.fromkeys(("dense", "fullyconnected", "fc", "denselayer"), "Linear"),
    **dict.fromkeys(("conv", "convolution"), "Conv{}d"),
    **dict.fromkeys(("convtranspose", "deconv", "deconvolution"), "ConvTranspose{}d"),
    **dict.fromkeys(("maxpool", "maxpooling"), "MaxPool{}d"),
    **dict.fromkeys(("avgpool", "averagepool", "averagepooling", "meanpool"), "AvgPool{}d"),
    **dict.fromkeys(
        ("globalaveragepooling", "globalaveragepool", "globalavgpool"), "AdaptiveAvgPool{}d: 1"
    ),
    **dict.fromkeys(("globalmaxpooling", "globalmaxpool"), "AdaptiveMaxPool{}d: 1"),
    **dict.fromkeys(("batchnormalization", "batchnorm"), "BatchNorm{}d"),
    **dict.fromkeys(("instancenormalization", "instancenorm"), "InstanceNorm{}d"),
    **dict.fromkeys(("layernormalization", "layernorm"), "LayerNorm"),
    **dict.fromkeys(("groupnormalization", "groupnorm"), "GroupNorm"),
    **dict.fromkeys(("rmsnormalization", "rmsnorm"), "RMSNorm"),
    "adaptiveaveragepool": "AdaptiveAvgPool{}d",
    "spatialdropout": "Dropout{}d",
    "zeropadding": "ZeroPad{}d",
    "reflectionpadding": "ReflectionPad{}d",
    "upsampling": "Upsample",
    "embed": "Embedding",
    "simplernn": "RNN",
    "swish": "SiLU",
    "hardswish": "Hardswish",
    "identity": "Identity",
    **dict.fromkeys(("mse", "meansquarederror", "l2", "l2loss"), "MSELoss"),
    **dict.fromkeys(("mae", "meanabsoluteerror", "l1"), "L1Loss"),
    **dict.fromkeys(
        ("categoricalcrossentropy", "sparsecategoricalcrossentropy", "softmaxcrossentropy"),
        "CrossEntropyLoss",
    ),
    **dict.fromkeys(("binarycrossentropy", "bce"), "BCELoss"),
    **dict.fromkeys(
        ("binarycrossentropywithlogits", "bcewithlogits", "sigmoidbinarycrossentropy"),
        "BCEWithLogitsLoss",
    ),
    **dict.fromkeys(("kldivergence", "kldiv"), "KLDivLoss"),
    **dict.fromkeys(("nll", "negativeloglikelihood"), "NLLLoss"),
}
# What is not a layer here, and how it is written.
_WRITTEN = {
    "activation": "an activation is a layer of its own: `- ReLU`",
    **dict.fromkeys(
        ("inputlayer", "input"), "what flows in stands at the top: `input: [784]`, one sample"
    ),
    **dict.fromkeys(
        ("concatenate", "concat", "cat"), "write a line: `- y = torch.cat((a, b), dim=1)`"
    ),
    "add": "write a line: `- y = a + b`",
    "subtract": "write a line: `- y = a - b`",
    "multiply": "write a line: `- y = a * b`",
    "average": "write a line: `- y = (a + b) / 2`",
    "maximum": "write a line: `- y = torch.maximum(a, b)`",
    **dict.fromkeys(
        ("reshape", "view"), "write a line, `- y = x.flatten(1)`, or the layer Unflatten"
    ),
    **dict.fromkeys(("permute", "transpose"), "write a line: `- y = x.transpose(1, 2)`"),
    "lambda": "write a line: `- y = 2 * x`",
    **dict.fromkeys(
        ("modulelist", "moduledict"),
        "copies of a layer are `repeat: 3` beside it; other layers are steps, each with a name",
    ),
    "bidirectional": "give the recurrent layer `bidirectional: true`",
    **dict.fromkeys(
        ("depthwiseconv", "separableconv"),
        "a depthwise Conv2d has as many `groups` as in_channels; one with `kernel_size: 1` may follow",
    ),
}
# Arguments: the first of torch's names that the layer has.
_ARGUMENTS = {
    "units": ("out_features", "hidden_size"),
    "filters": ("out_channels",),
    "features": ("out_features", "out_channels", "num_features"),
    **dict.fromkeys(("rate", "dropout_rate", "prob", "dropout"), ("p", "dropout")),
    **dict.fromkeys(("kernel", "kernel_shape", "pool_size", "window_shape"), ("kernel_size",)),
    "window": ("kernel_size",),
    "strides": ("stride",),
    "dilation_rate": ("dilation",),
    "pad": ("padding",),
    "use_bias": ("bias", "add_bias_kv"),
    "epsilon": ("eps",),
    "alpha": ("negative_slope", "alpha"),
    "input_dim": ("num_embeddings", "in_features", "input_size"),
    "vocab_size": ("num_embeddings",),
    "output_dim": ("embedding_dim", "out_features"),
    "axis": ("dim", "normalized_shape", "start_dim"),
    "size": ("scale_factor",),
    **dict.fromkeys(("channels", "num_filters", "planes"), ("out_channels", "num_channels")),
    **dict.fromkeys(("hidden", "hidden_dim", "hidden_units"), ("hidden_size", "dim_feedforward")),
    **dict.fromkeys(("heads", "num_heads", "n_heads", "nheads"), ("num_heads", "nhead")),
    **dict.fromkeys(("in", "in_dim", "inputs"), ("in_features", "in_channels", "input_size")),
    **dict.fromkeys(("out", "out_dim", "outputs"), ("out_features", "out_channels")),
    "groups": ("num_groups",),
}
ACTIVATIONS = ("activation", "act", "activation_fn", "nonlinearity")
_DIMENSIONS = re.compile(r"(?P<stem>[A-Za-z_]+?)_?(?P<number>[123])?[dD]?")


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


_BY_PLAIN_NAME = {_plain(name): name for name in LAYERS}


def family(name: str) -> tuple[str, ...]:
    """The layers that a name may stand for; where it does not tell the number of dimensions, one for each."""
    plain = _plain(name)
    for each in (plain, f"{plain}loss"):
        if each in _BY_PLAIN_NAME and _BY_PLAIN_NAME[each] != name:
            return (_BY_PLAIN_NAME[each],)
    match = _DIMENSIONS.fullmatch(name)
    if match is None:
        return (_NAMES[plain],) if plain in _NAMES else ()
    stem = _plain(match["stem"])
    meant = _NAMES.get(plain) or _NAMES.get(stem)
    if meant is None:
        stems = {_plain(key[:-2]): key[:-2] for key in LAYERS if re.fullmatch(r".*[123]d", key)}
        meant = f"{stems[stem]}{{}}d" if stem in stems else None
    if meant is None:
        return ()
    numbers = (match["number"],) if match["number"] else ("1", "2", "3")
    found = dict.fromkeys(meant.format(number) for number in numbers)
    return tuple(each for each in found if each.partition(":")[0] in LAYERS)


def written(name: str) -> str:
    """How what is a layer elsewhere is written in a spec, or nothing."""
    match = _DIMENSIONS.fullmatch(name)
    return _WRITTEN.get(_plain(name)) or _WRITTEN.get(_plain(match["stem"]) if match else "", "")


def argument(name: str, known: Mapping[str, object] | tuple[str, ...]) -> str | None:
    """The argument among the known ones that is called `name` elsewhere."""
    return next((each for each in _ARGUMENTS.get(name, ()) if each in known), None)


def activation(word: str) -> str:
    """The step that an activation is which elsewhere is an argument."""
    found = family(word)
    name = word if word in LAYERS else found[0] if found else "ReLU"
    arguments = LAYERS[name].signature
    wanted = "dim" in arguments.names and arguments["dim"].default is None
    return f"{name}: -1" if wanted else name


def functions(name: str) -> tuple[str, ...]:
    """The functions that lines may call by a longer name: `F.relu` and `torch.relu` for `relu`."""
    return tuple(
        f"{space}.{name}" for space in ("F", "torch", "Tensor") if f"{space}.{name}" in FUNCTIONS
    )
