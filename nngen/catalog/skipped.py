"""The classes of torch.nn that have no entry, each with its reason; a test holds that the rest have one."""

from __future__ import annotations

_BASE = "a base class, not a layer"
_CONTAINER = "a container: a spec's own steps, blocks and `repeat` build these"
_LAZY = "a lazy form: a spec may leave out the sizes of the eager form, and they are inferred"

SKIPPED: dict[str, str] = {
    **dict.fromkeys(("Module", "Container", "RNNBase", "RNNCellBase"), _BASE),
    **dict.fromkeys(("ModuleDict", "ModuleList", "ParameterDict", "ParameterList"), _CONTAINER),
    "Sequential": "part of the spec language itself",
    "DataParallel": "runs a model on several devices, and is not a part of one",
    "NLLLoss2d": "deprecated; NLLLoss takes images too",
    "CrossMapLRN2d": "a legacy form; LocalResponseNorm is its successor",
    **{
        f"Lazy{name}{dims}d": _LAZY
        for name in ("BatchNorm", "Conv", "ConvTranspose", "InstanceNorm")
        for dims in (1, 2, 3)
    },
    "LazyLinear": _LAZY,
}
