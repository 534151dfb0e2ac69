"""What real networks ask of blocks: arms for some uses only, names that meet a loop's, redraws of alike kinds."""

from __future__ import annotations

from tests.graph.test_blocks import code, model, refused, verified

UNIT = """
blocks:
  Unit:
    args: {planes: required, stride: 1}
    let: {has_skip: stride == 1 and in_channels == planes}
    layers:
      - Conv2d as conv: {out_channels: planes, kernel_size: 3, stride: stride, padding: 1}
      - x = %s if has_skip else conv
layers:
  - Unit as a: {planes: 6, stride: 2}
  - Unit as b: 6
"""


def test_an_arm_of_a_condition_may_fit_some_uses_only() -> None:
    pair = verified(model(UNIT % "x + conv"))
    assert "x = x + conv if self.has_skip else conv" in code(pair.functional_style)


def test_a_let_that_only_forward_reads_is_no_local_variable() -> None:
    pair = verified(model(UNIT % "x + conv"))
    assert "self.has_skip = stride == 1 and in_channels == planes" in code(pair.nn_style)


def test_an_arm_that_fits_no_use_is_refused() -> None:
    once = model(UNIT % "x + conv").replace("  - Unit as b: 6\n", "")
    assert "do not go together" in refused(once)


def test_a_misspelt_name_in_an_arm_that_is_not_taken_is_refused() -> None:
    assert "there is no 'conw'" in refused(model(UNIT % "x + conw"))


def test_a_layer_may_be_called_in_an_arm_that_some_uses_take() -> None:
    pair = verified(model("""
blocks:
  Scale:
    layers:
      - x = x * 2
  Unit:
    args: {wide: required}
    layers:
      - Conv2d as conv: {out_channels: 4, kernel_size: 1}
      - Scale as scale
      - x = scale + scale(x) if wide else scale
layers:
  - Unit as a: {wide: false}
  - Unit as b: {wide: true}
"""))
    assert "scale + self.scale(x) if self.wide else scale" in code(pair.functional_style)


def test_a_value_may_be_called_as_a_loop_calls_its_item() -> None:
    pair = verified(model("""
blocks:
  Unit:
    layers:
      - Conv2d as conv: {out_channels: in_channels, kernel_size: 1}
layers:
  - Sequential as block: [Unit, Unit]
  - x = x + block
"""))
    assert "for layer in self.block:" in code(pair.functional_style)


def test_a_step_draws_its_parameters_anew_in_their_order() -> None:
    pair = verified(model("""
layers:
  - Flatten
  - Sequential as mlp: [{Linear: 8}, GELU, {Linear: 8}]
    init: {Linear.bias: {normal_: {std: 0.1}}, "*.weight": xavier_uniform_, 2.bias: zeros_}
"""))
    drawn = [
        line.split("(", 1)[1].strip()
        for line in code(pair.nn_style).splitlines()
        if "nn.init" in line
    ]
    assert drawn == [
        'self.get_parameter("mlp.0.weight"))',
        'self.get_parameter("mlp.0.bias"), std=0.1)',
        'self.get_parameter("mlp.2.weight"))',
        'self.get_parameter("mlp.2.bias"))',
    ]


def test_kinds_that_are_drawn_alike_share_a_branch() -> None:
    pair = verified(model("""
blocks:
  Unit:
    layers:
      - Conv2d as conv: {out_channels: in_channels, kernel_size: 1}
layers:
  - Unit
  - Linear: 3
init: {Conv2d.weight: ones_, Linear.weight: ones_}
"""))
    assert "if isinstance(module, (nn.Conv2d, nn.Linear)):" in code(pair.nn_style)


def test_parameters_of_the_model_itself_are_drawn_by_name() -> None:
    pair = verified(model("""
blocks:
  Unit:
    layers:
      - Conv2d as conv: {out_channels: in_channels, kernel_size: 1}
layers:
  - Sequential as units: [Unit, Unit]
  - Linear as head: 3
init: {head.weight: zeros_}
"""))
    assert "        nn.init.zeros_(self.head.weight)" in code(pair.nn_style)
