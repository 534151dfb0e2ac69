"""Many random specs: chunks with seeds of their own, counted, each disagreement shrunk."""

from __future__ import annotations

import gc
import linecache
import random
import re
import sys
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.random_specs.check import Disagreement, check, to_yaml
from tests.random_specs.draft import Crash
from tests.random_specs.strategies import specs

# One spec in so many is formatted by black, as `nngen build` has it do: black takes as long as all the rest.
FORMATTED = 10
# So many smaller specs are tried where one fails.
SHRINKS = 150
BESIDE = (
    *("from", "call", "repeat", "when", "otherwise", "built_after", "init", "weight_norm"),
    "spectral_norm",
)
TOP = ("args", "let", "input", "inputs", "blocks", "outputs", "loss", "tie", "init", "check")
_FUNCTION = re.compile(r"\b((?:torch|F)(?:\.[a-z]\w*)+)\(|(\.[a-z_]\w*)\(")


@dataclass
class Figures:
    """What a run of random specs counted.

    Attributes:
        checked: specs that were built, verified, and held against their independent reading.
        refused: those that nngen refuses, by its message.
        formatted: how many of the checked ones black formatted.
        used: how many of the checked ones use each layer, function and feature.
        failures: the disagreements, shrunk: the spec as YAML, and what is wrong with it.
    """

    checked: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    formatted: int = 0
    used: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[str, str]] = field(default_factory=list)

    def add(self, other: Figures) -> None:
        """Adds another run's."""
        self.checked += other.checked
        self.refused += other.refused
        self.formatted += other.formatted
        self.used += other.used
        self.failures += other.failures

    @property
    def drawn(self) -> int:
        return self.checked + self.refused.total() + len(self.failures)


def run(number: int, count: int, shrink: bool = True) -> Figures:
    """Draws and checks so many specs; stops at the first that is not right, shrunk as far as it goes.

    Args:
        number: the seed.
        count: how many specs.
        shrink: whether to look for a smaller spec that fails alike.
    """
    figures = Figures()
    failing: dict[str, Exception] = {}
    phases = (Phase.generate, Phase.shrink) if shrink else (Phase.generate,)
    tried: list[str] = []

    @seed(number)
    @settings(
        max_examples=count,
        phases=phases,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(specs())
    def one(spec: Mapping[str, Any]) -> None:
        text = to_yaml(spec)
        if failing:
            tried.append(text)
            if text in failing:
                raise failing[text]
            if len(tried) > SHRINKS:
                return
        formatted = figures.drawn % FORMATTED == 0
        try:
            refusal = check(spec, formatted)
        except Exception as error:
            if failing and _kind(error) != _kind(next(iter(failing.values()))):
                return  # another fault than the one that is being shrunk
            failing[text] = error
            raise
        if failing:
            return
        if refusal:
            figures.refused[refusal] += 1
        else:
            figures.checked += 1
            figures.formatted += formatted
            figures.used.update(features(spec))

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            one()
    except Crash as crash:
        figures.failures.append((to_yaml(crash.spec), _wrong(crash.__cause__ or crash)))
    except Exception as error:  # noqa: BLE001  a spec may make anything raise; `one` kept what did
        smallest = min(failing, key=len, default="")  # without any the drawing itself failed
        figures.failures.append((smallest, _wrong(failing.get(smallest, error))))
    finally:
        torch.set_num_threads(threads)
        _forget()
    return figures


def _kind(error: Exception) -> str:
    """What tells a fault from others: its class, and its message up to the first number or name in it."""
    return f"{type(error).__name__}: {re.split(r'[0-9(]', str(error))[0][:60]}"


def _wrong(error: BaseException) -> str:
    """What is wrong with a spec: the difference, or the end of a traceback."""
    error.__notes__ = []  # Hypothesis's, which repeat the spec
    if isinstance(error, Disagreement):
        return str(error)
    return "".join(traceback.format_exception(error))[-2000:]


def _forget() -> None:
    """Lets go of the modules that were loaded, of which a long run makes many."""
    for name in [name for name in sys.modules if name.startswith("nngen_loaded_")]:
        del sys.modules[name]
    for name in [name for name in linecache.cache if name.startswith("<nngen_loaded_")]:
        del linecache.cache[name]
    gc.collect()


def chunks(number: int, count: int, size: int = 50) -> Iterator[tuple[int, int]]:
    """The seeds and counts of the runs that make up a long one."""
    draw = random.Random(number)
    for start in range(0, count, size):
        yield draw.randrange(2**32), min(size, count - start)


def run_chunk(chunk: tuple[int, int]) -> Figures:
    """`run`, of one of `chunks`."""
    return run(*chunk)


def features(spec: Mapping[str, Any]) -> set[str]:
    """The layers, functions and parts of the language that a spec uses."""
    found = {f"{key}:" for key in TOP if key in spec}
    bodies = [spec, *spec.get("blocks", {}).values()]
    loss = spec.get("loss")
    if isinstance(loss, Mapping) and "layers" in loss:
        found.add("loss in steps")
        bodies.append(loss)
    elif loss is not None:
        found |= _of_step(loss)
    for body in bodies:
        found |= {
            f"blocks.{key}:"
            for key in ("args", "inputs", "outputs", "init")
            if body is not spec and key in body
        }
        for step in body["layers"]:
            found |= _of_step(step)
    if "outputs" in spec:
        found.add(f"outputs: a {type(spec['outputs']).__name__}")
    return found


def _of_step(step: Any) -> set[str]:
    if isinstance(step, str) and "=" in step:
        return {"a line", *_of_line(step)}
    (head, given), *beside = (step if isinstance(step, dict) else {step: None}).items()
    found = {head.split()[0], *(f"a step's {key}:" for key, _ in beside if key in BESIDE)}
    found |= {"as"} if " as " in head else set()
    found |= {"${…} in a name"} if "${" in head else set()
    values = dict(beside)
    if "training" in str(values.get("when")):
        found.add("when: training")
    if "call" in values:
        found |= _of_line(values["call"])
    if isinstance(given, list):
        for child in given:
            found |= {
                f"in a Sequential: {each}" if each.startswith("a step") else each
                for each in _of_step(child)
            }
    elif isinstance(given, dict):
        found |= {"an expression as argument" for value in given.values() if isinstance(value, str)}
        for value in given.values():
            found |= (
                _of_step(value)
                if isinstance(value, dict) and len(value) == 1 and next(iter(value))[:1].isupper()
                else set()
            )
    elif given is not None:
        found.add("a shorthand argument")
    return found


def _of_line(line: str) -> set[str]:
    found = {first or method for first, method in _FUNCTION.findall(line)}
    called = re.findall(r"(?<![\w.])([a-z]\w*)\(", line)
    return found | ({"a layer called by its name"} if called else set())
