"""Linear maps."""

from __future__ import annotations

from nngen.catalog import products
from nngen.catalog.entry import Layer, example, function, parameter
from nngen.catalog.traits import Trait
from nngen.symbolic.rules import linear

LAYERS = (
    Layer(
        "Linear",
        "A linear map of the last dimension: x @ weight.T + bias.",
        "in_features: size, out_features: size, /, bias: bool = True",
        form="out = F.linear(input, weight, bias)",
        shape=linear.linear,
        infer={"in_features": "input.shape[-1]"},
        state=(
            parameter("weight", "torch.empty(out_features, in_features)"),
            parameter("bias", "torch.empty(out_features)", when="bias"),
        ),
        draw="""
            nn.init.kaiming_uniform_(weight, a=math.sqrt(5))
            if bias is not None:
                nn.init.uniform_(bias, -1 / math.sqrt(in_features), 1 / math.sqrt(in_features))
        """,
        stem="fc",
        mult_adds=products.linear,
        traits=Trait.MODIFIABLE,
        examples=(
            example((6,), out_features=4),
            example((3, 6), out_features=4, bias=False),
            example((6,), in_features=6, out_features=1, bias=True),
        ),
    ),
    Layer(
        "Bilinear",
        "A bilinear map of two inputs: x1 @ weight @ x2 + bias.",
        "in1_features: size, in2_features: size, out_features: size, /, bias: bool = True",
        form="out = F.bilinear(input1, input2, weight, bias)",
        shape=linear.bilinear,
        forward="input1: Tensor, input2: Tensor",
        infer={"in1_features": "input1.shape[-1]", "in2_features": "input2.shape[-1]"},
        state=(
            parameter("weight", "torch.empty(out_features, in1_features, in2_features)"),
            parameter("bias", "torch.empty(out_features)", when="bias"),
        ),
        draw="""
            nn.init.uniform_(weight, -1 / math.sqrt(in1_features), 1 / math.sqrt(in1_features))
            if bias is not None:
                nn.init.uniform_(bias, -1 / math.sqrt(in1_features), 1 / math.sqrt(in1_features))
        """,
        mult_adds=products.bilinear,
        traits=Trait.MODIFIABLE,
        examples=(
            example((5,), (3,), out_features=4),
            example((2, 5), (2, 3), out_features=4, bias=False),
            example((5,), (3,), in1_features=5, in2_features=3, out_features=2, bias=True),
        ),
    ),
)

FUNCTIONS = (
    function(
        "F.linear",
        "input: Tensor, weight: Tensor, bias: Tensor | None = None",
        linear.linear_function,
        mult_adds=products.linear,
        traits=Trait.LINEAR,
    ),
    function(
        "F.bilinear",
        "input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None",
        linear.bilinear_function,
        mult_adds=products.bilinear,
        traits=Trait.LINEAR,
    ),
)
