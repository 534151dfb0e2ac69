"""Each line of both twins knows the step of the spec that made it, and each step its lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from nngen.emit.source_map import SourceFile, SourceMap, Span
from nngen.language import document
from nngen.language import spec as specs
from nngen.language.extents import Extent, extents, step_path
from nngen.language.spec import LayerStep, Step
from nngen.pipeline import Compilation
from tests.built import compiled

SPECS = Path(__file__).parents[2] / "specs"
# Between them they have all that a spec can say.
NAMES = (
    "cnn",
    "dcgan_generator",
    "googlenet",
    "gpt2",
    "lstm_classifier",
    "residual",
    "same_or_not",
)
NAMES += ("sequential_block", "translation", "vae", "wavenet")
TWINS = ("nn_style.py", "functional_style.py")


def traced(text: str) -> SourceMap:
    return Compilation(specs.from_node(document.parse(text, "text"), "text")).source_map


def lines(file: SourceFile) -> list[tuple[str, str]]:
    """The code of each line that a step made, behind the step's path."""
    texts = file.text.splitlines()
    return [
        (mark.path, text.strip()) for mark, text in zip(file.lines, texts) if mark and mark.path
    ]


MODEL = """\
name: Model
doc: größer
args: {width: 4}
input: [3, 8, 8]
blocks:
  Block:
    args: {planes: required}
    let: {middle: planes // 2}
    layers:
      - Sequential as body: [{Conv2d: {out_channels: middle, kernel_size: 1}}, ReLU]
        when: planes > 2
        otherwise: none
      - x = body if planes > 2 else x
init: {Linear.weight: zeros_}
layers:
  - Block: width
  - Flatten as flat: {start_dim: 1}
    from: block1
  - "ä = flat * 2"
  - Linear as fc: 1
loss: BCEWithLogitsLoss
"""
"""A spec with two steps on one line, parts of black's own lines and letters beyond ASCII."""


def test_lines_of_the_nn_twin() -> None:
    assert lines(traced(MODEL).files["nn_style.py"]) == [
        ("blocks.Block", "class Block(nn.Module):"),
        ("blocks.Block", '"""Maps (N, in_channels, H, W) to (N, C, H, W)."""'),
        ("blocks.Block.args.planes", "def __init__(self, in_channels: int, planes: int) -> None:"),
        ("blocks.Block", "super().__init__()"),
        ("blocks.Block.let.middle", "middle = planes // 2"),
        ("blocks.Block.args.planes", "self.planes = planes"),
        ("blocks.Block.layers[0].Sequential as body", "self.has_body = planes > 2"),
        ("blocks.Block.layers[0].Sequential as body", "if self.has_body:"),
        ("blocks.Block.layers[0].Sequential as body", "self.body = nn.Sequential("),
        (
            "blocks.Block.layers[0].Sequential as body[0].Conv2d",
            "nn.Conv2d(in_channels, middle, kernel_size=1), nn.ReLU()",
        ),
        ("blocks.Block.layers[0].Sequential as body", ")"),
        ("blocks.Block", "def forward(self, x: Tensor) -> Tensor:"),
        ("blocks.Block.layers[0].Sequential as body", "body = None"),
        ("blocks.Block.layers[0].Sequential as body", "if self.has_body:"),
        ("blocks.Block.layers[0].Sequential as body", "body = self.body(x)"),
        ("blocks.Block.layers[1]", "x = body if self.planes > 2 else x"),
        ("blocks.Block", "return x"),
        ("args.width", "def __init__(self, width: int = 4) -> None:"),
        ("layers[0].Block", "self.block1 = Block(3, width)"),
        ("layers[1].Flatten as flat", "self.flat = nn.Flatten(start_dim=1)"),
        ("layers[3].Linear as fc", "self.fc = nn.Linear(64 * (width // 2 if width > 2 else 3), 1)"),
        ("loss", "self.criterion = nn.BCEWithLogitsLoss()"),
        ("init.Linear.weight", "for module in self.modules():"),
        ("init.Linear.weight", "if isinstance(module, nn.Linear):"),
        ("init.Linear.weight", "nn.init.zeros_(module.weight)"),
        ("input", "def forward(self, x: Tensor) -> Tensor:"),
        ("layers[0].Block", "block1 = self.block1(x)"),
        ("layers[2]", "ä = self.flat(block1) * 2"),
        ("layers[3].Linear as fc", "x = self.fc(ä)  # (N, 1)"),
        ("loss", "def loss(self, logits: Tensor, target: Tensor) -> Tensor:"),
        (
            "loss",
            '"""Binary cross entropy of logits (N, 1) and targets (N, 1) from 0 to 1; takes the sigmoid itself."""',
        ),
        ("loss", "return self.criterion(logits, target)"),
    ]


def test_lines_of_the_functional_twin() -> None:
    assert lines(traced(MODEL).files["functional_style.py"]) == [
        ("blocks.Block", "class Block(nn.Module):"),
        ("blocks.Block", '"""Maps (N, in_channels, H, W) to (N, C, H, W)."""'),
        ("blocks.Block.args.planes", "def __init__(self, in_channels: int, planes: int) -> None:"),
        ("blocks.Block", "super().__init__()"),
        ("blocks.Block.let.middle", "middle = planes // 2"),
        ("blocks.Block.args.planes", "self.planes = planes"),
        ("blocks.Block.layers[0].Sequential as body", "self.has_body = planes > 2"),
        ("blocks.Block.layers[0].Sequential as body", "if self.has_body:"),
        (
            "blocks.Block.layers[0].Sequential as body[0].Conv2d",
            "self.body_0_weight = nn.Parameter(torch.empty(middle, in_channels, 1, 1))",
        ),
        (
            "blocks.Block.layers[0].Sequential as body[0].Conv2d",
            "self.body_0_bias = nn.Parameter(torch.empty(middle))",
        ),
        (
            "blocks.Block.layers[0].Sequential as body[0].Conv2d",
            "nn.init.kaiming_uniform_(self.body_0_weight, a=math.sqrt(5))",
        ),
        ("blocks.Block.layers[0].Sequential as body[0].Conv2d", "nn.init.uniform_("),
        ("blocks.Block.layers[0].Sequential as body[0].Conv2d", "self.body_0_bias,"),
        ("blocks.Block.layers[0].Sequential as body[0].Conv2d", "-1 / math.sqrt(in_channels),"),
        ("blocks.Block.layers[0].Sequential as body[0].Conv2d", "1 / math.sqrt(in_channels),"),
        ("blocks.Block.layers[0].Sequential as body[0].Conv2d", ")"),
        ("blocks.Block", "def forward(self, x: Tensor) -> Tensor:"),
        ("blocks.Block.layers[0].Sequential as body", "body = None"),
        ("blocks.Block.layers[0].Sequential as body", "if self.has_body:"),
        (
            "blocks.Block.layers[0].Sequential as body[0].Conv2d",
            "body = F.conv2d(x, self.body_0_weight, self.body_0_bias)",
        ),
        ("blocks.Block.layers[0].Sequential as body[1]", "body = F.relu(body)"),
        ("blocks.Block.layers[1]", "x = body if self.planes > 2 else x"),
        ("blocks.Block", "return x"),
        ("blocks.Block", "def extra_repr(self) -> str:"),
        ("blocks.Block", '"""The parameters\' shapes, which print(model) shows."""'),
        ("blocks.Block", "parameters = self.named_parameters(recurse=False)"),
        (
            "blocks.Block",
            'return "\\n".join(f"({name}): {tuple(p.shape)}" for name, p in parameters)',
        ),
        ("args.width", "def __init__(self, width: int = 4) -> None:"),
        ("layers[0].Block", "self.block1 = Block(3, width)"),
        ("layers[3].Linear as fc", "self.fc_weight = nn.Parameter("),
        ("layers[3].Linear as fc", "torch.empty(1, 64 * (width // 2 if width > 2 else 3))"),
        ("layers[3].Linear as fc", ")"),
        ("layers[3].Linear as fc", "self.fc_bias = nn.Parameter(torch.empty(1))"),
        ("layers[3].Linear as fc", "nn.init.kaiming_uniform_(self.fc_weight, a=math.sqrt(5))"),
        ("layers[3].Linear as fc", "nn.init.uniform_("),
        ("layers[3].Linear as fc", "self.fc_bias,"),
        ("layers[3].Linear as fc", "-1 / math.sqrt(64 * (width // 2 if width > 2 else 3)),"),
        ("layers[3].Linear as fc", "1 / math.sqrt(64 * (width // 2 if width > 2 else 3)),"),
        ("layers[3].Linear as fc", ")"),
        ("init.Linear.weight", "nn.init.zeros_(self.fc_weight)"),
        ("input", "def forward(self, x: Tensor) -> Tensor:"),
        ("layers[0].Block", "block1 = self.block1(x)"),
        ("layers[2]", "ä = torch.flatten(block1, start_dim=1) * 2"),
        ("layers[3].Linear as fc", "x = F.linear(ä, self.fc_weight, self.fc_bias)  # (N, 1)"),
        ("loss", "def loss(self, logits: Tensor, target: Tensor) -> Tensor:"),
        (
            "loss",
            '"""Binary cross entropy of logits (N, 1) and targets (N, 1) from 0 to 1; takes the sigmoid itself."""',
        ),
        ("loss", "return F.binary_cross_entropy_with_logits(logits, target)"),
    ]


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def found(name: str) -> SourceMap:
    return compiled(SPECS / f"{name}.yaml").source_map


def test_the_files_are_those_of_build(name: str, found: SourceMap) -> None:
    texts = {name: file.text for name, file in found.files.items()}
    assert texts == compiled(SPECS / f"{name}.yaml").files


def test_spans_hold_whole_lines_of_code(found: SourceMap) -> None:
    for file in found.files.values():
        texts = file.text.splitlines()
        for span in file.spans:
            assert not texts[span.line - 1][span.column].isspace()
            assert not texts[span.end_line - 1][span.end_column - 1].isspace()


def test_all_code_of_a_class_is_from_the_spec(found: SourceMap) -> None:
    for twin in TWINS:
        file = found.files[twin]
        start = file.text.index("\nclass ")
        first = file.text.count("\n", 0, start + 1)
        for mark, text in list(zip(file.lines, file.text.splitlines()))[first:]:
            assert (mark is None) == (not text.strip()), text


def steps(these: Iterable[Step]) -> Iterator[Step]:
    for step in these:
        yield step
        if isinstance(step, LayerStep):
            yield from steps(step.children)


def test_every_step_is_somewhere_in_both_twins(name: str, found: SourceMap) -> None:
    spec = specs.read(SPECS / f"{name}.yaml")
    bodies = [spec.model, *spec.blocks.values()]
    marks = {step.mark for body in bodies for step in steps(body.layers)}
    assert marks
    for twin in TWINS:
        spans = found.files[twin].spans
        missing = marks - {span.mark for span in spans}
        # A layer that computes nothing here, such as an Identity or a nested container, leaves no line.
        assert not {
            m.path for m in missing if "Identity" not in m.path and "Sequential" not in m.path
        }
        assert {span.mark for span in spans} <= set(known(spec.file, found))


def known(file: str, found: SourceMap) -> Iterator[object]:
    """The marks that are places in the spec's own file."""
    for twin in found.files.values():
        yield from (span.mark for span in twin.spans if span.mark.file.endswith(file))


def test_each_mark_has_its_part_of_the_spec(name: str, found: SourceMap) -> None:
    text = (SPECS / f"{name}.yaml").read_text()
    parts = extents(text)
    for file in found.files.values():
        for span in file.spans:
            part = parts[step_path(span.mark.path)]
            assert (part.line, part.column) <= (span.mark.line, span.mark.column - 1)
            assert (span.mark.line, span.mark.column) <= (part.end_line, part.end_column)


def test_a_part_reaches_to_its_last_letter() -> None:
    text = "a:\n  - {b: 1} # why\n\n  - c: |\n      one\n\n    d: [2,\n    3]\n\ne: ä\n"
    assert extents(text) == {
        "": Extent(1, 0, 10, 4),
        "a": Extent(1, 0, 8, 6),
        "a[0]": Extent(2, 4, 2, 10),
        "a[0].b": Extent(2, 5, 2, 9),
        "a[1]": Extent(4, 4, 8, 6),
        "a[1].c": Extent(4, 4, 5, 9),
        "a[1].d": Extent(7, 4, 8, 6),
        "a[1].d[0]": Extent(7, 8, 7, 9),
        "a[1].d[1]": Extent(8, 4, 8, 5),
        "e": Extent(10, 0, 10, 4),
    }


def test_of_two_steps_on_one_line_each_has_its_own_part() -> None:
    file = traced(MODEL).files["nn_style.py"]
    texts = file.text.splitlines()
    inside = [span for span in file.spans if "body[" in span.mark.path]

    def code(span: Span) -> str:
        assert span.line == span.end_line
        return texts[span.line - 1][span.column : span.end_column]

    assert [(span.mark.path[-9:], code(span)) for span in inside] == [
        ("0].Conv2d", "nn.Conv2d(in_channels, middle, kernel_size=1)"),
        ("s body[1]", "nn.ReLU()"),
    ]


def test_what_is_in_a_layer_of_torch_is_from_the_step_that_uses_it() -> None:
    layers = "layers:\n  - TransformerEncoderLayer: {d_model: 4, nhead: 2}\n"
    found = traced(f"name: M\ninput: [5, 4]\n{layers}").files["functional_style.py"]
    scopes = {span.scope[0]: span.mark.path for span in found.spans if span.mark.path != "input"}
    assert scopes["TransformerEncoderLayer"] == "layers[0].TransformerEncoderLayer"


def test_control_characters_in_a_file_name_are_no_marks() -> None:
    spec = {"name": "M", "input": [3], "layers": ["ReLU"]}
    file = Compilation(specs.from_node(document.of(spec), "a\x02b\x03c\x04d.yaml")).source_map
    assert "from a b c d.yaml." in file.files["nn_style.py"].text
