"""A layer's value that only the line below takes stands in that line, in both twins or in neither."""

from __future__ import annotations

import pytest

from nngen.language import document
from nngen.language import spec as specs
from nngen.pipeline import Compilation
from nngen.proof import loading, verification

HEAD = "name: M\ninput: [4, 6]\nlayers:\n"


def compiled(layers: str) -> Compilation:
    return Compilation(specs.from_node(document.parse(HEAD + layers, "text"), "text"))


def forwards(layers: str) -> tuple[list[str], list[str]]:
    files = compiled(layers).files
    nn, functional = (
        files[name].split("def forward")[1].split("\n\n")[0].splitlines()[1:]
        for name in ("nn_style.py", "functional_style.py")
    )
    return [line.strip() for line in nn], [line.strip() for line in functional]


def test_a_layer_stands_in_the_line_that_takes_it() -> None:
    layers = "  - y = 2 * x\n  - Dropout as drop: 0.5\n  - x = x + drop\n"
    nn, functional = forwards(layers)
    assert nn == ["y = 2 * x", "x = x + self.drop(y)", "return x"]
    assert functional[1] == "x = x + F.dropout(y, p=0.5, training=self.training)"


def test_so_does_a_layer_before_it_and_no_longer_chain() -> None:
    two = "  - ReLU as act\n  - Dropout as drop: 0.5\n  - x = x + drop\n"
    assert forwards(two)[0] == ["x = x + self.drop(self.act(x))", "return x"]
    assert forwards("  - Tanh as first\n" + two)[0] == [
        "out = self.first(x)",
        "out = self.act(out)",
        "x = x + self.drop(out)",
        "return x",
    ]


def test_what_is_too_long_in_one_twin_is_joined_in_neither() -> None:
    layers = "  - y = 2 * x\n  - LayerNorm as {}: {{eps: 1e-6}}\n  - x = x + {}\n"
    for name, joined in (("norm", True), ("normalised_over_features", False)):
        found = forwards(layers.format(name, name))
        assert [f"{name} = " not in "\n".join(lines) for lines in found] == [joined, joined]


def test_two_layers_stand_in_a_line_in_their_order_or_not_at_all() -> None:
    layers = "  - ReLU as a\n  - Tanh as b:\n    from: x\n"
    assert forwards(layers + "  - y = a - b\n")[0] == ["y = self.a(x) - self.b(x)", "return y"]
    apart = ["a = self.a(x)", "b = self.b(x)"]
    assert forwards(layers + "  - y = b - a\n")[0][:2] == apart
    # Before `b`, `F.silu` would compute.
    assert forwards(layers + "  - y = F.silu(a) - b\n")[0][:2] == apart
    assert forwards(layers + "  - z = 3 * x\n  - y = z - a * b\n")[0][:2] == apart


@pytest.mark.parametrize(
    "layers",
    [
        "  - ReLU as a\n  - y = a * a\n",
        "  - ReLU as a\n  - y = 2 * a\n  - z = y + a\n",
        "  - ReLU as a\n  - y = a if training else x\n",
        "  - ReLU as a\n  - y = torch.exp(x) + a\n",
        "  - ReLU as a:\n    when: training\n  - y = x + a\n",
        "  - ReLU as act:\n    call: a = act(x)\n  - y = x + a\n",
        "  - Linear as a: 3\n  - y = 2 * a\n",
    ],
    ids=["twice", "later", "choice", "computed before", "condition", "named", "comment"],
)
def test_a_value_keeps_its_line(layers: str) -> None:
    for lines in forwards(layers):
        assert any(line.startswith("a = ") for line in lines)


def test_both_know_their_steps() -> None:
    layers = "  - y = 2 * x\n  - Dropout as drop: 0.5\n  - x = x + drop\n"
    for file in compiled(layers).source_map.files.values():
        lines = file.text.splitlines()
        found = {
            span.mark.path: lines[span.line - 1][span.column : span.end_column]
            for span in file.spans
            if span.scope[1] == "forward" and span.mark.path.startswith("layers")
        }
        if found:
            drop, whole = found["layers[1].Dropout as drop"], found["layers[2]"]
            assert drop in ("self.drop(y)", "F.dropout(y, p=0.5, training=self.training)")
            assert whole == f"x = x + {drop}"
            (number,) = (n for n, line in enumerate(lines) if whole in line)
            mark = file.lines[number]
            assert mark is not None and mark.path == "layers[2]"


def test_the_step_in_a_line_is_compared_on_its_own() -> None:
    layers = "  - y = 2 * x\n  - Dropout as drop: 0.5\n  - x = x + drop\n"
    report = verification.verify(loading.load(HEAD + layers).subject())
    assert [row.path for row in report.steps] == ["layers[0]", "layers[1]", "layers[2]"]
    assert len({row.values for row in report.steps}) == 1
