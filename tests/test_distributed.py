"""Both twins in two processes: the guide's program runs, and what the guide says is so."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from torch.nn.modules import batchnorm

REPOSITORY = Path(__file__).parent.parent
GUIDE = (REPOSITORY / "docs/distributed.md").read_text()
PROGRAM = "\n".join(re.findall(r"^```python\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE))


def torchrun(program: Path) -> str:
    """What two processes print; both must end well."""
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
    ]
    done = subprocess.run(
        [*command, str(program)],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_guide_runs(tmp_path: Path) -> None:
    assert PROGRAM.count("assert ") >= 8
    program = tmp_path / "train.py"
    # gloo's threads may outlive the group, and Python would abort as it ends.
    end = "\nprint('done', flush=True)\ndist.barrier()\ndist.destroy_process_group()\n"
    end += "__import__('os')._exit(0)\n"
    program.write_text(PROGRAM + end)
    assert torchrun(program).count("done") == 2


def test_what_the_guide_says_is_so() -> None:
    printed = torchrun(REPOSITORY / "tests/distributed/claims.py").split()
    claims = ["synchronised_norms", "converted_norms", "buffers", "a_difference_shows"]
    assert [word for word in printed if word in claims] == claims


def test_the_line_of_torch_is_there() -> None:
    quoted = re.search(r"raises `(SyncBatchNorm[^`]*)`", GUIDE)
    assert quoted is not None
    source = Path(batchnorm.__file__).read_text()
    assert " ".join(quoted[1].split()) in source
