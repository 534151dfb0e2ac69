"""Pitfalls of parameters: who owns them, and how they are drawn."""

from __future__ import annotations

from nngen.teach.pitfalls.model import Pitfall

_CONVOLUTIONS = (
    *("Conv1d", "Conv2d", "Conv3d"),
    *("ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"),
)
_WEIGHTED = ("Linear", "Bilinear", *_CONVOLUTIONS)
_FUNCTIONS = (
    *("F.linear", "F.bilinear", "F.conv1d", "F.conv2d", "F.conv3d"),
    *("F.conv_transpose1d", "F.conv_transpose2d", "F.conv_transpose3d"),
)
_CALLED = (
    "Two calls on one input differ by up to {difference:.3f}; "
    "the model has {parameters:,} parameters."
)
_OWNED = "Parameters of the model: {parameters:,}. Tensors in its `state_dict()`: {saved}."
_SIZE = "The outputs of the network have a mean size of {size:,.2f}."
_ROW = "The values of the padding row add up to {row:.2f} in size, those of its gradient to {gradient:.2f}."
_SAME = (
    "The same weight and bias as `nn.Linear` from the same seed: {same}. "
    "The weights differ by up to {difference:.3f}."
)
_GROWTH = "Called with the tied weight doubled, the model gives {growth:.1f} times its output."

PITFALLS = (
    Pitfall(
        "layer-in-forward",
        "A layer built in `forward`",
        about=_WEIGHTED,
        wrong=_CALLED,
        right=_CALLED,
        why="A layer draws new random weights when it is built. Built in `forward`, it does so at every call, and the "
        "model does not own it: it is in neither `parameters()` nor `state_dict()`, no optimizer sees it, and "
        "nothing is learned.",
        rule="Build layers in `__init__`; in `forward`, only call them.",
        docs="generated/torch.nn.Module.html",
    ),
    Pitfall(
        "layers-in-a-list",
        "Layers kept in a Python list",
        about=("ModuleList",),
        wrong=_OWNED,
        right=_OWNED,
        why="`nn.Module` registers a layer that is assigned to an attribute. A list is not a layer, so what is in it "
        "stays unseen: `parameters()`, `state_dict()`, `to(device)` and `eval()` pass it by. `nn.ModuleList` and "
        "`nn.ModuleDict` register what they hold.",
        rule="Keep layers in an `nn.ModuleList` or an `nn.ModuleDict`.",
        docs="generated/torch.nn.ModuleList.html",
    ),
    Pitfall(
        "tensor-as-weight",
        "A plain tensor as a weight",
        about=("Parameter", *_FUNCTIONS),
        wrong=_OWNED,
        right=_OWNED,
        why="Only an `nn.Parameter` is registered when it is assigned to an attribute. A plain tensor computes the "
        "same, and may even get a gradient; but `parameters()` does not hand it to the optimizer, no checkpoint holds "
        "it, and it stays behind when the model moves to another device.",
        rule="Wrap every weight in `nn.Parameter`; what is saved but not trained goes into `register_buffer`.",
        docs="generated/torch.nn.parameter.Parameter.html",
    ),
    Pitfall(
        "weights-by-rand",
        "Weights drawn by `torch.rand`",
        about=("torch.rand", "Parameter", *_FUNCTIONS),
        wrong=_SIZE,
        right=_SIZE,
        why="`torch.rand` draws between zero and one: every weight is positive, and none is scaled to the number of "
        "inputs. The sums grow from layer to layer, and training begins with a huge loss, or never does. torch's own "
        "layers draw from an interval around zero that is the narrower, the more inputs there are.",
        rule="Draw weights as torch's layers do: `nn.init.kaiming_uniform_(weight, a=math.sqrt(5))`.",
        docs="nn.init.html",
    ),
    Pitfall(
        "padding-row-overwritten",
        "An embedding with `padding_idx`, re-initialized",
        about=("Embedding", "EmbeddingBag", "F.embedding"),
        wrong=_ROW,
        right=_ROW,
        why="With `padding_idx`, `nn.Embedding` starts that row at zero and keeps its gradient at zero. An "
        "initialisation of one's own overwrites the row; and because its gradient is zero still, no training ever "
        "brings it back.",
        rule="After an initialisation of your own, set the padding row to zero again.",
        docs="generated/torch.nn.Embedding.html",
    ),
    Pitfall(
        "bias-drawn-first",
        "The bias drawn before the weight",
        about=(*_WEIGHTED, *_FUNCTIONS),
        wrong=_SAME,
        right=_SAME,
        why="A seed settles the stream of random numbers, not who gets which of them. `nn.Linear` and the "
        "convolutions draw the weight first and then the bias. In the other order each gets other numbers, and two "
        "models from one seed are not the same.",
        rule="To get the same weights from the same seed, draw in the same order: the weight, then the bias.",
        docs="generated/torch.manual_seed.html",
    ),
    Pitfall(
        "functional-call-typo",
        "A misspelt key for `functional_call`",
        about=(),
        wrong=_GROWTH,
        right=_GROWTH,
        why="`functional_call` puts the tensors that it is given in the place of the parameters of those names, and "
        "ignores a name that it does not find: the typo goes unnoticed, and the model runs with its old weights. "
        "`strict=True` refuses unknown names, and wants every parameter and buffer. Tied weights are one: whichever "
        "of their names is given, both places get the tensor.",
        rule="Call `functional_call` with `strict=True`.",
        docs="generated/torch.func.functional_call.html",
    ),
)
