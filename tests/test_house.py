"""How the house is built: imports point one way, and building needs no torch."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
PACKAGE = REPOSITORY / "nngen"

# The rooms: a module may import those of its own and of rooms that stand before it.
ORDER = (
    *("places", "errors", "limits", "packages"),
    *("symbolic", "files", "catalog", "language", "graph", "emit"),
    *("lint", "pipeline", "views", "proof", "importer", "teach"),
    *("nngen", "cli", "__main__"),
)

# What imports torch, each with all that is below it; and what of it does not.
TORCH = ("nngen.proof", "nngen.importer", "nngen.teach.pitfalls.running")
WITHOUT_TORCH = tuple(
    f"nngen.proof{name}"
    for name in ("", ".certificate", ".loading", ".options", ".report", ".subject")
)
# Programs that are shown and run, not imported: no part of the house.
PROGRAMS = PACKAGE / "teach" / "pitfalls" / "demos"


def modules() -> dict[str, Path]:
    """Each module of nngen by its dotted name."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        if PROGRAMS in path.parents:
            continue
        parts = path.relative_to(REPOSITORY).with_suffix("").parts
        found[".".join(parts).removesuffix(".__init__")] = path
    return found


MODULES = modules()


def imported(name: str) -> set[str]:
    """What a module imports, wherever in it; of nngen's own the modules."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively"
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            found.update(item if item in MODULES else str(node.module) for item in inside)
    return found


def own(name: str) -> set[str]:
    return {other for other in imported(name) if other in MODULES}


def part(name: str) -> str:
    """The room that a module is in."""
    return name.split(".")[1] if "." in name else name


def imports_torch(name: str) -> bool:
    inside = any(f"{name}.".startswith(f"{root}.") for root in TORCH)
    return inside and name not in WITHOUT_TORCH


def test_the_house_has_these_rooms() -> None:
    assert {part(name) for name in MODULES} == set(ORDER)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_point_one_way(name: str) -> None:
    for other in own(name):
        same = part(other) == part(name)
        assert same or ORDER.index(part(other)) < ORDER.index(part(name)), f"{name} imports {other}"


def test_nothing_imports_in_a_circle() -> None:
    # A package's __init__ gathers what is in it, so that the modules inside do not count on it.
    order = TopologicalSorter({name: own(name) for name in MODULES})
    order.prepare()


@pytest.mark.parametrize("name", sorted(MODULES))
def test_only_what_runs_programs_imports_torch(name: str) -> None:
    roots = {item.partition(".")[0] for item in imported(name)}
    assert imports_torch(name) or not roots & {"torch", "numpy"}


def test_the_reading_of_a_spec_shares_no_decision_with_the_twins() -> None:
    """It reads YAML, keeps to the grammar, and takes lists of names: all that docs/proof.md says of it."""
    inside = {name for name in MODULES if name.startswith("nngen.proof.reading")}
    assert len(inside) > 3
    shared = {other for name in inside for other in imported(name) if other.startswith("nngen")}
    assert shared - inside == {
        "nngen.catalog",
        "nngen.language.document",
        "nngen.errors",
        "nngen.symbolic.expressions",
    }
    taken = {
        alias.name
        for name in inside
        for node in ast.walk(ast.parse(MODULES[name].read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == "nngen.catalog"
        for alias in node.names
    }
    assert taken == {"FUNCTIONS", "LAYERS"}
    uses = [
        line.strip()
        for name in sorted(inside)
        for line in MODULES[name].read_text().splitlines()
        if ("LAYERS" in line or "FUNCTIONS" in line) and "import" not in line
    ]
    assert uses == [
        '_METHODS = frozenset(n.partition(".")[2] for n in FUNCTIONS if n.startswith("Tensor."))',
        "return path in FUNCTIONS or is_constant",
        "is_plain = kind in LAYERS and not LAYERS[kind].has_state",
        "return LAYERS[kind].prefix if kind in LAYERS else kind.lower()",
    ]


def without_torch(code: str, *arguments: object, cache: Path) -> str:
    """What a program prints where importing torch raises."""
    blocked = "import sys; sys.modules.update(torch=None, numpy=None);"
    done = subprocess.run(
        [sys.executable, "-c", blocked + code, *map(str, arguments)],
        cwd=REPOSITORY,
        env={**os.environ, "XDG_CACHE_HOME": str(cache)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_importing_needs_no_torch(tmp_path: Path) -> None:
    code = "import nngen; print(sorted(m for m in sys.modules if m in ('yaml', 'jinja2', 'black')))"
    assert without_torch(code, cache=tmp_path) == "[]\n"


# That no module asks for torch, wherever in it, is held above: five of all sorts show that no other package does.
@pytest.mark.heavy
@pytest.mark.parametrize(
    "names",
    [
        ("cnn", "dcgan_generator", "lstm_classifier", "same_or_not", "translation"),
        pytest.param(("*",), marks=pytest.mark.slow),
    ],
)
def test_building_needs_no_torch(names: tuple[str, ...], tmp_path: Path) -> None:
    specs = [path for name in names for path in sorted(REPOSITORY.glob(f"specs/{name}.yaml"))]
    assert len(specs) >= 5
    run = "from nngen.cli import main; sys.exit(main(sys.argv[1:]))"
    out = tmp_path / "out"
    printed = without_torch(run, "build", *specs, "-o", out, cache=tmp_path)
    assert all(f"{out / spec.stem / 'nn_style.py'}: created" in printed for spec in specs)
    printed = without_torch(run, "build", *specs, "-o", out, cache=tmp_path)
    assert printed.splitlines() == [f"{out / spec.stem}: unchanged" for spec in specs]
    without_torch(run, "build", *specs, "-o", out, "--check", cache=tmp_path)


def test_every_other_module_imports_without_torch(tmp_path: Path) -> None:
    names = [name for name in MODULES if not imports_torch(name)]
    without_torch(
        "import importlib; [importlib.import_module(n) for n in sys.argv[1:]]",
        *names,
        cache=tmp_path,
    )
