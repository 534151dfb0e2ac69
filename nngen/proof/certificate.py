"""What verification found, as a file that says what was compared, with what, and on what.

docs/certificate.md describes the format. The same command on the same machine writes the same
bytes: there is no time and no name of a machine in it.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from nngen.errors import FileError
from nngen.files import writer
from nngen.proof.options import Conditions
from nngen.proof.report import DEFAULTS, FUSED, FusedRow, Report, Row, verdict

FORMAT = "nngen certificate"
VERSION = 1
VERDICTS = {"equal": "equal", "DIFFERENT": "different", "RAISES": "raises"}
PACKAGES = ("numpy", "safetensors", "onnx", "onnxscript", "onnxruntime")


def must_be_free(path: Path) -> None:
    """Refuses a place where something else than a certificate stands.

    Raises:
        FileError: writing there would lose it.
    """
    if path.is_dir():
        raise FileError(f"{path} is a folder; --certificate takes the name of a file")
    if not path.exists():
        return
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise FileError(f"{path} is not a certificate and is not overwritten; choose another name")


def write(
    path: Path, results: Mapping[Path, Report | str], conditions: Conditions, nngen_version: str
) -> None:
    """Writes a certificate, whole or not at all.

    Args:
        path: the file.
        results: the report of each spec, or the error that there was instead.
        conditions: under what the twins were compared.
        nngen_version: the version of nngen.

    Raises:
        FileError: it cannot be written.
    """
    reports = [result for result in results.values() if isinstance(result, Report)]
    text = {
        "format": FORMAT,
        "version": VERSION,
        "verdict": _worst([_verdict_of(result) for result in results.values()]),
        "versions": {
            "nngen": nngen_version,
            "torch": reports[0].torch_version if reports else None,
            "python": platform.python_version(),
            **(_packages() if conditions.exports or conditions.everything else {}),
        },
        "platform": {
            "system": platform.system(),
            "machine": platform.machine(),
            "device": reports[0].device if reports else None,
        },
        "conditions": {**asdict(conditions), "batch_sizes": list(conditions.batch_sizes)},
        "models": [_model(spec, result) for spec, result in results.items()],
    }
    writer.write_text(path, json.dumps(text, indent=2, default=str) + "\n")


def _packages() -> dict[str, str | None]:
    return {name: _installed(name) for name in PACKAGES}


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _model(spec: Path, result: Report | str) -> dict[str, Any]:
    whose = {"spec": spec.as_posix(), "sha256": _digest(spec), "verdict": _verdict_of(result)}
    if isinstance(result, str):
        return {**whose, "error": result}
    return {
        **whose,
        "name": result.name,
        "arguments": result.arguments,
        "sizes": result.sizes,
        "values": result.values,
        "reading": result.reading,
        "first_difference": result.first_difference,
        "first_step": str(result.first_step) if result.first_step else None,
        "checks": [
            *(_check(group, rows) for group, rows in result.groups().items()),
            *([_fused(result.fused)] if result.fused else []),
            *(
                {"check": skip.group, "verdict": "not applicable", "reason": skip.reason}
                for skip in result.skipped
            ),
        ],
        "notes": list(result.notes),
    }


def _check(group: str, rows: Sequence[Row]) -> dict[str, Any]:
    values: dict[str, int] = {}
    for row in rows:
        if row.what != "exception":
            values[row.what] = values.get(row.what, 0) + row.values
    first = next((str(row) for row in rows if not row.equal), None)
    found = {"check": group, "verdict": VERDICTS[verdict(rows)], "values": values}
    return {**found, "first_difference": first} if first else found


def _fused(rows: Sequence[FusedRow]) -> dict[str, Any]:
    known = [row.largest for row in rows if row.largest is not None]
    return {
        "check": DEFAULTS,
        "verdict": FUSED,
        "values": {"outputs": sum(row.values for row in rows)},
        "layers": list(dict.fromkeys(layer for row in rows for layer in row.layers)),
        "largest_difference": max(known) if len(known) == len(rows) else None,
    }


def _verdict_of(result: Report | str) -> str:
    if isinstance(result, str):
        return "error"
    if result.equal:
        return "equal"
    return "different" if result.different else "not shown"


def _worst(verdicts: Sequence[str]) -> str:
    order = ("equal", "not shown", "different", "error")
    return max(verdicts, key=order.index)


def _digest(spec: Path) -> str | None:
    try:
        return hashlib.sha256(spec.read_bytes()).hexdigest()
    except OSError:
        return None
