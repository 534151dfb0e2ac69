"""nngen: one YAML model description becomes two PyTorch models, in torch.nn and in functional style, equal bit for bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nngen.errors import FileError, Mark, NngenError, SpecError
    from nngen.files.writer import Change
    from nngen.importer.inputs import Input
    from nngen.proof.loading import Pair
    from nngen.proof.report import Report

__all__ = [
    "Change",
    "FileError",
    "Input",
    "Mark",
    "NngenError",
    "Pair",
    "Report",
    "SpecError",
    "__version__",
    "build",
    "from_module",
    "load",
    "verify",
]
__version__ = "0.1.0"

# Imported when asked for: `import nngen` is quick.
_HOMES = {
    "Change": "files.writer",
    "FileError": "errors",
    "Input": "importer.inputs",
    "Mark": "errors",
    "NngenError": "errors",
    "Pair": "proof.loading",
    "Report": "proof.report",
    "SpecError": "errors",
}


if not TYPE_CHECKING:  # it would make every name right

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(f"nngen.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


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
    from nngen import pipeline
    from nngen.files import writer
    from nngen.files.paths import package_folder

    path = Path(path)
    made = pipeline.read(path)
    return writer.write(package_folder(path, Path(out)), made.files, force, made.dropped)


def from_module(make: Any, inputs: Mapping[str, Sequence[int] | Input], name: str = "") -> str:
    """Make the spec of an nn.Module. Needs torch, and runs the module.

    Args:
        make: what makes the module, a class or a function without arguments, or the module itself.
        inputs: what forward takes, by its names: shapes with the batch first, or `nngen.Input(shape, dtype, below)`.
        name: what the generated class is called; by default as the module's.

    Returns:
        The spec, as YAML. Its models have given the module's own bits.

    Raises:
        nngen.errors.NngenError: the module does what a spec cannot say; with the line of its source.
    """
    from nngen.packages import import_torch

    import_torch()
    from nngen.importer import from_module
    from nngen.importer.inputs import Input

    given = {
        key: value if isinstance(value, Input) else Input(tuple(value))
        for key, value in inputs.items()
    }
    return from_module(make, given, name)


def load(spec: str | Path | Mapping[str, Any]) -> Pair:
    """Build a model in memory, without touching the disk. Needs torch.

    Args:
        spec: a path, a YAML text (anything with a line break in it), or a dict.

    Returns:
        The model in all styles, whichever the spec names: `pair.nn_style.CNN`, `pair.functional_style.CNN`; and
        `pair.to_functional`, `pair.to_nn`.

    Raises:
        nngen.errors.SpecError: the spec is wrong, or uses what this version of torch lacks.
        nngen.errors.FileError: the file cannot be read.
    """
    from nngen.proof import loading

    def face(pair: Pair) -> str:
        from nngen.teach.lesson.frame import frame

        return frame(pair)

    return loading.load(spec, face=face)


def verify(
    spec: str | Path | Mapping[str, Any],
    *,
    values: Mapping[str, Any] | None = None,
    seed: int = 0,
    seeds: int = 1,
    steps: int = 3,
    batch_sizes: Sequence[int] = (1, 4),
    device: str = "cpu",
    dtype: str = "",
    autocast: str = "",
    threads: int = 1,
    compile: bool = False,
    exports: bool = False,
    everything: bool = False,
) -> Report:
    """Build both twins of a spec and compare them bit for bit. Needs torch.

    Args:
        spec: as for `load`.
        values: what the spec leaves open: constructor arguments, sizes of the input. They come before `check`.
        seed: where all random numbers start.
        seeds: how many seeds to run with: `seed`, `seed + 1`, …
        steps: how many steps of each optimizer are compared.
        batch_sizes: the batch sizes to run.
        device: where to run: "cpu", "cuda", …
        dtype: what to cast the models and inputs to: "bfloat16", …
        autocast: the dtype of `torch.autocast`, if it is wanted.
        threads: how many threads torch computes with on the CPU.
        compile: compare the models under `torch.compile`, too.
        exports: compare them under `torch.func`, and as `torch.export`, ONNX and safetensors give them.
        everything: both of these, as far as what they need is installed.

    Returns:
        What was compared, and the first difference where there is one.

    Raises:
        nngen.errors.SpecError: the spec is wrong, or uses what this version of torch lacks.
        nngen.errors.FileError: the file cannot be read.
        nngen.errors.NngenError: the device is not there, or a package is missing.
        ValueError: a number is below 1, or a dtype is unknown.
    """
    from nngen.packages import import_torch

    import_torch()
    from nngen.proof import loading, verification
    from nngen.proof.options import Conditions

    conditions = Conditions(
        seed=seed,
        seeds=seeds,
        steps=steps,
        batch_sizes=tuple(batch_sizes),
        device=device,
        dtype=dtype,
        autocast=autocast,
        threads=threads,
        compile=compile,
        exports=exports,
        everything=everything,
    )
    return verification.verify(loading.load(spec, values, gradients=True).subject(), conditions)


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext nngen` calls: gives a notebook the cell magic `%%nngen`."""
    from nngen.teach import notebook

    notebook.register(shell)
