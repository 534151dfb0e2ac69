"""Reading YAML and plain data: values, places, messages, and hostile input."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nngen import limits
from nngen.errors import FileError, NngenError, SpecError
from nngen.language import document
from nngen.language.document import Mapping, Node, Scalar, Sequence, of, parse, read
from tests.excerpts import without_excerpts


@pytest.fixture(autouse=True, scope="module")
def large() -> Iterator[None]:
    """Large documents, which are the harder ones."""
    with limits.large():
        yield


def plain(node: Node) -> object:
    """The Python value that a tree stands for."""
    if isinstance(node, Mapping):
        return {key: plain(entry.value) for key, entry in node.entries.items()}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return node.value


def walk(node: Node) -> Iterator[Node]:
    yield node
    if isinstance(node, Mapping):
        for entry in node.entries.values():
            yield from walk(entry.value)
    if isinstance(node, Sequence):
        for item in node.items:
            yield from walk(item)


def message(error: NngenError) -> tuple[str, str]:
    """The first line of an error and its hint."""
    first, _, hint = without_excerpts(str(error)).partition("\n  hint: ")
    return first, hint


SCALARS = {
    **dict.fromkeys(["~", "null", "Null", "NULL"]),
    **dict.fromkeys(["true", "True", "TRUE"], True),
    **dict.fromkeys(["false", "False", "FALSE"], False),
    "0": 0,
    "-7": -7,
    "+7": 7,
    "010": 10,
    "0o17": 15,
    "0xfF": 255,
    "9223372036854775807": 2**63 - 1,
    "-9223372036854775808": -(2**63),
    "1e-5": 1e-5,
    "1E5": 1e5,
    "1.": 1.0,
    ".5": 0.5,
    "-0.5e+3": -500.0,
    ".inf": math.inf,
    "+.INF": math.inf,
    "-.Inf": -math.inf,
    **{
        word: word
        for word in [
            "no",
            "on",
            "yes",
            "off",
            "y",
            "nULL",
            "tRUE",
            "1_000",
            "2001-01-01",
            "12:30",
            "0b1",
            "0O7",
            "0x",
            "-0x1",
            "1e",
            ".",
            "-.",
            "e5",
            "inf",
            "nan",
            "1.2.3",
            "2 * dim",
            "١",  # a digit, though not one of ASCII's
        ]
    },
}


@pytest.mark.parametrize(("text", "value"), SCALARS.items(), ids=repr)
def test_plain_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    node = parse(text, "f")
    assert isinstance(node, Scalar)
    assert (node.value, type(node.value)) == (value, type(value))
    assert (node.text, node.quoted) == (text, False)


@pytest.mark.parametrize("text", [".nan", ".NaN", ".NAN"])
def test_nan(text: str) -> None:
    node = parse(text, "f")
    assert isinstance(node, Scalar) and isinstance(node.value, float)
    assert math.isnan(node.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"1"', "1"),
        ("'null'", "null"),
        ('""', ""),
        ("|\n  1\n", "1\n"),
        (">-\n 1\n", "1"),
    ],
)
def test_quoted_and_block_scalars_are_strings(text: str, value: str) -> None:
    node = parse(text, "f")
    assert isinstance(node, Scalar)
    assert (node.value, node.quoted) == (value, True)


def test_marks_hold_line_column_and_path() -> None:
    text = """\
name: X
layers:
  - ReLU
  - Conv2d as c: {kernel_size: [3, 5]}
"ключ😀": [ä, b]
"""
    tree = parse(text, "f.yaml")
    places = [
        (n.value, n.mark.line, n.mark.column, n.mark.path)
        for n in walk(tree)
        if isinstance(n, Scalar)
    ]
    assert places == [
        ("X", 1, 7, "name"),
        ("ReLU", 3, 5, "layers[0]"),
        (3, 4, 33, "layers[1].Conv2d as c.kernel_size[0]"),
        (5, 4, 36, "layers[1].Conv2d as c.kernel_size[1]"),
        ("ä", 5, 11, "ключ😀[0]"),
        ("b", 5, 14, "ключ😀[1]"),
    ]
    assert isinstance(tree, Mapping)
    key = tree.entries["layers"].key_mark
    assert (key.file, key.line, key.column, key.path) == ("f.yaml", 2, 1, "layers")
    assert (tree.mark.path, tree.mark.line) == ("", 1)
    assert list(tree.entries) == ["name", "layers", "ключ😀"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=repr)
@pytest.mark.parametrize("bom", ["", "\ufeff"], ids=["plain", "bom"])
def test_line_ends_and_bom(end: str, bom: str) -> None:
    tree = parse(f"{bom}a: 1{end}b: 2{end}", "f")
    assert isinstance(tree, Mapping)
    mark = tree.entries["b"].value.mark
    assert (plain(tree), mark.line, mark.column) == ({"a": 1, "b": 2}, 2, 4)
    with pytest.raises(SpecError) as caught:
        parse(f"{bom}a: 1{end}b: \0", "f")
    assert str(caught.value.mark) == "f:2:4"


def test_an_alias_is_the_node_of_its_anchor() -> None:
    tree = parse("a: &x [1, 2]\nb: *x\nc: [*x, &x 3, *x]\n", "f")
    assert plain(tree) == {"a": [1, 2], "b": [1, 2], "c": [[1, 2], 3, 3]}


def nested(depth: int, inner: str = "1") -> str:
    return "[" * depth + inner + "]" * depth


def test_depth_counts_each_alias_where_it_stands() -> None:
    shallow = f"- {nested(50)}\n- &x [1]\n- {nested(50, '*x')}\n"
    assert plain(parse(shallow, "f"))
    deep = f"- &x [{nested(40)}, &y 1]\n- {nested(40, '*x')}\n"
    with pytest.raises(SpecError, match="nested more than 60 deep"):
        parse(deep, "f")


LEVEL = "line it up with a line above; a step's from, call, … stand under its layer"
QUOTE = "put the value in quotes"
SPACE = "put a space after the colon"
BAD = {
    "empty": ("", "1:1: the spec is empty", "it begins with name, input and layers"),
    "comment": ("# x\n", "1:1: the spec is empty", None),
    "dashes": ("---\n", "1:1: the spec is empty", None),
    "duplicate": ("a: 1\nb: 2\na: 3", "3:1: a: the key 'a' stands in line 1 already", "take one of the two out"),
    "duplicate-quoted": ('{a: 1, "a": 2}', "1:8: a: the key 'a' stands in line 1 already", "take one of the two out"),
    "int-key": ("a: {1: x}", "1:5: a.1: the key '1' is not a string", "put it in quotes: '1'"),
    "null-key": ("~: x", "1:1: ~: the key '~' is not a string", "put it in quotes: '~'"),
    "bool-key": ("true: x", "1:1: true: the key 'true' is not a string", None),
    "list-key": ("{[a]: 1}", "1:2: a list or mapping is not a key", ""),
    "alias-key": ("*w: 1", "1:1: the key *w is an alias", "put it in quotes: '*w'"),
    "missing-key": (": 1", "1:1: a key is missing before ':'", ""),
    "merge": ("a: &x {}\nb: {<<: *x}", "2:5: b.<<: merge keys (<<) are refused", None),
    "python-tag": ("a: !!python/name:os.system", "1:4: a: a tag: tag:yaml.org,2002:python/name:os.system", None),
    "own-tag": ("a: !x [1]", "1:4: a: a tag: !x", None),
    "str-tag": ("a: !!str 1", "1:4: a: a tag: tag:yaml.org,2002:str", None),
    "bare-tag": ("a: ! 1", "1:4: a: a tag: !", None),
    "tag-key": ("!x a: 1", "1:1: a: a tag: !x", None),
    "unknown-tag": ("a: !y!x 1", "1:4: a tag that YAML does not have", None),
    "documents": ("a: 1\n---\nb: 2", "2:1: a second document begins", None),
    "after-end": ("a: 1\n...\nb: 1", "3:1: text after the end of the document", ""),
    "directive": ("%YAML 1.2\n---\na: 1", "1:1: a line may not begin with '%'", None),
    "no-anchor": ("a: *x", "1:4: a: no anchor &x stands before *x", "if it is not an alias, put it in quotes: '*x'"),
    "cycle": ("a: &x [1, [*x]]", "1:12: a[1][0]: *x stands inside of what it stands for", ""),
    "big-int": ("a: 9223372036854775808", "1:4: a: the integer does not fit into 64 bits", ""),
    "huge-int": ("a: " + "9" * 5000, "1:4: a: a number of more than 4,000 digits", ""),
    "huge-hex": ("a: 0x" + "f" * 5000, "1:4: a: a number of more than 4,000 digits", ""),
    "huge-float": ("a: 1." + "9" * 5000, "1:4: a: a number of more than 4,000 digits", ""),
    "big-float": ("a: 1e400", "1:4: a: 1e400 is too large for a float", "infinity is written .inf"),
    "nul": ("a: 1\nb: x\0", "2:5: the character U+0000 is refused", None),
    "delete": ('a: "\x7f"', "1:5: the character U+007F is refused", None),
    "separator": ('a: "\u2028"', "1:5: the character U+2028 is refused", None),
    "surrogate": ("a: \ud800", "1:4: the character U+D800 is refused", None),
    "late-bom": ("a: \ufeff1", "1:4: the character U+FEFF is refused", None),
    "no-space-flow": ("a: {kernel_size:3}", "1:5: a.kernel_size:3: the key 'kernel_size:3' has no value", f"{SPACE}: kernel_size: 3"),
    "no-space-list": ("a: {kernel_size:[3]}", "1:16: a ':' stands inside a word", SPACE),
    "no-space-above": ("a:\n  b:64\n  c: 4", "3:4: a key may not stand here", f"{SPACE} above"),
    "no-space-below": ("a:\n  c: 4\n  b:64\n", "3:3: a key has no value", SPACE),
    "no-colon": ("a: 1\ndim 64\nb: 2", "2:1: a key has no ':'", "write key: value"),
    "no-space-dash": ("- a\n-ReLU\n", "2:1: a space is missing after '-'", "write - ReLU"),
    "tab": ("a:\n\tb: 1", "2:1: a tab indents a line", "use spaces"),
    "tab-later": ("a:\n  b: 1\n\tc: 2", "3:1: a tab indents a line", "use spaces"),
    "step-key-deep": ("- Conv2d: 3\n    from: x", "2:9: a key may not stand here", LEVEL),
    "step-no-colon": ("- ReLU as r\n  from: x", "2:7: a key may not stand here", "end the line above with a ':'"),
    "step-key-flow": ("- Conv2d: {a: 1}\n    from: x", "2:5: a line is indented like none above it", LEVEL),
    "step-key-shallow": ("- Conv2d: 3\n from: x", "2:2: a line is indented like none above it", LEVEL),
    "key-after-list": ("a:\n  - b\n  c: 1", "3:3: a line is indented like none above it", LEVEL),
    "star-block": ("init:\n  *.weight: 1", "2:3: '*.weight' reads as an alias or anchor", "if it is none, write '*.weight'"),
    "star-flow": ("init: {a: 1, *.bias: 2}", "1:14: '*.bias' reads as an alias or anchor", None),
    "ampersand": ("a: & b", "1:4: '&' reads as an alias or anchor", None),
    "slice-step": ("- y = a[1: 3]", "1:3: [0].y = a[1: a key ends inside of a bracket: 'y = a[1'", "put the whole in quotes, or write ':' without a space after it"),
    "slice-value": ("- call: y = a[1: 3]", "1:16: a second ':' in a line", QUOTE),
    "slice-flow": ("- [y = a[1:3], b]", "1:9: '[' may not stand in this value", QUOTE),
    "open-list": ("a: [1, 2\n", "1:4: '[' is never closed", ""),
    "open-mapping": ("a: {b: 1\n\n", "1:4: '{' is never closed", ""),
    "open-then-key": ("a: [1, 2\nb: 3", "2:2: a ',' is missing before ':'", "'[' of line 1 is open here"),
    "parser-words": ('"any token": [1', "1:14: '[' is never closed", ""),
    "wrong-bracket": ("a: {b: 1]", "1:9: a ',' is missing before ']'", "'{' of line 1 is open here"),
    "extra-bracket": ("a: [1]]", "1:7: ']' closes nothing", "take it out, or open it before"),
    "no-value": ("[a,,b]", "1:4: a value is missing before ','", ""),
    "open-quote": ('a: "x\nb: 3', "1:4: '\"' is never closed", ""),
    "after-quote": ('a: "x" + y', "1:8: a value ends before '+'", QUOTE),
    "escape": (r'a: "\q"', "1:5: an escape that YAML does not have", r"write \\ for a backslash"),
    "at": ("a: @x", "1:4: a value may not begin with '@'", QUOTE),
    "backtick": ("- `x`", "1:3: a value may not begin with '`'", QUOTE),
    "pipe": ("a: | b", "1:6: text after '|' or '>'", f"begin it on the next line, or {QUOTE}"),
    "list-in-line": ("a: - b", "1:4: a list may not begin here", "begin it on a line of its own"),
}  # fmt: skip
ONLY_IN_C = {
    "no-space-list",
    "escape",
}  # the pure parser takes it, or says another place


@pytest.mark.parametrize(("text", "first", "hint"), BAD.values(), ids=BAD)
def test_bad_documents(text: str, first: str, hint: str | None) -> None:
    with pytest.raises(SpecError) as caught:
        parse(text, "f")
    got = message(caught.value)
    assert got == (f"f:{first}", got[1] if hint is None else hint)


@pytest.mark.parametrize("name", [name for name in BAD if name not in ONLY_IN_C])
def test_the_pure_parser_says_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(yaml, "CBaseLoader")
    text, first, _ = BAD[name]
    with pytest.raises(SpecError) as caught:
        parse(text, "f")
    assert message(caught.value)[0] == f"f:{first}"


@pytest.mark.parametrize("text", [r'"\UFFFFFFFF"', r'"\U00110000"', r'"\ud800"'])
@pytest.mark.parametrize("loader", ["CBaseLoader", "BaseLoader"])
def test_escapes_that_name_no_character(
    text: str, loader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yaml, "CBaseLoader", getattr(yaml, loader))
    with pytest.raises(SpecError):
        parse(text, "f")


def laughs(width: int, levels: int) -> str:
    lines = ["- &a0 [x]\n"]
    for i in range(levels):
        lines.append(f"- &a{i + 1} [{', '.join([f'*a{i}'] * width)}]\n")
    return "".join(lines)


MANY = "more than 140,000 keys and values"
DEEP = "nested more than 60 deep"
HOSTILE = {
    "laughs": (laughs(9, 12), MANY),
    "deep-aliases": (laughs(1, 80), DEEP),
    "million-lines": ("- a\n" * 999_999, MANY),
    "million-keys": ("".join(f"k{i}: {i}\n" for i in range(200_000)), MANY),
    "long-path": ("".join(" " * i + "k" * 190 + f"{i}:\n" for i in range(50))
                  + " " * 50 + "[" + "1," * 249_900 + "]", MANY),
    "long-key": ("? " + "k" * 2_000_000 + "\n: [" + "1," * 90_000 + "]", None),
    "brackets": ("[" * 200_000, DEEP),
    "braces": ("{" * 200_000, None),
    "dashes": ("- " * 200_000, DEEP),
    "questions": ("? " * 200_000, "a list or mapping is not a key"),
    "one-line": ("a: " + "x" * 1_000_000, None),
    "words": ("a: " + "x " * 1_900_000, None),
    "wide-characters": ("a: " + "😀" * 3_900_000, None),
    "open-quote": ('a: "' + "x\n" * 1_900_000, "'\"' is never closed"),
    "colons": ("a: " * 1_000_000, "a second ':' in a line"),
    "tag-directives": ("".join(f"%TAG !a{i}! x\n" for i in range(200_000)), "a line may not begin with '%'"),
    "late-directives": ("a: 1\n...\n" + "%TAG !a! x\n" * 300_000, "a line may not begin with '%'"),
    "digits": ("a: " + "9" * 3_000_000, "a number of more than 4,000 digits"),
    "floats": ("a: ." + "9" * 3_000_000, "a number of more than 4,000 digits"),
    "blank-lines": ("a" + "\n" * 3_000_000 + "b", None),
    "too-large": ("#" * 4_000_001, "the spec has more than 4,000,000 bytes"),
}  # fmt: skip


@pytest.mark.heavy
@pytest.mark.parametrize(("text", "problem"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_documents_end_soon(text: str, problem: str | None) -> None:
    start = time.process_time()
    try:
        parse(text, "f")
    except SpecError as error:
        assert problem is None or error.message == problem
    else:
        assert problem is None
    assert time.process_time() - start < 5  # 1 on a machine of its own


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["million-keys", "long-path", "long-key", "laughs"])
def test_hostile_documents_take_little_memory(name: str) -> None:
    text, _ = HOSTILE[name]
    tracemalloc.start()
    try:
        parse(text, "f")
    except SpecError:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 100e6


@pytest.mark.heavy
def test_limits_are_not_tighter_than_said() -> None:
    deep = "[" * document.DEEPEST + "]" * document.DEEPEST
    many = "[" + "1," * (limits.LARGE.nodes - 1) + "]"
    assert plain(parse(deep, "f")) == plain(of(json.loads(deep)))
    assert len(plain(parse(many, "f"))) == limits.LARGE.nodes - 1  # type: ignore[arg-type]
    with pytest.raises(SpecError, match=DEEP):
        parse(f"[{deep}]", "f")
    with pytest.raises(SpecError, match=MANY):
        parse(f"[{many}]", "f")


def test_read(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: \xc3\xa4\r\nb: 1\r\n")
    tree = read(path)
    assert plain(tree) == {"name": "ä", "b": 1}
    assert tree.mark.file == str(path)


@pytest.mark.parametrize(
    ("data", "first"),
    [
        (b"a: \xe4", "1:4: the file is not UTF-8"),
        (b"\xef\xbb\xbfa: 1\r\nb: \xff", "2:4: the file is not UTF-8"),
        ("a: 1".encode("utf-16"), "1:1: the file is not UTF-8"),
        (b"a: 1\nb: \0", "2:4: the character U+0000 is refused"),
        ("ä".encode() * 2_000_001, " the spec has more than 4,000,000 bytes"),
    ],
    ids=["latin1", "after-bom", "utf16", "nul", "large"],
)
def test_read_refuses(data: bytes, first: str, tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_bytes(data)
    with pytest.raises(SpecError) as caught:
        read(path)
    assert message(caught.value)[0] == f"{path}:{first}"


def test_read_names_files_that_it_cannot_read(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no.yaml: No such file or directory"):
        read(tmp_path / "no.yaml")
    with pytest.raises(FileError, match="Is a directory"):
        read(tmp_path)
    with pytest.raises(FileError, match="null byte"):
        read(Path("a\0b"))


def test_of_keeps_values_and_paths() -> None:
    data: object = {"a": [1, 2.5, None, True, ("no", {})], "b.c": "1"}
    tree = of(data)
    assert plain(tree) == {"a": [1, 2.5, None, True, ["no", {}]], "b.c": "1"}
    paths = [
        "",
        "a",
        "a[0]",
        "a[1]",
        "a[2]",
        "a[3]",
        "a[4]",
        "a[4][0]",
        "a[4][1]",
        "b.c",
    ]
    assert [n.mark.path for n in walk(tree)] == paths
    assert {str(n.mark) for n in walk(tree)} == {"<dict>"}


def test_paths_show_odd_keys_and_stay_short() -> None:
    tree = parse('{"": {"a\\nb": [{"' + "k" * 900 + '": 1}]}}', "f")
    paths = [node.mark.path for node in walk(tree)]
    assert paths[:3] == ["", "''", "''.'a\\nb'"]
    assert paths[-1] == "…" + "k" * (document.LONGEST_PATH - 1)


class Sly(str):
    """Its repr would run in the generated code."""

    def __repr__(self) -> str:
        return "exit()"


LOOP: list[object] = [1]
LOOP.append({"x": LOOP})
SHARED: list[object] = [1]
for _ in range(50):
    SHARED = [SHARED, SHARED]
DEEP_LIST: list[object] = []
for _ in range(5000):
    DEEP_LIST = [DEEP_LIST]


@pytest.mark.parametrize(
    ("value", "first"),
    [
        ({"a": [1, {2}]}, "a[1]: a set is refused"),
        ({"a": Sly("x")}, "a: a Sly is refused"),
        ({"a": b"x"}, "a: a bytes is refused"),
        ({"a": {1: 2}}, "a: a key is a int, not a str"),
        ({"a": {Sly("x"): 2}}, "a: a key is a Sly, not a str"),
        ({"a": 2**63}, "a: the integer does not fit into 64 bits"),
        ({"a": 10**5000}, "a: the integer does not fit into 64 bits"),
        ({"a": "\ud800"}, "a: half of a surrogate pair is not a character"),
        ({"\udc00": 1}, "half of a surrogate pair is not a character"),
        ({"a": LOOP}, "a[1].x: the list contains itself"),
        ([1] * 140_000, f"[139999]: {MANY}"),
    ],
)
def test_of_refuses(value: object, first: str) -> None:
    with pytest.raises(SpecError) as caught:
        of(value)
    assert message(caught.value)[0] == f"<dict>: {first}"


@pytest.mark.parametrize(("value", "problem"), [(SHARED, MANY), (DEEP_LIST, DEEP)])
def test_of_is_bounded(value: object, problem: str) -> None:
    with pytest.raises(SpecError) as caught:
        of(value)
    assert caught.value.message == problem


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp", "Cn"]))
TEXT = TEXT.filter(lambda text: "\ufeff" not in text)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=20,
)


@given(JSON, st.sampled_from([None, 2]), st.sampled_from([(", ", ": "), (",", ":")]))
def test_json_is_read_as_json(
    value: object, indent: int | None, separators: tuple[str, str]
) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=indent, separators=separators)
    tree = parse(text, "f")
    assert plain(tree) == plain(of(value)) == value
    assert repr(plain(tree)) == repr(value)  # 1 is not 1.0, nor True


YAMLISH = st.text(
    st.sampled_from("ab1.:- \n\t#&*!|>'\"%@`{}[],?<~\\\r\0\ufeff\x85ä😀\ud800") | st.characters()
)


@given(YAMLISH | st.text(), st.sampled_from(["CBaseLoader", "BaseLoader"]))
def test_any_text_ends_in_a_tree_or_an_error(text: str, loader: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml, "CBaseLoader", getattr(yaml, loader))
        try:
            tree = parse(text, "f")
        except NngenError as error:
            assert str(error).startswith("f:")
        else:
            assert all(node.mark.line > 0 for node in walk(tree))


def test_importing_it_does_not_import_torch() -> None:
    code = "import sys, nngen.language.document; sys.exit('torch' in sys.modules)"
    root = Path(document.__file__).parent.parent
    env = {**os.environ, "PYTHONPATH": str(root)}
    subprocess.run([sys.executable, "-c", code], check=True, env=env, timeout=60)
