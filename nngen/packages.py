"""The packages that nngen may need: how they are installed beside this copy of it, and torch without its warning."""

from __future__ import annotations

import importlib
import warnings
from pathlib import Path
from typing import Any

# The name on the package index, where another project is called nngen.
DISTRIBUTION = "nngen-twins"


def install(extra: str) -> str:
    """The command that adds an extra to this copy of nngen: `pip install -e '.[torch]'`."""
    # Not imported above: what goes well must not wait for it.
    import shlex
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    origin = _origin()
    folder = Path(url2pathname(urlsplit(origin.get("url", "")).path))
    if "dir_info" not in origin or not folder.is_dir():
        return f"pip install '{DISTRIBUTION}[{extra}]'"
    editable = "-e " if origin["dir_info"].get("editable") else ""
    here = "." if folder.resolve() == Path.cwd() else str(folder)
    return f"pip install {editable}{shlex.quote(f'{here}[{extra}]')}"


def _origin() -> dict[str, Any]:
    """Where this copy was installed from, as pip notes it (PEP 610); a checkout that is not installed is one, too."""
    import json
    from importlib import metadata

    checkout = Path(__file__).parent.parent
    if (checkout / "pyproject.toml").is_file():
        return {"url": checkout.as_uri(), "dir_info": {"editable": True}}
    try:
        note = metadata.distribution(DISTRIBUTION).read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        note = None
    return dict(json.loads(note)) if note else {}


def import_torch() -> None:
    """Import torch before anything else does: it warns where NumPy is missing, which nothing here needs."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Failed to initialize NumPy", UserWarning)
        importlib.import_module("torch")
