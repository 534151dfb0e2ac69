"""torch's dtypes and how they promote."""

from __future__ import annotations

DTYPES = (
    *("bool", "uint8", "int8", "int16", "int32", "int64"),
    *("float16", "bfloat16", "float32", "float64", "complex64", "complex128"),
)
# What torch calls them, too.
ALIASES = {
    "short": "int16",
    "int": "int32",
    "long": "int64",
    "half": "float16",
    "float": "float32",
    "double": "float64",
    "cfloat": "complex64",
    "cdouble": "complex128",
}
BOOL, INTEGER, FLOAT, COMPLEX = range(4)

# Those whose tensors, as an index, choose where they are true.
MASKS = ("bool", "uint8")


def category(dtype: str) -> int:
    if dtype == "bool":
        return BOOL
    if dtype.startswith("complex"):
        return COMPLEX
    return FLOAT if "float" in dtype else INTEGER


def of_number(number: object) -> str:
    """The dtype that a Python number counts as."""
    if isinstance(number, bool):
        return "bool"
    return "float32" if isinstance(number, float) else "int64"


def joined(left: str, right: str) -> str:
    """The dtype that holds both."""
    pair = _low, high = tuple(sorted((left, right), key=DTYPES.index))
    if pair == ("uint8", "int8"):
        return "int16"
    if pair == ("float16", "bfloat16"):
        return "float32"
    return "complex128" if pair == ("float64", "complex64") else high


def raised(decisive: str, other: str) -> str:
    """The decisive dtype, or one of the category of `other` where that is higher."""
    if category(other) <= category(decisive):
        return decisive
    return "complex128" if (decisive, other) == ("float64", "complex64") else other


def real(dtype: str) -> str:
    """The dtype of a complex number's parts."""
    return {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)


def complex_of(dtype: str) -> str:
    """The complex dtype of such parts."""
    return "complex128" if dtype == "float64" else "complex64"
