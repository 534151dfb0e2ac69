"""What a user names: a class or a function that makes a model, of a file or of a package. Running it runs their code."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nngen.errors import NngenError, did_you_mean
from nngen.importer.refusal import ImportRefused, raised_at


def found(what: str) -> Callable[..., Any]:
    """What `file.py:Class` or `package.module:function` names.

    Raises:
        NngenError: it is not of that form, or there is no such thing.
        ImportRefused: the file cannot be run.
    """
    place, colon, name = what.rpartition(":")
    if not colon or not place or not name.isidentifier():
        raise NngenError(
            f"{what}: not of the form FILE.py:CLASS or PACKAGE.MODULE:CLASS\n"
            "  hint: model.py:Net, or torchvision.models:resnet18"
        )
    module = _of_file(Path(place)) if place.endswith(".py") else _of_package(place)
    made = getattr(module, name, None)
    if not callable(made):
        near = did_you_mean(name, [each for each in dir(module) if not each.startswith("_")])
        raise NngenError(
            f"{place} has no class or function {name!r}" + (f"\n  hint: {near}" if near else "")
        )
    function: Callable[..., Any] = made
    return function


def _of_file(path: Path) -> Any:
    if not path.is_file():
        raise NngenError(f"cannot read {path}: there is no such file")
    name = path.stem if path.stem.isidentifier() else "module"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise _not_run(str(path), error) from error
    finally:
        sys.path.pop(0)
    return module


def _of_package(name: str) -> Any:
    sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and name.startswith(error.name):
            raise NngenError(f"there is no module {name!r} that Python can import") from None
        raise _not_run(name, error) from error
    except Exception as error:
        raise _not_run(name, error) from error
    finally:
        sys.path.pop(0)


def _not_run(what: str, error: Exception) -> ImportRefused:
    place = raised_at(error)
    if isinstance(error, SyntaxError) and error.filename:
        place = f"{error.filename}:{error.lineno}"
    return ImportRefused(f"{what} cannot be imported: {type(error).__name__}: {error}", place)


def making(what: str, arguments: Mapping[str, Any]) -> Callable[[], Any]:
    """A function that makes the model."""
    make = found(what)
    return lambda: make(**arguments)
