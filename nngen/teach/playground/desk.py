"""Answers what a page asks: JSON in, JSON out, whether it comes from a worker in the browser or over HTTP."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

from nngen.errors import NngenError
from nngen.teach.playground.stages import Answer, Stages


class Desk:
    """Keeps the text that is worked on, so that its stages are done once."""

    def __init__(self) -> None:
        self._asked: object = None
        self._stages: Stages | None = None

    def answer(self, request: str) -> str:
        """One stage of one text.

        Args:
            request: an object with `stage` (problems, code, steps or package), `text`, `file`, and perhaps `values`
                and `styles`.

        Returns:
            What `Stages` gives; of a package, `zip` in Base64. `failed` says why there is nothing.
        """
        asked = json.loads(request)
        stage = _STAGES.get(asked.pop("stage", ""))
        if stage is None:
            return json.dumps({"failed": "there is no such stage"})
        try:
            return json.dumps(stage(self._of(asked)))
        except NngenError as error:
            return json.dumps({"failed": str(error)})
        except (MemoryError, RecursionError) as error:
            self._asked = self._stages = None
            return json.dumps({"failed": f"the spec asks for too much ({type(error).__name__})"})

    def _of(self, asked: Mapping[str, Any]) -> Stages:
        if self._stages is None or self._asked != asked:
            given = asked.get("values"), asked.get("styles")
            self._stages = Stages(str(asked["text"]), str(asked["file"]), *given)
            self._asked = asked
        return self._stages


def _package(stages: Stages) -> Answer:
    return {"zip": base64.b64encode(stages.package()).decode()}


_STAGES: Mapping[str, Callable[[Stages], Answer]] = {
    "problems": Stages.problems,
    "code": Stages.code,
    "steps": Stages.steps,
    "package": _package,
}
