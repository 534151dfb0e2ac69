"""Writes the playground's own files, its words, and its examples with what is built of them: `python pages.py FOLDER`."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from nngen.graph import read_file
from nngen.teach.playground.server import OWN
from nngen.teach.playground.stages import Stages
from nngen.teach.playground.words import words

REPOSITORY = Path(__file__).parent.parent
# What a learner meets first; the others follow by their names.
FIRST = ("mlp", "cnn", "residual", "lstm_classifier", "gpt2")


def main(folder: Path) -> None:
    """Write all of it."""
    for address, path in OWN.items():
        shutil.copyfile(path, folder / address)
    shutil.copyfile(OWN["page.js"].with_name("index.html"), folder / "index.html")
    _write(folder / "words.json", words())
    specs = {path.stem: path for path in sorted(REPOSITORY.glob("specs/*.yaml"))}
    names = [*filter(specs.__contains__, FIRST), *(name for name in specs if name not in FIRST)]
    (folder / "examples").mkdir()
    for name in names:
        _write(folder / "examples" / f"{name}.json", _example(specs[name]))
    listed = [{"name": name, "doc": read_file(specs[name]).model.doc} for name in names]
    _write(folder / "examples.json", listed)


def _example(path: Path) -> dict[str, Any]:
    stages = Stages(path.read_text(encoding="utf-8"), path.name, styles=("nn", "functional"))
    return {
        "file": path.name,
        "text": stages.text,
        "problems": stages.problems(),
        "code": stages.code(),
        "steps": stages.steps(),
    }


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, sort_keys=True), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
