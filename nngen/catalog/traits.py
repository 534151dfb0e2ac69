"""What holds of the numbers and the memory that a function gives, for all who ask that of many functions at once."""

from __future__ import annotations

from enum import Flag, auto


class Trait(Flag):
    """A property of a function, and so of the layers that call it.

    Attributes:
        ACTIVATION, DROPOUT, NORM, POOL: what it is.
        LINEAR: multiplies by weights: a linear or bilinear map, a convolution.
        SAME: gives the same numbers, in another shape, order or dtype.
        LAYOUT: gives the dimensions that it takes, in their order, as activations, dropouts and norms do, too.
        VIEW: gives the memory that it takes under another name.
        ALIAS: may give that memory, or a part of it.
        SHARES: makes what stands along `dim` share a sum.
        PROBABILITY: gives numbers from 0 to 1.
        LOG_PROBABILITY: gives the logarithms of such.
        BOUNDED: gives numbers from -1 to 1, or between bounds that are arguments.
        NONNEGATIVE: gives numbers from 0 up.
        RECTIFIER: passes on what is above zero, and of what is below hardly anything.
        IDEMPOTENT: changes nothing in what it gave itself.
        KEEPS_SIGN: gives nothing below zero for what has nothing there.
        MODIFIABLE: of a layer: its weight may be computed by a function of torch.nn.utils.parametrizations.
    """

    NONE = 0
    ACTIVATION = auto()
    DROPOUT = auto()
    NORM = auto()
    POOL = auto()
    LINEAR = auto()
    SAME = auto()
    LAYOUT = auto()
    VIEW = auto()
    ALIAS = auto()
    SHARES = auto()
    PROBABILITY = auto()
    LOG_PROBABILITY = auto()
    BOUNDED = auto()
    NONNEGATIVE = auto()
    RECTIFIER = auto()
    IDEMPOTENT = auto()
    KEEPS_SIGN = auto()
    MODIFIABLE = auto()

    RELU = ACTIVATION | NONNEGATIVE | RECTIFIER | IDEMPOTENT
    SIGMOID = ACTIVATION | PROBABILITY
    TANH = ACTIVATION | BOUNDED
    SOFTMAX = ACTIVATION | SHARES | PROBABILITY
    LOG_SOFTMAX = ACTIVATION | SHARES | LOG_PROBABILITY | IDEMPOTENT
