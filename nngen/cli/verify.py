"""`nngen verify`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nngen.cli import reporting
from nngen.cli.reporting import Problem, Reporter, reported
from nngen.cli.shared import Verbs, each, settings, size, specs
from nngen.errors import Mark, NngenError
from nngen.packages import install

if TYPE_CHECKING:
    from nngen.proof.report import Report


def add(verbs: Verbs) -> None:
    """Add the verb."""
    verify = verbs.add_parser(
        "verify",
        help="run both models of each spec and compare them bit for bit",
        epilog="exit codes: 0 equal; 1 the models differ; 2 an error",
    )
    specs(verify)
    settings(verify)
    _conditions(verify.add_argument_group("how the models run"))
    _more(verify.add_argument_group("what else is compared, and takes longer"))
    shown = verify.add_argument_group("what is written")
    shown.add_argument(
        "--verbose",
        action="store_true",
        help="where the models differ, print all of the table, and the notes",
    )
    shown.add_argument("--json", action="store_true", help="print the report as JSON")
    shown.add_argument(
        "--certificate",
        type=Path,
        metavar="FILE",
        help="write what was compared, with what and on what, as JSON",
    )
    reporting.add(shown)
    verify.set_defaults(run=_verify)


def _conditions(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--seed", type=int, default=0, help="where the random numbers start (default: %(default)s)"
    )
    group.add_argument(
        "--seeds", type=size, default=1, metavar="N", help="run with N seeds (default: %(default)s)"
    )
    group.add_argument(
        "--steps",
        type=size,
        default=3,
        metavar="N",
        help="train N steps with each optimizer (default: %(default)s)",
    )
    group.add_argument(
        "--batch-sizes",
        type=_sizes,
        default=argparse.SUPPRESS,
        metavar="N,N",
        help="run with these batch sizes (default: 1,4)",
    )
    group.add_argument(
        "--device", default="cpu", help="cpu, cuda, cuda:1, mps, … (default: %(default)s)"
    )
    group.add_argument(
        "--dtype",
        type=_dtype,
        default=argparse.SUPPRESS,
        help="cast models and inputs to it: float64, bfloat16 or float16",
    )
    group.add_argument(
        "--autocast",
        type=_autocast,
        default=argparse.SUPPRESS,
        metavar="DTYPE",
        help="run forward and loss under torch.autocast: bfloat16 or float16",
    )
    group.add_argument(
        "--threads",
        type=size,
        default=1,
        metavar="N",
        help="compute with N threads on the CPU (default: %(default)s)",
    )


def _more(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--exports",
        action="store_true",
        help="torch.func, torch.export, safetensors, and ONNX run in onnxruntime "
        "(needs the extra `verify`)",
    )
    group.add_argument(
        "--compile",
        action="store_true",
        help="torch.compile: both models compiled, against each other (needs a C++ compiler)",
    )
    group.add_argument(
        "--all",
        dest="everything",
        action="store_true",
        help="both of these, but for what is not installed here",
    )


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(map(size, text.split(",")))


def _dtype(text: str) -> str:
    from nngen.proof.options import DTYPES

    return _one_of(text, DTYPES)


def _autocast(text: str) -> str:
    from nngen.proof.options import AUTOCASTS

    return _one_of(text, AUTOCASTS)


def _one_of(text: str, known: tuple[str, ...]) -> str:
    if text not in known:
        raise argparse.ArgumentTypeError(f"{text!r} is not one of {', '.join(known)}")
    return text


def _verify(options: argparse.Namespace) -> int:
    with reported(options.format) as report:
        if options.json and options.format != "text":
            raise NngenError(f"--json and --format {options.format} both want the standard output")
        return _verify_all(options, report)


def _verify_all(options: argparse.Namespace, report: Reporter) -> int:
    if find_spec("torch") is None:
        raise NngenError(f"verify needs torch: {install('torch')}")
    import json

    from nngen import __version__
    from nngen.proof import certificate
    from nngen.proof.options import Conditions

    if options.device == "cpu":
        _bound_memory()
    names = {field.name for field in fields(Conditions)}
    conditions = {name: value for name, value in vars(options).items() if name in names}
    if options.certificate:
        certificate.must_be_free(options.certificate)
    results: dict[Path, Report | str] = {}
    code = each(
        options.specs, lambda path: _verify_one(path, options, conditions, results, report), report
    )
    if options.json:
        print(json.dumps({str(path): _plain(result) for path, result in results.items()}, indent=2))
    if options.certificate:
        certificate.write(options.certificate, results, Conditions(**conditions), __version__)
    return code


def _bound_memory() -> None:
    """Have torch refuse a model that does not fit, where the system would end this process or another one."""
    try:
        import resource
    except ImportError:  # Windows, which refuses by itself
        return
    most = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") * 9 // 10
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if soft == resource.RLIM_INFINITY or soft > most:
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


def _verify_one(
    path: Path,
    options: argparse.Namespace,
    conditions: Mapping[str, Any],
    results: dict[Path, Report | str],
    report: Reporter,
) -> int:
    from nngen import verify

    if len(options.specs) > 1 and not options.json:
        report.say(f"[{len(results) + 1}/{len(options.specs)}] {path}")
    try:
        found = verify(path, values=dict(options.values), **conditions)
    except NngenError as error:
        results[path] = str(error)
        raise
    results[path] = found
    if not options.json:
        report.say(found.as_text(brief=not options.verbose))
    if found.equal:
        return 0
    report.add(_problem(path, found))
    return 1


def _problem(path: Path, found: Report) -> Problem:
    """What tells services that the models differ, where the table tells people."""
    what = "differ" if found.different else "are not shown to be equal"
    message = f"the models {what}: {found.first_difference or 'nothing was compared'}"
    step, mark = found.first_step, Mark(str(path))
    if step:
        _, line, column = step.place.rsplit(":", 2)
        mark = Mark(str(path), int(line), int(column), step.path)
    return Problem("models-differ", mark, message)


def _plain(result: Report | str) -> dict[str, Any]:
    return {"error": result} if isinstance(result, str) else result.as_dict()
