"""nngen: one YAML model description becomes two PyTorch models, in torch.nn and in functional style, equal bit for bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nngen.loading import Pair
    from nngen.report import Report
    from nngen.writer import Change

__all__ = ["__version__", "build", "load", "verify"]
__version__ = "0.1.0"


def build(path: str | Path, out: str | Path = "generated", *, force: bool = False) -> list[Change]:
    """Build the package of a spec, `out/NAME/`, where NAME is the spec's file name.

    Args:
        path: the spec.
        out: the folder that holds the packages.
        force: overwrite files that were edited by hand.

    Returns:
        What was done to each file.

    Raises:
        nngen.errors.SpecError: the spec is wrong.
        nngen.errors.FileError: a file cannot be read or written, or was edited by hand.
    """
    from nngen import building, writer
    from nngen.folders import package_folder

    path = Path(path)
    return writer.write(package_folder(path, Path(out)), building.files(path), force)


def load(spec: str | Path | Mapping[str, Any]) -> Pair:
    """Build a model in memory, without touching the disk. Needs torch.

    Args:
        spec: a path, a YAML text (anything with a line break in it), or a dict.

    Returns:
        The twins: `pair.nn_style.CNN`, `pair.functional_style.CNN`, `pair.to_functional`, `pair.to_nn`.

    Raises:
        nngen.errors.SpecError: the spec is wrong.
        nngen.errors.FileError: the file cannot be read.
    """
    from nngen import loading

    return loading.load(spec)


def verify(
    spec: str | Path | Mapping[str, Any],
    *,
    values: Mapping[str, Any] | None = None,
    seed: int = 0,
    steps: int = 3,
    batch_sizes: Sequence[int] = (1, 4),
) -> Report:
    """Build both twins of a spec and compare them bit for bit. Needs torch.

    Args:
        spec: as for `load`.
        values: what the spec leaves open: constructor arguments, sizes of the input. They come before `check`.
        seed: where all random numbers start.
        steps: how many steps of each optimizer are compared.
        batch_sizes: the batch sizes to run.

    Returns:
        What was compared, and the first difference where there is one.

    Raises:
        nngen.errors.SpecError: the spec is wrong.
        nngen.errors.FileError: the file cannot be read.
    """
    from nngen import loading, proof

    return proof.verify(
        loading.load(spec, values).subject(), seed=seed, steps=steps, batch_sizes=batch_sizes
    )
