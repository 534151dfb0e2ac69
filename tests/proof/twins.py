"""Subjects of models that stand in a test."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from nngen.proof.subject import Rename, Subject, Written


def twin_subject(
    name: str,
    nn: ModuleType,
    functional: ModuleType,
    to_functional: Rename,
    to_nn: Rename,
    **more: Any,
) -> Subject:
    """A subject of two twins."""
    twins = (Written("nn", nn), Written("functional", functional, to_functional, to_nn))
    return Subject(name, twins, **more)
