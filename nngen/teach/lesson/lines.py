"""What a line of Python in a spec does, in a sentence."""

from __future__ import annotations

import ast

# By the function's own name, whether it is called as `torch.cat(…)`, `F.pad(…)` or `x.view(…)`. A function that is a
# layer's form has the layer's sentence.
FUNCTIONS = {
    **dict.fromkeys(
        ("cat", "concat", "concatenate", "hstack", "vstack"),
        "Puts tensors one after another along a dimension that they have.",
    ),
    "stack": "Puts tensors of one shape side by side along a new dimension.",
    **dict.fromkeys(
        ("chunk", "split", "tensor_split", "unbind"),
        "Parts a tensor into several along a dimension.",
    ),
    **dict.fromkeys(
        ("view", "reshape"),
        "The same values in another shape.",
    ),
    "flatten": "Makes one dimension of several.",
    "unflatten": "Splits one dimension into several.",
    "squeeze": "Takes dimensions of size 1 out.",
    "unsqueeze": "Puts a dimension of size 1 in.",
    **dict.fromkeys(("transpose", "swapaxes", "t"), "Swaps two dimensions."),
    **dict.fromkeys(("permute", "movedim"), "Puts the dimensions in another order."),
    "contiguous": "The same values, laid out in memory in the order of the dimensions.",
    **dict.fromkeys(
        ("expand", "broadcast_to"),
        "Repeats values along dimensions without copying them.",
    ),
    **dict.fromkeys(("repeat", "tile", "repeat_interleave"), "Repeats values along dimensions."),
    "flip": "Turns a dimension round.",
    "roll": "Shifts values along a dimension; what leaves one end enters at the other.",
    "pad": "Puts values around the input.",
    "interpolate": "Resizes by interpolation.",
    "gather": "Takes values from the places that an index tensor names.",
    **dict.fromkeys(("index_select", "narrow", "select"), "Takes a part of a tensor."),
    "where": "Takes each value from one of two tensors, as a condition says.",
    "masked_fill": "Puts one value in the places that a mask marks.",
    **dict.fromkeys(("tril", "triu"), "Keeps one triangle of a matrix and zeroes the rest."),
    "one_hot": "Makes a vector of zeros and a single one of each index.",
    "sum": "The sum, over all or some dimensions.",
    "mean": "The average, over all or some dimensions.",
    **dict.fromkeys(("var", "std"), "How far values lie from their average."),
    **dict.fromkeys(("max", "amax"), "The greatest value, over all or some dimensions."),
    **dict.fromkeys(("min", "amin"), "The least value, over all or some dimensions."),
    "argmax": "The place of the greatest value.",
    "topk": "The k greatest values and their places.",
    "cumsum": "The running sum along a dimension.",
    "norm": "The norm of a tensor: its length.",
    "normalize": "Divides vectors by their norm, so that each has length 1.",
    "abs": "The absolute value of each element.",
    "exp": "The exponential of each element.",
    "log": "The natural logarithm of each element.",
    "sqrt": "The square root of each element.",
    "rsqrt": "One over the square root of each element.",
    **dict.fromkeys(("pow", "square"), "A power of each element."),
    **dict.fromkeys(("sin", "cos"), "A sine or cosine of each element."),
    "clamp": "Holds each value between two bounds.",
    "add": "Adds, element by element.",
    "sub": "Subtracts, element by element.",
    "mul": "Multiplies, element by element.",
    "div": "Divides, element by element.",
    **dict.fromkeys(("matmul", "mm", "bmm"), "The matrix product of the last two dimensions."),
    "outer": "The product of each element of one vector with each of another.",
    "einsum": "Products and sums over dimensions, by their letters.",
    "scaled_dot_product_attention": "Attention: softmax(query @ key.T / sqrt(size)) @ value.",
    **dict.fromkeys(("zeros", "zeros_like", "new_zeros"), "A tensor of zeros."),
    **dict.fromkeys(("ones", "ones_like", "new_ones"), "A tensor of ones."),
    **dict.fromkeys(("full", "full_like", "new_full"), "A tensor of one value."),
    **dict.fromkeys(("arange", "linspace"), "Evenly spaced numbers."),
    **dict.fromkeys(
        ("rand", "rand_like", "randn", "randn_like", "bernoulli", "randint", "randperm"),
        "Draws random numbers, in both files the same ones from the same random state.",
    ),
    "detach": "The same values without their history: no gradient flows back through them.",
    **dict.fromkeys(
        ("to", "float", "double", "half", "bfloat16", "long", "int", "bool", "type_as"),
        "The same values with another dtype.",
    ),
    "pack_padded_sequence": "Packs sequences of different lengths, so that padding is not computed.",
    "pad_packed_sequence": "Unpacks packed sequences into a padded tensor.",
}

OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "Adds two values, element by element.",
    ast.Sub: "Subtracts one value from another, element by element.",
    ast.Mult: "Multiplies two values, element by element.",
    ast.Div: "Divides one value by another, element by element.",
    ast.MatMult: "The matrix product of the last two dimensions.",
    ast.Pow: "A power of each element.",
}
INDEX = "Takes a part of a tensor, by indices."
RENAME = "Gives a value a name."
CALL = "Calls `{function}`."
LAYER = "Calls the layer `{layer}`."
ANY = "A line of Python."

SENTENCES = frozenset(
    {*FUNCTIONS.values(), *OPERATORS.values(), INDEX, RENAME, CALL, LAYER, ANY},
)


def called(tree: ast.expr) -> str:
    """What an expression calls at its outermost, by the catalog's name: `torch.cat`, `Tensor.view`; or "".

    A layer that is called is told by its own name: `relu`.
    """
    if not isinstance(tree, ast.Call):
        return ""
    if isinstance(tree.func, ast.Name):
        return tree.func.id
    path = ast.unparse(tree.func)
    root, _, rest = path.partition(".")
    if root in ("torch", "F", "nn") and "(" not in path:
        return path
    return f"Tensor.{tree.func.attr if isinstance(tree.func, ast.Attribute) else rest}"


def sentence_of(tree: ast.expr) -> tuple[str, dict[str, str]]:
    """The sentence of an expression that calls no function, and what its fields stand for."""
    if isinstance(tree, ast.Call):
        return LAYER, {"layer": called(tree)}
    if isinstance(tree, ast.BinOp):
        return OPERATORS.get(type(tree.op), ANY), {}
    if isinstance(tree, ast.Subscript):
        return INDEX, {}
    return (RENAME if isinstance(tree, ast.Name) else ANY), {}
