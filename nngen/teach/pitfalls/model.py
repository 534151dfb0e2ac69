"""What a pitfall is: a wrong and a right program, what each shows, and the rule to remember."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import Literal

Half = Literal["wrong", "right"]

_DOCS = "https://docs.pytorch.org/docs/stable/"


@dataclass(frozen=True)
class Pitfall:
    """A mistake that is easy to make, beside what is right.

    Its two programs are files, `demos/<name>/wrong.py` and `right.py`: what is shown is what is run. All sentences
    are English here; `nngen.teach.translations` has them in other languages.

    Args:
        name: in lower case, with hyphens.
        title: what the mistake is, in a few words.
        about: the layers and functions that it belongs to, as the catalog spells them: `Dropout`, `F.dropout`.
        wrong: what the wrong program shows. `{fields}` stand for its variables.
        right: the same of the right one.
        why: a few sentences.
        rule: what to remember.
        docs: the page of torch's documentation, below its root.
        raises: the class of the error in which the wrong program ends, if it does.
        harmless: whether the wrong program is right, too, and only says too much.
    """

    name: str
    title: str
    about: tuple[str, ...]
    wrong: str
    right: str
    why: str
    rule: str
    docs: str
    raises: str = ""
    harmless: bool = False

    @property
    def url(self) -> str:
        """The address of the page of torch's documentation."""
        return _DOCS + self.docs

    def code(self, half: Half) -> str:
        """One of the two programs, whole."""
        file = resources.files("nngen.teach.pitfalls") / "demos" / self.name / f"{half}.py"
        return file.read_text(encoding="utf-8")

    def says(self, half: Half) -> str:
        """The English sentence of what a program shows, with its `{fields}`."""
        return self.wrong if half == "wrong" else self.right
