"""What docstrings, annotations and comments say is so in every use of a class, and with other arguments."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

import nngen
from nngen.graph import follow
from nngen.language import document, spec
from nngen.views.diagram import draw
from tests.built import LARGE, SPECS, compiled, each_spec, each_spec_large_ones_slow
from tests.claims import FalseClaim, Told, claims_hold
from tests.same_text import same_text
from tests.support import loaded, settled

BRANCH = """
name: M
input: [4, 8, 8]
blocks:
  B:
    args: {planes: required, stride: 1}
    layers:
      - Conv2d as conv: {out_channels: planes, kernel_size: 3, stride: stride, padding: 1}
      - y = x + conv if stride == 1 and in_channels == planes else conv
layers:
  - B as first: 4
"""
OTHER_BRANCH = BRANCH + "  - B as second: {planes: 6, stride: 2}\n"
TWO_SIZES = """
name: M
inputs: {big: [2, 8, 8], small: [3, 4, 4]}
blocks:
  Join:
    inputs: [a, b]
    layers:
      - Upsample as up: {scale_factor: 2}
        from: b
      - y = torch.cat([a, up], 1)
layers:
  - Join as join:
    from: [big, small]
"""
ONE_SIZE = """
name: M
inputs: {x: [4, 8, 8], y: [4, 8, 8]}
blocks:
  Join:
    inputs: [a, b]
    layers: ["z = torch.cat([a, b], 1)"]
layers:
  - Join as join:
    from: [x, y]
"""
SKIPPED = """
name: M
input: [4, 8]
blocks:
  B:
    args: {planes: required, project: false}
    layers:
      - Conv1d as conv: {out_channels: planes, kernel_size: 1}
        when: project
      - y = conv * 2
layers:
  - B as first: {planes: 6, project: true}
  - B as second: 5
"""
GROWING = """
name: M
args: {K: 3}
input: [2, T]
blocks:
  Grow:
    args: {pad: required}
    layers:
      - Conv1d as c: {out_channels: 2, kernel_size: 1, padding: pad}
layers:
  - Grow as grow: i
    repeat: K
"""
RANKS = """
name: M
input: [4, 8]
blocks:
  Pool:
    args: {flat: false}
    layers: ["y = x.flatten(1) if flat else x"]
layers:
  - Pool as pool
"""
ORDERS = """
name: M
input: [2, 3, 4]
blocks:
  Permute:
    args: {dims: required}
    layers: [y = x.permute(dims)]
layers:
  - Permute as back: {dims: [0, 2, 3, 1]}
  - Permute as front: {dims: [0, 3, 1, 2]}
"""
OPEN_ELSEWHERE = """
name: M
inputs: {x: [4, T], y: [4, 7]}
blocks:
  B: {layers: ["z = x[..., 1:]"]}
layers:
  - B as b:
    from: x
  - c = b(y)
outputs: [b, c]
"""
NAMED_LETTERS = """
name: M
args: {L: 3}
inputs: {x: [4, 8]}
blocks:
  B:
    args: {L: required}
    layers: [z = x * L]
layers:
  - B: L
"""

PACKED = """
name: M
inputs: {x: [T, 4], lengths: {shape: [], dtype: int64, below: 7, low: 1}}
blocks:
  P:
    inputs: [p]
    layers:
      - GRU as g: {hidden_size: 5, batch_first: true}
        call: y, h = g(p)
    outputs: [y, h]
layers:
  - p = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
  - P as pp:
    call: y, h = pp(p)
outputs: [h, y]
"""
NESTED = """
name: M
args: {wide: false}
input: [4, 8]
blocks:
  Inner:
    args: {planes: required, skip: false}
    layers:
      - Conv1d as c: {out_channels: planes, kernel_size: 3, padding: 1}
      - "y = c + x if skip and in_channels == planes else c"
  Outer:
    args: {planes: required, wide: false}
    layers:
      - Inner as i: {planes: planes, skip: true}
      - Inner as j: {planes: 2 * planes}
        when: wide
layers:
  - Outer as o: {planes: 4, wide: wide}
"""
BY_HAND = """
name: M
doc: "Maps (N, 3) to (N, 5)."
input: [4]
layers: [{Linear: 2}]
"""


def docs(text: str) -> dict[str, str]:
    """The docstrings of the classes, by their names."""
    return {each.name: each.doc for each in nngen.load(text).graph.classes}


@pytest.mark.parametrize(
    ("text", "name", "doc"),
    [
        (OTHER_BRANCH, "B", "Maps (N, in_channels, H, W) to (N, planes, H', W')."),
        (BRANCH, "B", "Maps (N, in_channels, H, W) to (N, planes, H', W')."),
        (TWO_SIZES, "Join", "Maps a (N, D1, D2, D3) and b (N, E1, E2, E3) to (N, D1', D2, D3)."),
        (ONE_SIZE, "Join", "Maps a (N, D1, D2, D3) and b (N, D1, D2, D3) to (N, D1', D2, D3)."),
        (SKIPPED, "B", "Maps (N, in_channels, L) to (N, C, L)."),
        (GROWING, "Grow", "Maps (N, in_channels, L) to (N, 2, L')."),
        (GROWING, "M", "Maps (N, 2, T) to (N, 2, L)."),
        (RANKS, "Pool", "Maps (N, D1, D2) to (N, D1, D2), or (N, D1')."),
        (ORDERS, "Permute", "Maps (N, D1, D2, D3) to (N, D1', D2', D3')."),
        (OPEN_ELSEWHERE, "B", "Maps (N, D1, D2) to (N, D1, D2')."),
        (PACKED, "P", "Maps a packed sequence to a packed sequence and (1, N, 5)."),
        (NESTED, "Inner", "Maps (N, in_channels, L) to (N, planes, L)."),
        (NESTED, "Outer", "Maps (N, in_channels, L) to (N, C, L)."),
        (NESTED, "M", "Maps (N, 4, 8) to (N, C, 8)."),
        (BY_HAND, "M", "Maps (N, 3) to (N, 5).\n\nMaps (N, 4) to (N, 2)."),
        (NAMED_LETTERS, "B", "Maps (N, D1, D2) to (N, D1, D2)."),
    ],
)
def test_docstring_holds_in_every_use(text: str, name: str, doc: str) -> None:
    assert docs(text)[name] == doc


def test_no_comment_counts_a_loop() -> None:
    pair = nngen.load(GROWING)
    for file in pair.source_map.files.values():
        assert "# (" not in file.text and "i +" not in file.text


def test_a_diagram_counts_each_copy() -> None:
    read = spec.from_node(document.parse(GROWING, "m.yaml"), "m.yaml")
    sizes = re.findall(r"\(N, 2, (.*?)\)", draw(follow(read), unfold=True).as_mermaid())
    assert sizes == ["T", "T", "T + 2", "T + 6"]


ARMS = """
name: M
args: {{flag: {flag}}}
input: [4, 8]
layers:
  - Conv1d as a: {{out_channels: 5, kernel_size: 1}}
  - y = {line}
outputs: {outputs}
"""


@pytest.mark.parametrize(
    ("line", "outputs", "claim", "returns"),
    [
        ("a if flag else a[:, :2]", "y", "(N, C, 8)", "Tensor"),
        ("a if flag else a.flatten(1)", "y", "(N, 5, 8), or (N, 40)", "Tensor"),
        ("a + 1", "(a, y) if flag else y", "(N, 5, 8) and (N, 5, 8), or (N, 5, 8)", "Tensor | tuple[Tensor, Tensor]"),
        ("a + 1", "y if flag else None", "(N, 5, 8), or None", "Tensor | None"),
        ("a + 1", "(a, y if flag else None)", "(N, 5, 8) and (N, 5, 8), or (N, 5, 8) and None", "tuple[Tensor, Tensor | None]"),
        ("a + 1", "[a, y if flag else None]", "(N, 5, 8) and (N, 5, 8), or (N, 5, 8) and None", "list[Tensor | None]"),
        ("a + 1", "{'a': a, 'y': y if flag else None}", "a (N, 5, 8), y (N, 5, 8), or a (N, 5, 8), y None", "dict[str, Tensor | None]"),
        ("a + 1", "(a, y) if flag and training else y", "(N, 5, 8) and (N, 5, 8), or (N, 5, 8)", "Tensor | tuple[Tensor, Tensor]"),
    ],
)  # fmt: skip
def test_what_an_argument_decides_is_told_both_ways(
    line: str, outputs: str, claim: str, returns: str
) -> None:
    texts = []
    for flag in ("true", "false"):
        given = f'"{outputs}"'
        pair = nngen.load(ARMS.format(flag=flag, line=line, outputs=given))
        assert pair.graph.model.doc == f"Maps (N, 4, 8) to {claim}."
        assert pair.graph.model.returns == returns
        claims_hold(pair)
        texts.append({name: file.text for name, file in pair.source_map.files.items()})
    for name, text in texts[0].items():
        default, other = ("flag: bool = True", "flag: bool = False")
        assert _undigested(text).replace(default, other) == _undigested(texts[1][name])


def _undigested(text: str) -> str:
    return re.sub(r"# nngen: digest \w+", "", text)


LEFT_OUT = """
name: M
args: {width: 2, flag: false}
input: [6, 8, 8]
layers:
  - MaxPool2d as pool: width
    when: width > 4
  - MaxPool2d as other: {kernel_size: 2, ceil_mode: flag}
    from: x
  - y = other.mean((2, 3)) + pool.mean((2, 3))
loss: MSELoss
"""


def test_no_comment_tells_of_a_layer_that_may_be_left_out() -> None:
    pair = nngen.load(LEFT_OUT)
    for file in ("nn_style.py", "functional_style.py"):
        text = pair.source_map.files[file].text
        assert "width, 8 // width" not in text and "# (N, 6, 4, 4)" in text
    assert claims_hold(pair) >= 4


EITHER = """
name: M
args: {flag: false}
input: [4, 6]
layers:
  - Linear as a: 3
  - y = a[:, 0] if flag else a
loss: MSELoss
"""


def test_a_loss_tells_of_each_output() -> None:
    pair = nngen.load(EITHER)
    assert pair.graph.model.loss is not None
    assert pair.graph.model.loss.doc == (
        "Mean squared error of (N, 4, 3) or (N, 3) and targets (N, 4, 3) or (N, 3)."
    )
    assert claims_hold(pair) > 8


PASSED = """
name: M
input: [4, 8]
blocks:
  Pair:
    inputs: [x, hidden]
    layers:
      - LSTM as lstm: {hidden_size: 8, batch_first: true}
        call: y, state = lstm(x, hidden)
    outputs: [y, state]
  Maybe:
    inputs: [x, extra]
    layers: ["y = x if extra is None else x + extra"]
layers:
  - GRU as gru: {hidden_size: 8, batch_first: true}
    call: a, h = gru(x)
  - Pair as pair:
    call: b, state = pair(a, (h, h))
  - Maybe as maybe:
    call: c = maybe(b, None)
  - d = maybe(c, c)
outputs: [d, state]
"""


def test_inputs_that_are_no_tensors_have_their_types() -> None:
    pair = nngen.load(PASSED)
    arguments = {each.name: each.arguments for each in pair.graph.classes}
    assert arguments["Pair"] == ("x", "hidden: tuple[Tensor, Tensor]")
    assert arguments["Maybe"] == ("x", "extra: Tensor | None")
    assert claims_hold(pair) > 0


@each_spec
def test_claims_hold(path: Path) -> None:
    with settled():
        held = claims_hold(loaded(path), others=path.stem not in LARGE)
    assert held >= 4


@pytest.mark.slow
@pytest.mark.parametrize("path", [path for path in SPECS if path.stem in LARGE])
def test_claims_of_large_specs_hold_with_other_arguments(path: Path) -> None:
    with settled():
        assert claims_hold(loaded(path)) >= 4


@pytest.mark.parametrize(
    "text",
    [
        *(BRANCH, OTHER_BRANCH, TWO_SIZES, ONE_SIZE, SKIPPED, GROWING, RANKS, ORDERS),
        *(OPEN_ELSEWHERE, PACKED, NESTED, BY_HAND),
    ],
)
def test_claims_of_small_specs_hold(text: str) -> None:
    assert claims_hold(nngen.load(text)) >= 4


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("unet", "skip (N, planes, H2, W2)", "skip (N, C, H, W)"),
        ("unet", "to (N, planes, H2, W2)", "to (N, planes, H, W)"),
        ("unet", "(N, num_classes, 64, 64) and class", "(N, num_classes, 64) and class"),
        ("wavenet", "to (N, levels, T)", "to (N, T, levels)"),
        ("wavenet", "# (N, channels, T)", "# (N, T, channels)"),
        ("residual", "# (N, 32)", "# (N, 32, 1)"),
        ("residual", "to (N, planes, H', W')", "to (N, planes, H, W)"),
        ("googlenet", ", or (N, num_classes).", "."),
    ],
)
def test_a_wrong_claim_is_found(name: str, right: str, wrong: str) -> None:
    pair = nngen.load(f"specs/{name}.yaml")
    for file, module in (
        ("nn_style.py", pair.nn_style),
        ("functional_style.py", pair.functional_style),
    ):
        text = pair.source_map.files[file].text
        assert right in text
        with settled(), pytest.raises(FalseClaim):
            Told(text.replace(right, wrong), vars(module), file).run(pair.subject(), (2, 3))


@each_spec_large_ones_slow
def test_text_does_not_depend_on_check(path: Path) -> None:
    graph = compiled(path).graph
    assert same_text(compiled(path).spec, graph) or not (graph.sizes or graph.arguments)


TOLD_BOTH_WAYS = """
name: M
args: {width: WIDTH, mid: null}
let: {wide: 2 * width}
input: [4, 8]
layers:
  - Conv1d as c: {out_channels: 6, kernel_size: 1}
  - a = c * wide if mid is None else c
  - "b = LINE"
outputs: OUTPUTS
"""


@pytest.mark.parametrize(
    ("line", "outputs", "claim", "returns"),
    [
        ("a * 2", "b if wide > 10 else None", "(N, 6, 8), or None", "Tensor | None"),
        ("a * 2", "(a, b if wide > 10 else None)", "(N, 6, 8) and (N, 6, 8), or (N, 6, 8) and None", "tuple[Tensor, Tensor | None]"),
        ("a * 2", "{'b': b if wide > 10 else None}", "b (N, 6, 8), or b None", "dict[str, Tensor | None]"),
        ("a * 2 if width > 7 else None", "b", "(N, 6, 8), or None", "Tensor | None"),
        ("(a, x) if width < 4 else None", "b", "(N, 6, 8) and (N, 4, 8), or None", "tuple[Tensor, Tensor] | None"),
        ("a.flatten(1) if wide > 20 else a", "b", "(N, 6, 8), or (N, 48)", "Tensor"),
        ("a.flatten(1) if training else a", "b", "(N, 6, 8), or (N, 48)", "Tensor"),
        ("(a, x) if training else a", "b", "(N, 6, 8) and (N, 4, 8), or (N, 6, 8)", "Tensor | tuple[Tensor, Tensor]"),
        ("a if width > 7 else None", "b if width > 7 else x", "(N, C, 8)", "Tensor"),
        ("a if width > 7 else None", "x if not width > 7 else b", "(N, C, 8)", "Tensor"),
        ("a[:, :mid] if mid is not None else None", "b", "(N, min(mid, 6), 8), or None", "Tensor | None"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("width", [3, 5, 6, 12])
def test_a_condition_on_a_number_is_told_both_ways(
    line: str, outputs: str, claim: str, returns: str, width: int
) -> None:
    text = TOLD_BOTH_WAYS.replace("LINE", line).replace("OUTPUTS", f'"{outputs}"')
    pair = nngen.load(text.replace("WIDTH", str(width)))
    assert pair.graph.model.doc == f"Maps (N, 4, 8) to {claim}."
    assert pair.graph.model.returns == returns
    claims_hold(pair)


TAKES_INDICES = """
name: M
input: [4, 8]
layers:
  - MaxPool1d as pool: {kernel_size: 1, return_indices: true}
    when: training
  - ReLU as act: {}
    from: x
outputs: pool, act
"""
IN_A_BLOCK = """
name: M
args: {wide: false}
input: [4, 8]
blocks:
  Maybe:
    args: {both: false}
    layers: [y = x.tanh()]
    outputs: "(x, y) if both else None"
layers:
  - Maybe as first: {both: true}
  - Maybe as second: {both: wide}
    from: x
outputs: second, first
"""


@pytest.mark.parametrize(
    ("text", "claim", "returns"),
    [
        (TAKES_INDICES, "(N, 4, 8) and (N, 4, 8) and (N, 4, 8), or (N, 4, 8) and (N, 4, 8)", "tuple[Tensor | tuple[Tensor, Tensor], Tensor]"),
        (IN_A_BLOCK, "(N, 4, 8) and (N, 4, 8) and (N, 4, 8) and (N, 4, 8), or None and (N, 4, 8) and (N, 4, 8)", "tuple[tuple[Tensor, Tensor] | None, tuple[Tensor, Tensor]]"),
    ],
)  # fmt: skip
def test_what_a_step_decides_is_told_both_ways(text: str, claim: str, returns: str) -> None:
    pair = nngen.load(text)
    assert pair.graph.model.doc == f"Maps (N, 4, 8) to {claim}."
    assert pair.graph.model.returns == returns
    claims_hold(pair)


MISFIT = """
name: M
args: {width: WIDTH, mid: MID}
input: [width - 2, 7]
layers:
  - Conv1d as c: {in_channels: 3, out_channels: 6, kernel_size: 3, padding: same}
    when: mid is None
  - y = c * 2 if mid is None and width < 9 else c
"""


@pytest.mark.parametrize(("width", "mid"), [(5, "null"), (5, "4"), (5, "8")])
def test_what_does_not_come_about_with_a_number_is_not_told(width: int, mid: str) -> None:
    text = MISFIT.replace("WIDTH", str(width)).replace("MID", mid)
    assert docs(text)["M"] == "Maps (N, width - 2, 7) to (N, C, 7)."


BROADCAST = """
name: M
args: {k: K}
input: [4, 8]
blocks:
  Join:
    args: {planes: required, project: false}
    layers:
      - Conv1d as a: {out_channels: planes, kernel_size: 1}
      - Conv1d as b: {out_channels: planes, kernel_size: 1}
        when: project
        from: x
      - y = b + a
layers:
  - Join as narrow: {planes: 1, project: true}
  - Join as wide: {planes: k // 2}
outputs: wide
"""


@pytest.mark.parametrize("k", [2, 3, 4, 12])
def test_of_two_sizes_that_broadcasting_joins_one_tells_of_both(k: int) -> None:
    pair = nngen.load(BROADCAST.replace("K", str(k)))
    assert pair.graph.model.doc == "Maps (N, 4, 8) to (N, k // 2, 8)."
    claims_hold(pair)


@pytest.mark.parametrize("line", ["a + x", "x + a"])
def test_a_number_tells_more_than_an_argument_that_must_be_it(line: str) -> None:
    text = f"""
name: M
args: {{k: 4}}
input: [4, 8]
layers:
  - Conv1d as a: {{out_channels: k, kernel_size: 1}}
  - y = {line}
"""
    pair = nngen.load(text)
    assert pair.graph.model.doc == "Maps (N, 4, 8) to (N, 4, 8)."
    told = Told(pair.source_map.files["nn_style.py"].text, vars(pair.nn_style), "nn_style.py")
    told.run(pair.subject(), (2, 3))
    told.run(replace(pair.subject(), arguments={"k": 1}), (2, 3))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("-> tuple[Tensor, Tensor | None]", "-> tuple[Tensor, Tensor]"),
        ("-> tuple[Tensor, Tensor | None]", "-> tuple[Tensor, None]"),
        ("-> tuple[Tensor, Tensor | None]", "-> Tensor"),
    ],
)
def test_a_wrong_type_is_found(right: str, wrong: str) -> None:
    pair = nngen.load(ARMS.format(flag="false", line="a + 1", outputs='"(a, y if flag else None)"'))
    text = pair.source_map.files["nn_style.py"].text
    assert right in text
    told = Told(text.replace(right, wrong), vars(pair.nn_style), "nn_style.py")
    with pytest.raises(FalseClaim, match="what it returns is no"):
        for flag in (False, True):
            told.run(replace(pair.subject(), arguments={"flag": flag}), (2, 3))


def test_a_size_that_the_mode_may_make_1_gives_way_to_a_number() -> None:
    text = """
name: Net
inputs: {x: [3], other: [4, 3]}
layers:
  - {MaxPool1d: 3, from: other, when: training}
  - y = pool1 * x.unsqueeze(1)
  - Linear: 2
"""
    pair = nngen.load(text)
    assert "Linear(3, 2)" in pair.source_map.files["nn_style.py"].text
    assert pair.nn_style.Net.__doc__ == "Maps x (N, 3) and other (N, 4, 3) to (N, 4, 2)."


HEADS = """
name: M
input: [6, 8]
layers:
  - Linear: 8
  - y = fc1.unflatten(-1, (2, 4)).transpose(1, 2)
  - Halved as halved
  - z = halved.transpose(1, 2).flatten(2)
  - Norm as norm
blocks:
  Halved:
    layers: [y = x * 0.5]
  Norm:
    layers: [LayerNorm, y = x + norm1]
"""


def test_letters_say_what_layers_tell_of() -> None:
    told = docs(HEADS)
    assert told["Halved"] == "Maps (N, D1, D2, D3) to (N, D1, D2, D3)."
    assert told["Norm"] == "Maps (N, T, in_features) to (N, T, in_features)."
    images = HEADS.replace("Linear: 8", "Conv1d: {out_channels: 6, kernel_size: 1}").replace(
        "fc1", "conv1"
    )
    assert docs(images)["Halved"] == "Maps (N, C, H, W) to (N, C, H, W)."


@pytest.mark.parametrize("times", [2, 4])
def test_what_an_argument_divided_decides_is_told_both_ways(times: int) -> None:
    text = f"""
name: M
args: {{times: 2}}
input: [2, 2, 6]
layers: [{{Flatten: {{end_dim: times // 2}}}}]
check: {{times: {times}}}
"""
    assert docs(text)["M"] == "Maps (N, 2, 2, 6) to (N, 2, 2, 6), or (N, 4, 6)."
