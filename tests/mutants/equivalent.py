"""Mutants that compute the same bits as the twin in every mode: none can catch them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Equivalent:
    """A place where a fault is none.

    Args:
        fault: the fault's name.
        specs: the specs it is none in; empty where all are meant.
        sources: what the changed lines may hold, before or after; empty where every line is meant.
        because: why the same bits come of it.
    """

    fault: str
    specs: tuple[str, ...]
    sources: tuple[str, ...]
    because: str


EQUIVALENT: tuple[Equivalent, ...] = (
    *(
        Equivalent(
            fault,
            ("translation",),
            ('float("-inf")',),
            "this mask only tells whether the one that is used is causal, which is a hint",
        )
        for fault in ("mask_inverted", "mask_off_by_one")
    ),
    Equivalent(
        "ceil_mode_flipped",
        ("cnn", "lenet5", "plain_cnn", "digits", "siamese", "sequential_block", "unet"),
        ("kernel_size=2",),
        "the input's size is fixed, and what is pooled divides by two",
    ),
    Equivalent("ceil_mode_flipped", ("pools",), ("kernel_size=2",), "what is pooled was doubled"),
    Equivalent(
        "block_argument_left_out",
        ("dcgan_generator",),
        ("8 * width, padding=0)",),
        "a transposed convolution of one pixel makes no use of its stride",
    ),
    Equivalent(
        "block_argument_off_by_one",
        ("dcgan_generator",),
        ("padding=0, stride=2)",),
        "a transposed convolution of one pixel makes no use of its stride",
    ),
    Equivalent(
        "both_give_a_block_another_size",
        ("dcgan_generator",),
        ("padding=0, stride=2)",),
        "a transposed convolution of one pixel makes no use of its stride",
    ),
    Equivalent(
        "stateless_block_argument_off_by_one",
        ("dcgan_generator",),
        ("padding=0, prefix='main.0.', stride=2)",),
        "a transposed convolution of one pixel makes no use of its stride",
    ),
    Equivalent(
        "stateless_block_not_made",
        ("llama",),
        ("self.rotary.init",),
        "the block has neither parameters nor buffers",
    ),
    Equivalent(
        "constructor_argument_ignored",
        ("dcgan_generator",),
        ("self.stride = stride",),
        "only the block that makes no use of its stride has another than the default",
    ),
    Equivalent(
        "stateless_bias_before_weight",
        ("translation",),
        ("multihead_attn.out_proj.weight", "self_attn.out_proj.weight"),
        "the bias is set to zero, and the model draws the weight again",
    ),
    Equivalent(
        "not_drawn",
        ("dcgan_discriminator", "dcgan_generator"),
        ("nn.init.zeros_(self.bn1_bias)",),
        "the bias of a batch norm starts as zeros",
    ),
    Equivalent(
        "both_drop_a_keyword",
        ("dropout_function",),
        ("p=0.5",),
        "it is torch's default",
    ),
    Equivalent(
        "both_drop_a_keyword",
        ("log_softmax_nll", "words"),
        ("dim=1)",),
        "of two dimensions torch takes the second where none is given",
    ),
    Equivalent(
        "image_transposed",
        ("mobilenet_v3_small", "efficientnet_b0"),
        ("self.fc1_weight", "self.fc2_weight"),
        "what was pooled to one pixel is the same turned over",
    ),
    Equivalent(
        "both_fold_a_branch",
        ("convnext_tiny", "efficientnet_b0"),
        ("if self.has_stochastic_depth:\nTrue",),
        "a layer without weights is built there that forward then does not call",
    ),
    Equivalent(
        "parameter_as_plain_tensor",
        ("gpt2",),
        ("self.lm_head_weight = nn.Parameter",),
        "what it draws is not kept: another parameter takes its place two lines later",
    ),
)


def reason(fault: str, spec: str, told: str) -> str:
    """Why a fault is none in these lines of a spec's package; empty where it is one."""
    for entry in EQUIVALENT:
        if (
            entry.fault in (fault, fault.removeprefix("stateless_"))
            and (not entry.specs or spec in entry.specs)
            and (not entry.sources or any(text in told for text in entry.sources))
        ):
            return entry.because
    return ""
