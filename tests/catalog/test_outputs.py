"""What layers give by their forms."""

from __future__ import annotations

import pytest

from nngen.catalog import LAYERS, outputs
from nngen.catalog.entry import Layer
from nngen.catalog.fragments import statements
from nngen.errors import Fault
from nngen.symbolic.tensor import Tensor

BY_FORM = [entry for entry in LAYERS.values() if entry.shape is None]


@pytest.mark.parametrize("entry", BY_FORM, ids=lambda entry: entry.name)
def test_what_has_no_rule_is_one_call(entry: Layer) -> None:
    assert isinstance(entry.form, str) and len(statements(entry.form)) == 1
    decides = outputs.deciding(entry)
    assert decides <= {*entry.signature.names, *entry.inputs.names}
    assert entry.inputs.names[0] in decides


def test_the_form_decides() -> None:
    """By the same evaluation: what the form computes, what it leaves at the function's default, and a method."""
    image = Tensor((2, 3, 4, 5))
    padded = outputs.output(LAYERS["ReflectionPad2d"], {"input": image, "padding": (1, 2, 0, 3)})
    assert padded.shape == (2, 3, 7, 8)
    nearest = {"input": image, "size": None, "scale_factor": 2}
    assert outputs.output(LAYERS["UpsamplingNearest2d"], nearest).shape == (2, 3, 8, 10)
    parts = {"input": image, "dim": 1, "unflattened_size": (3, 1)}
    assert outputs.output(LAYERS["Unflatten"], parts).shape == (2, 3, 1, 4, 5)
    assert outputs.output(LAYERS["Identity"], {"input": image}) is image
    assert outputs.deciding(LAYERS["Softmax"]) == {"input", "dim"}


def test_what_the_function_refuses_the_layer_refuses() -> None:
    with pytest.raises(Fault, match="a size of 4 can be padded by 3 in mode 'reflect', not by 4"):
        outputs.output(LAYERS["ReflectionPad1d"], {"input": Tensor((2, 4)), "padding": 4})
