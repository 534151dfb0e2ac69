"""What helps to begin and to go on: `init`, `watch`, `completion`."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

from nngen.cli.shared import Verbs, styles
from nngen.errors import FileError, NngenError
from nngen.packages import install


def add(verbs: Verbs) -> None:
    """Add the verbs."""
    init = verbs.add_parser("init", help="write a first spec, with comments, to begin from")
    init.add_argument(
        "spec", type=Path, nargs="?", default=Path("model.yaml"), metavar="SPEC", help="its file"
    )
    init.set_defaults(run=_init)

    watch = verbs.add_parser("watch", help="build specs, and again whenever one changes")
    watch.add_argument(
        "specs", type=Path, nargs="+", metavar="SPEC", help="a YAML model description"
    )
    watch.add_argument("-o", "--out", type=Path, default=Path("generated"), help="as for build")
    styles(watch, "as for build")
    watch.add_argument("--verify", action="store_true", help="verify what was built, too")
    watch.add_argument(
        "--lesson",
        type=Path,
        metavar="FOLDER",
        help="write the pages of `nngen lesson` again, without the proof",
    )
    watch.set_defaults(run=_watch)

    completion = verbs.add_parser("completion", help="print the script by which a shell completes")
    completion.add_argument("shell", choices=("bash", "zsh", "tcsh"))
    completion.set_defaults(run=_completion)


def _init(options: argparse.Namespace) -> int:
    from importlib import resources

    from nngen.files.paths import package_folder

    path: Path = options.spec
    fields = {
        "name": _class(path.stem),
        "file": shlex.quote(str(path)) if str(path).isprintable() else "SPEC",
        "folder": str(package_folder(path, Path("generated"))),
    }
    text = resources.files("nngen").joinpath("first_spec.yaml").read_text(encoding="utf-8")
    for field, value in fields.items():
        text = text.replace(f"{{{field}}}", value)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise FileError(f"{path} is there already\n  hint: give another name") from None
    except (OSError, ValueError) as error:
        raise FileError(
            f"cannot write {path}: {getattr(error, 'strerror', None) or error}"
        ) from None
    print(f"{path}: written; now run")
    print(*(line[2:] for line in text.splitlines() if line.startswith("#   nngen ")), sep="\n")
    return 0


def _class(stem: str) -> str:
    """The name of a class for a file's name: TinyResnet for tiny-resnet."""
    words = re.findall(r"[A-Za-z][A-Za-z0-9]*", stem)
    return "".join(word[0].upper() + word[1:] for word in words) or "Model"


def _watch(options: argparse.Namespace) -> int:
    try:
        from watchfiles import watch
    except ModuleNotFoundError:
        raise NngenError(f"watch needs watchfiles: {install('watch')}") from None

    from nngen.files.paths import distinct

    specs = distinct(options.specs)

    def run(*words: str) -> bool:
        given = options.parser.parse_args(words)
        done: bool = given.run(given) == 0
        sys.stdout.flush()
        return done

    given = [f"--out={options.out}"]
    given += [f"--styles={','.join(options.styles)}"] if options.styles else []

    def build(paths: list[Path]) -> None:
        built = [str(path) for path in paths if run("build", str(path), *given)]
        if built and options.verify:
            run("verify", *built)
        if built and options.lesson:
            run("lesson", *built, "--no-verify", f"--out={options.lesson}")

    build(specs)
    places = {path.resolve(): path for path in specs}
    folders = {place.parent for place in places}
    print("watching; stop with Ctrl-C", flush=True)
    # Folders, since many editors write a new file and move it to the place of the old one.
    for changes in watch(*folders, recursive=False, raise_interrupt=True):
        changed = {Path(name) for _, name in changes}
        found = [path for place, path in places.items() if place in changed and place.exists()]
        if found:
            build(found)
    return 0


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """The arguments of a parser, and of the verbs in it."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                yield from _actions(verb)


def _completion(options: argparse.Namespace) -> int:
    import shtab

    for action in _actions(options.parser):
        if action.type is Path:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
    print(shtab.complete(options.parser, shell=options.shell))
    return 0
