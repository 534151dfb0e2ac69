"""A place in other tools: the hooks for pre-commit, and the GitHub Action."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from pre_commit.clientlib import load_manifest
from pre_commit.commands.validate_manifest import validate_manifest

pytestmark = pytest.mark.heavy
REPOSITORY = Path(__file__).parents[2]
NNGEN = Path(sys.executable).parent / "nngen"
SPEC = "name: {name}\ninput: [4]\nlayers: [{{Linear: 3}}]\n"


# pre-commit


@pytest.fixture
def hooks() -> dict[str, Any]:
    return {hook["id"]: hook for hook in load_manifest(REPOSITORY / ".pre-commit-hooks.yaml")}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "specs").mkdir()
    for name in ("one", "two"):
        (tmp_path / f"specs/{name}.yaml").write_text(SPEC.format(name=name.title()))
    return tmp_path


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_the_hooks_are_as_pre_commit_wants_them(hooks: dict[str, Any]) -> None:
    assert set(hooks) == {"nngen-build", "nngen-check", "nngen-fmt", "nngen-lint"}
    assert validate_manifest([str(REPOSITORY / ".pre-commit-hooks.yaml")]) == 0
    for hook in hooks.values():
        assert re.search(hook["files"], "specs/net.yaml")
        assert not re.search(hook["files"], ".github/workflows/specs.yaml")


def test_the_hooks_do_what_they_say(hooks: dict[str, Any], project: Path) -> None:
    """With file names behind the entry, as pre-commit runs them."""

    def hook(name: str) -> subprocess.CompletedProcess[str]:
        program, *arguments = hooks[name]["entry"].split()
        assert program == "nngen"
        return run(project, str(NNGEN), *arguments, "specs/one.yaml", "specs/two.yaml")

    assert hook("nngen-lint").returncode == 0
    assert hook("nngen-fmt").returncode == 0
    done = hook("nngen-check")
    assert done.returncode == 1 and "+class Two(nn.Module):" in done.stdout
    assert hook("nngen-build").returncode == 0
    assert (project / "generated/two/nn_style.py").exists()
    assert hook("nngen-check").returncode == 0


# The action


ACTION = yaml.safe_load((REPOSITORY / "action.yml").read_text())
# Stands for `python3 -m venv FOLDER`: an environment with this nngen, and a pip that notes what it should install.
PYTHON = f"""#!/usr/bin/env bash
mkdir -p "$3/bin"
ln -s {NNGEN} "$3/bin/nngen"
printf '#!/usr/bin/env bash\\nprintf "%%s\\\\n" "$@" > "$RUNNER_TEMP/installed"\\n' > "$3/bin/pip"
chmod +x "$3/bin/pip"
"""


def act(project: Path, **inputs: str) -> tuple[int, str]:
    """Run the action's steps as GitHub does: its inputs put in, each step by `bash -eo pipefail`."""
    given = {name: each["default"] for name, each in ACTION["inputs"].items()} | inputs
    runner = project / "runner temp"
    (runner / "bin").mkdir(parents=True)
    (runner / "bin/python3").write_text(PYTHON)
    (runner / "bin/python3").chmod(0o755)
    output = ""
    for step in ACTION["runs"]["steps"]:
        assert step["shell"] == "bash" and "${{" not in step["run"]  # no input becomes code
        values = {
            name: re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda match: given[match[1]], value)
            for name, value in step["env"].items()
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=project,
            env={
                **os.environ,
                **values,
                "PATH": f"{runner / 'bin'}{os.pathsep}{os.environ['PATH']}",
                "RUNNER_TEMP": str(runner),
                "GITHUB_ACTION_PATH": "/an action",
                "XDG_CACHE_HOME": str(project / "cache"),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        output += done.stdout + done.stderr
        if done.returncode:
            return done.returncode, output
    return 0, output


def test_the_action_is_described() -> None:
    assert set(ACTION["inputs"]) == {"specs", "out", "command"}
    assert ACTION["runs"]["using"] == "composite"
    assert all(each["description"] and each["default"] for each in ACTION["inputs"].values())


def test_the_action_checks_what_is_built(project: Path) -> None:
    code, output = act(project)
    assert code == 1
    assert "::error file=specs/two.yaml,title=nngen out-of-date::generated/two: " in output
    assert (project / "runner temp/installed").read_text() == "install\n--quiet\n/an action\n"


def test_the_action_builds_elsewhere(project: Path) -> None:
    code, output = act(
        project, command="build", out="my models", specs="specs/t*.yaml specs/one.yaml"
    )
    assert code == 0, output
    assert {path.name for path in (project / "my models").iterdir()} == {"one", "two"}


def test_the_action_installs_torch_where_it_verifies(project: Path) -> None:
    (project / "specs/one.yaml").write_text("name: 1\n")
    code, output = act(project, command="verify", specs="specs/one.yaml")
    assert code == 2 and "::error file=specs/one.yaml,line=1,col=7,title=nngen invalid" in output
    assert "/an action[torch]\n" in (project / "runner temp/installed").read_text()


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({"command": "build; touch stolen"}, 2),
        ({"specs": "$(touch stolen) ; touch stolen"}, 2),
        ({"specs": "--force specs/one.yaml"}, 2),
        ({"out": "$(touch stolen)"}, 1),
    ],
    ids=str,
)
def test_no_input_is_obeyed(inputs: dict[str, str], code: int, project: Path) -> None:
    assert act(project, **inputs)[0] == code
    assert not (project / "stolen").exists()
