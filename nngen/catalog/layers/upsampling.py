"""Layers that resize: interpolation, pixels to channels and back, windows to columns and back."""

from __future__ import annotations

from nngen.catalog.entry import Check, Layer, example, function
from nngen.catalog.since import Since
from nngen.catalog.traits import Trait
from nngen.symbolic.rules import resizing

_ONE_OF_TWO = Check(
    "(size is None) != (scale_factor is None)",
    "size",
    "takes either size or scale_factor",
)
_SIGNAL, _IMAGE, _VOLUME = (2, 5), (2, 5, 4), (2, 3, 4, 2)
_UPSAMPLE_2D = "size: size[2] | None = None, scale_factor: positive[2] | None = None"
_MODES = "'nearest' | 'linear' | 'bilinear' | 'bicubic' | 'trilinear' | 'area' | 'nearest-exact'"
_RESIZE = (
    "size: size | list[size] | None = None, scale_factor: positive | list[positive] | None = None"
)
_WINDOWS = "dilation: size[2] = 1, padding: count[2] = 0, stride: size[2] = 1"
_SHUFFLED = Since(gradient="2.5")

LAYERS = (
    Layer(
        "Upsample",
        "Resizes by interpolation, to a size or by a factor.",
        f"{_RESIZE}, mode: {_MODES} = 'nearest', align_corners: bool | None = None, "
        "recompute_scale_factor: bool | None = None",
        form="""
            out = F.interpolate(
                input, size=size, scale_factor=scale_factor, mode=mode, align_corners=align_corners,
                recompute_scale_factor=recompute_scale_factor,
            )
        """,
        checks=(
            _ONE_OF_TWO,
            Check(
                "align_corners is None or mode != 'nearest' and mode != 'area' and mode != 'nearest-exact'",
                "align_corners",
                "align_corners does not go with mode {mode!r}",
            ),
            Check(
                "size is None or not recompute_scale_factor",
                "recompute_scale_factor",
                "recompute_scale_factor goes with scale_factor, not with size",
            ),
        ),
        examples=(
            example(_IMAGE, scale_factor=2),
            example(_IMAGE, size=[7, 3], mode="bilinear"),
            example(_IMAGE, size=6, mode="bilinear", align_corners=True),
            example(_IMAGE, scale_factor=[1.5, 0.5], mode="bicubic", align_corners=False),
            example(_IMAGE, scale_factor=2.5, mode="bicubic", recompute_scale_factor=True),
            example(_IMAGE, scale_factor=1.5, mode="nearest-exact", recompute_scale_factor=False),
            example(_IMAGE, scale_factor=0.5, mode="area"),
            example(_IMAGE, size=3, mode="area"),
            example(_SIGNAL, scale_factor=3, mode="nearest"),
            example(_SIGNAL, size=8, mode="linear"),
            example(_VOLUME, size=[4, 2, 5], mode="trilinear", align_corners=True),
            example(_VOLUME, scale_factor=[2, 1, 1.5]),
        ),
    ),
    Layer(
        "UpsamplingNearest2d",
        "Resizes an image, each new pixel the nearest old one.",
        _UPSAMPLE_2D,
        form="out = F.interpolate(input, size=size, scale_factor=scale_factor)",
        checks=(_ONE_OF_TWO,),
        stem="upsample",
        examples=(
            example(_IMAGE, scale_factor=2),
            example(_IMAGE, scale_factor=[1.5, 3]),
            example(_IMAGE, size=[7, 3]),
            example(_IMAGE, size=6),
        ),
    ),
    Layer(
        "UpsamplingBilinear2d",
        "Resizes an image by bilinear interpolation between its corners.",
        _UPSAMPLE_2D,
        form="""
            out = F.interpolate(
                input, size=size, scale_factor=scale_factor, mode='bilinear', align_corners=True
            )
        """,
        checks=(_ONE_OF_TWO,),
        stem="upsample",
        examples=(
            example(_IMAGE, scale_factor=2),
            example(_IMAGE, scale_factor=[1.5, 3]),
            example(_IMAGE, size=[7, 3]),
            example(_IMAGE, size=6),
        ),
    ),
    Layer(
        "PixelShuffle",
        "Makes pixels of channels: (C * r * r, H, W) to (C, H * r, W * r), r the upscale_factor.",
        "upscale_factor: size",
        form="out = F.pixel_shuffle(input, upscale_factor=upscale_factor)",
        stem="shuffle",
        examples=(
            example((8, 3, 2), upscale_factor=2),
            example((9, 2, 2), upscale_factor=3),
            example((2, 4, 2, 3), upscale_factor=2),
            example((2, 3, 2), upscale_factor=1),
        ),
    ),
    Layer(
        "PixelUnshuffle",
        "Makes channels of pixels: (C, H * r, W * r) to (C * r * r, H, W), r the downscale_factor.",
        "downscale_factor: size",
        form="out = F.pixel_unshuffle(input, downscale_factor=downscale_factor)",
        stem="unshuffle",
        examples=(
            example((2, 4, 6), downscale_factor=2),
            example((1, 6, 3), downscale_factor=3),
            example((2, 3, 4, 2), downscale_factor=2),
        ),
    ),
    Layer(
        "ChannelShuffle",
        "Mixes the groups of channels, one channel of each group in turn.",
        "groups: size",
        form="out = F.channel_shuffle(input, groups=groups)",
        since=_SHUFFLED,
        stem="shuffle",
        examples=(
            example((6, 2, 3), groups=2),
            example((6, 4), groups=3),
            example((4, 2, 1, 2), groups=4),
        ),
    ),
    Layer(
        "Unfold",
        "Makes a column of each window: (C, H, W) to (C * kernel, windows).",
        f"kernel_size: size[2], {_WINDOWS}",
        form="""
            out = F.unfold(
                input, kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride
            )
        """,
        examples=(
            example((2, 5, 6), kernel_size=2),
            example((2, 5, 6), kernel_size=[2, 3], dilation=2, padding=1, stride=2),
            example((2, 5, 6), kernel_size=3, dilation=[1, 2], padding=[2, 0], stride=[2, 1]),
            example((2, 5, 6), kernel_size=1, dilation=1, padding=0, stride=1),
        ),
    ),
    Layer(
        "Fold",
        "Adds columns up where their windows lie: (C * kernel, windows) to (C, *output_size).",
        f"output_size: size[2], kernel_size: size[2], {_WINDOWS}",
        form="""
            out = F.fold(
                input, output_size=output_size, kernel_size=kernel_size, dilation=dilation,
                padding=padding, stride=stride,
            )
        """,
        examples=(
            example((8, 20), output_size=[5, 6], kernel_size=2),
            example(
                (12, 6), output_size=[5, 6], kernel_size=[2, 3], dilation=2, padding=1, stride=2
            ),
            example((9, 4), output_size=4, kernel_size=3, dilation=[1, 1], padding=0, stride=1),
            example(
                (4, 9), output_size=4, kernel_size=2, padding=[1, 1], stride=[2, 2], dilation=1
            ),
        ),
    ),
)

FUNCTIONS = (
    function(
        "F.interpolate",
        f"input: Tensor, {_RESIZE}, mode: {_MODES} = 'nearest', align_corners: bool | None = None, "
        "recompute_scale_factor: bool | None = None, antialias: bool = False",
        resizing.interpolate,
    ),
    function(
        "F.pixel_shuffle",
        "input: Tensor, upscale_factor: size",
        resizing.pixel_shuffle,
        traits=Trait.SAME,
    ),
    function(
        "F.pixel_unshuffle",
        "input: Tensor, downscale_factor: size",
        resizing.pixel_unshuffle,
        traits=Trait.SAME,
    ),
    function(
        "F.channel_shuffle",
        "input: Tensor, groups: size",
        resizing.channel_shuffle,
        since=_SHUFFLED,
        traits=Trait.SAME,
    ),
    function("F.unfold", f"input: Tensor, kernel_size: size[2], {_WINDOWS}", resizing.unfold),
    function(
        "F.fold",
        f"input: Tensor, output_size: size[2], kernel_size: size[2], {_WINDOWS}",
        resizing.fold,
    ),
)
