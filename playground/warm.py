"""Imports all of nngen that needs no torch, and has it build: what is imported, read and compiled once is so for good."""

import importlib
import json
import pkgutil

import black  # noqa: F401

from nngen.teach.playground.desk import Desk

# What is imported only where it is needed; of the others each imports what it needs at once.
ROOMS = ("catalog", "emit", "files", "graph", "language", "lint", "symbolic")
SPEC = """\
name: Warm
input: [1, 8, 8]
layers:
  - Conv2d as conv: {out_channels: 4, kernel_size: 3}
  - ReLU
  - x = (conv + relu1) ** 2
  - Flatten
  - Linear: 3
loss: CrossEntropyLoss
styles: [nn, functional, stateless]
"""

for room in ROOMS:
    package = importlib.import_module(f"nngen.{room}")
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(found.name)
desk = Desk()
for text in (SPEC, SPEC.replace("Linear: 3", "Linea: 3"), SPEC[:-30]):
    for stage in ("problems", "code", "steps", "package"):
        asked = {"stage": stage, "text": text, "file": "warm.yaml"}
        json.loads(desk.answer(json.dumps(asked)))
