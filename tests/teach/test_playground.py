"""What the playground answers: its stages, and the page served by `nngen serve`."""

from __future__ import annotations

import base64
import http.client
import io
import json
import threading
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nngen.cli import main
from nngen.lint import RULES
from nngen.pipeline import read
from nngen.teach.playground.desk import Desk
from nngen.teach.playground.link import link
from nngen.teach.playground.server import HOST, OWN, Playground
from nngen.teach.playground.stages import Stages
from nngen.teach.playground.words import words
from tests.built import SPECS

NET = """\
name: Net
args: {classes: 3}
input: [T, 4]
layers:
  - Linear as last: classes
"""


def problem(text: str) -> dict[str, Any]:
    (found,) = Stages(text, "net.yaml").problems()["problems"]
    return dict(found)


def underlined(text: str) -> str:
    """What of a text is underlined for its one problem."""
    found = problem(text)
    assert found["line"] == found["end_line"]
    return text.split("\n")[found["line"] - 1][found["column"] : found["end_column"]]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("name: Net\ninput: [4]\nlayers:\n  - Linea: 3\n", "Linea"),
        ("name: Net\ninput: [4]\nlayers:\n  - Linear: {out_feature: 3}\n", "out_feature"),
        ("name: Net\ninput: [4]\nlayers:\n  - x = x + 𝔘𝔙 # 𝔘\n", "𝔘𝔙"),
        ("name: Net\ninput: [4\n", "["),
        ("name: Net\ninput: [4]\nlayers:\n  - Linear: 3\n  - x = x.vew(3)\n", "x.vew"),
        ("name: Net\ninput: [4]\nlayers:\n  - ReLU\n  - ReLU\n", "ReLU"),
    ],
)
def test_what_is_wrong_is_underlined(text: str, where: str) -> None:
    assert underlined(text) == where


def test_a_misspelt_word_comes_with_the_right_one() -> None:
    text = "name: Net\ninput: [4]\nlayers:\n  - Linea: 3\n"
    found = problem(text)
    lines = text.split("\n")
    line = lines[found["line"] - 1]
    lines[found["line"] - 1] = (
        line[: found["column"]] + found["meant"] + line[found["end_column"] :]
    )
    assert Stages("\n".join(lines), "net.yaml").problems()["problems"] == []


def test_all_errors_are_told_at_once() -> None:
    text = "name: Net\ninput: [4]\nlayers:\n  - Linea: 3\n  - RLU\n  - Linear: {out_feature: 3}\n"
    stages = Stages(text, "net.yaml")
    assert [each["line"] for each in stages.problems()["problems"]] == [4, 5, 6]
    assert stages.code() == stages.steps() == stages.problems()


def test_findings_come_with_their_rule() -> None:
    found = problem("name: Net\ninput: [4]\nlayers:\n  - ReLU\n  - ReLU\n")
    assert (found["level"], found["why"]) == ("warning", RULES[found["code"]].why)
    assert found["hint"]


def test_open_values_can_be_chosen() -> None:
    before = Stages(NET, "net.yaml")
    after = Stages(NET, "net.yaml", {"classes": "5", "T": "11"})
    assert after.problems()["open"] == {"classes": "5", "T": "11"}
    assert "11, 5" in after.steps()["html"] and "11, 5" not in before.steps()["html"]
    assert after.code()["files"] == before.code()["files"]


@pytest.mark.parametrize("name", ["cnn", "residual", "gpt2", "lstm_classifier"])
def test_the_files_are_those_of_a_build(name: str) -> None:
    (path,) = (each for each in SPECS if each.stem == name)
    stages = Stages(path.read_text("utf-8"), path.name)
    shown, built = stages.code()["files"], read(path).files
    assert len(shown) >= 3
    assert {name: built[name] for name in shown if name != "__init__.py"} == {
        name: text for name, text in shown.items() if name != "__init__.py"
    }
    golden = Path(__file__).parents[2] / "generated" / name
    with zipfile.ZipFile(io.BytesIO(stages.package())) as archive:
        packed = {each: archive.read(each) for each in archive.namelist()}
    assert packed == {f"{name}/{file.name}": file.read_bytes() for file in golden.glob("*.py")}


def test_places_reach_as_far_as_their_steps() -> None:
    text = "name: Net\ninput: [4]\nlayers:\n  - Sequential as s: [ReLU, {Linear: 3}]\n"
    places = {each["id"]: each for each in Stages(text, "net.yaml").code()["places"]}
    lines = text.split("\n")
    relu, outer = places["layers-0-0"], places["layers-0"]
    assert lines[relu["line"] - 1][relu["column"] : relu["end_column"]] == "ReLU"
    assert lines[outer["line"] - 1][outer["column"] : outer["end_column"]].startswith("Sequential")
    assert relu["above"] == outer["number"]


def test_a_text_is_followed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from nngen import pipeline

    count = []
    follow = pipeline.follow
    monkeypatch.setattr(pipeline, "follow", lambda spec: count.append(spec) or follow(spec))  # type: ignore[func-returns-value]
    desk = Desk()
    asked = {
        "text": SPECS[0].read_text("utf-8"),
        "file": SPECS[0].name,
        "styles": ["nn", "stateless"],
    }
    for stage in ("problems", "code", "steps", "package"):
        assert "failed" not in json.loads(desk.answer(json.dumps({"stage": stage, **asked})))
    assert len(count) == 1


def test_the_desk_says_what_fails() -> None:
    desk = Desk()

    def ask(stage: str, file: str = "net.yaml") -> dict[str, Any]:
        text = "name: Net\ninput: [4]\nlayers: [ReLU]\n"
        return dict(
            json.loads(desk.answer(json.dumps({"stage": stage, "text": text, "file": file})))
        )

    assert "cannot be the name of a Python package" in ask("package", "my net.yaml")["failed"]
    assert ask("run") == {"failed": "there is no such stage"}
    data = base64.b64decode(ask("package")["zip"])
    assert len(zipfile.ZipFile(io.BytesIO(data)).namelist()) == 3


def test_words_are_those_of_the_catalog() -> None:
    found = words()
    assert found["layers"]["Conv2d"]["arguments"]["stride"] == "1"
    assert found["layers"]["Conv2d"]["arguments"]["kernel_size"] is None
    assert found["layers"]["CrossEntropyLoss"]["loss"]
    assert {"name", "layers", "blocks"} <= set(found["keys"])
    assert {"repeat", "from"} <= set(found["beside"])
    assert "F.relu" in found["functions"]


@pytest.fixture
def playground() -> Iterator[Playground]:
    server = Playground(text=NET, file="net.yaml", verify=lambda text, file: f"{file}: {len(text)}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with server:
        yield server
        server.shutdown()
        thread.join()


def fetch(server: Playground, method: str, path: str, **more: Any) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(HOST, server.server_port, timeout=30)
    connection.request(method, path, **more)
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_the_page_is_served(playground: Playground) -> None:
    status, page = fetch(playground, "GET", "/")
    assert status == 200 and playground.token.encode() in page
    for name, path in OWN.items():
        assert fetch(playground, "GET", f"/{name}") == (200, path.read_bytes())
    assert json.loads(fetch(playground, "GET", "/start.json")[1]) == {
        "text": NET,
        "file": "net.yaml",
    }
    assert json.loads(fetch(playground, "GET", "/words.json")[1]) == words()


def test_only_the_page_is_answered(playground: Playground) -> None:
    body = json.dumps({"stage": "problems", "text": NET, "file": "net.yaml"})
    known = {"X-Nngen": playground.token}
    status, answer = fetch(playground, "POST", "/ask", body=body, headers=known)
    assert (status, json.loads(answer)) == (200, Stages(NET, "net.yaml").problems())
    assert fetch(playground, "POST", "/verify", body=body, headers=known) == (
        200,
        json.dumps({"report": f"net.yaml: {len(NET)}"}).encode(),
    )
    assert fetch(playground, "POST", "/ask", body=body)[0] == 403
    assert fetch(playground, "POST", "/ask", body=body, headers={"X-Nngen": "guess"})[0] == 403
    assert fetch(playground, "GET", "/", headers={"Host": "example.org"})[0] == 403
    assert fetch(playground, "POST", "/ask", body="[", headers=known)[0] == 400
    assert fetch(playground, "POST", "/ask", body="[]", headers=known)[0] == 400


def test_nothing_else_is_served(tmp_path: Path) -> None:
    (tmp_path / "site" / "vendor").mkdir(parents=True)
    (tmp_path / "site" / "vendor" / "a.js").write_text("a")
    (tmp_path / "secret").write_text("s")
    server = Playground(site=tmp_path / "site")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with server:
        assert server.server_address[0] == "127.0.0.1"
        assert fetch(server, "GET", "/vendor/a.js") == (200, b"a")
        for path in ("/vendor/../../secret", "/secret", "/vendor/", "//etc/passwd", "/.%2e/secret"):
            assert fetch(server, "GET", path)[0] == 404
        server.shutdown()
        thread.join()


def test_a_spec_that_cannot_be_served_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", str(tmp_path / "none.yaml")]) == 2
    (tmp_path / "bytes.yaml").write_bytes(b"name: \xff\n")
    assert main(["serve", str(tmp_path / "bytes.yaml")]) == 2
    assert main(["serve", "--port", "99999999"]) == 2
    printed = capsys.readouterr().err
    assert "cannot read" in printed and "not UTF-8" in printed and "cannot serve on port" in printed


def test_values_are_single() -> None:
    found = Stages(NET, "net.yaml", {"classes": "[1]"}).problems()["problems"]
    assert [each["message"] for each in found] == ["this is not one value"]


def test_a_link_holds_the_spec(tmp_path: Path) -> None:
    address = link("https://example.org/p/", NET, "net.yaml")
    site, _, packed = address.partition("#s=")
    data = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
    assert site == "https://example.org/p/"
    assert json.loads(zlib.decompress(data, -zlib.MAX_WBITS)) == {"file": "net.yaml", "text": NET}
    (tmp_path / "net.yaml").write_text(NET)
    given = ["lesson", str(tmp_path / "net.yaml"), "--no-verify", "-o", str(tmp_path / "site")]
    assert main([*given, "--playground", "https://example.org/p/"]) == 0
    assert f'href="{address}"' in (tmp_path / "site" / "net.html").read_text("utf-8")
    assert main(given) == 0
    assert "playground" not in (tmp_path / "site" / "net.html").read_text("utf-8")
