"""Specs that mean harm: each a text, and what is said of it, or None where it is a spec that can be built."""

from __future__ import annotations

HEAD = "name: M\ninput: [8]\nlayers:\n"
IMAGE = "name: M\ninput: [3, 8, 8]\nlayers:\n"
COMMAND = "__import__('os').system('touch ran')"


def steps(*lines: str) -> str:
    return HEAD + "".join(f"  - {line}\n" for line in lines)


def named(name: str) -> str:
    return f"name: {name}\ninput: [8]\nlayers: [ReLU]\n"


def doubling(levels: int, end: str = "") -> str:
    """Blocks of which each uses the one before twice."""
    blocks = ["  B0: {layers: [ReLU]}\n"]
    for i in range(levels):
        blocks.append(f"  B{i + 1}: {{layers: [B{i}, B{i}]}}\n")
    return f"name: M\ninput: [8]\nblocks:\n{''.join(blocks)}layers: [B{levels}]\n{end}"


def repeats(depth: int, count: int) -> str:
    """Repeats within repeats."""
    inner = f"{{ReLU: null, repeat: {count}}}"
    for _ in range(depth):
        inner = f"{{Sequential: [{inner}], repeat: {count}}}"
    return f"name: M\ninput: [8]\nlayers: [{inner}]\n"


def sums(count: int) -> str:
    """An argument whose expression doubles its size with every line of `let`."""
    lets = "".join(f"  a{i + 1}: (a{i} + b) * (a{i} + c)\n" for i in range(count))
    return f"name: M\nargs: {{a0: 2, b: 3, c: 5}}\nlet:\n{lets}input: [8]\nlayers: [{{Linear: a{count}}}]\n"


def whens(count: int) -> str:
    lines = "".join(f"  - {{Linear: 8, when: a > {i}}}\n" for i in range(count))
    return f"name: M\nargs: {{a: 1}}\ninput: [8]\nlayers:\n{lines}"


CODE = {
    "a template": (named("'{{ 7 * 7 }}'"), "'{{ 7 * 7 }}' is not a Python name"),
    "a template's statement": (named("'{% set x = 1 %}'"), "is not a Python name"),
    "a call": (named(f'"{COMMAND}"'), "is not a Python name"),
    "a path": (named("../../../tmp/M"), "is not a Python name"),
    "an absolute path": (named("/etc/passwd"), "is not a Python name"),
    "a newline": (named('"M\\nimport os"'), "is not a Python name"),
    "a colon and code": (named('"M: pass; import os"'), "is not a Python name"),
    "a base class": (named('"M(object)"'), "is not a Python name"),
    "a dunder": (named("__class__"), "begins with an underscore"),
    "a fullwidth letter": (named("Ｍ"), "is not a Python name"),
    "a ligature": (named("ﬁ"), "is not a Python name"),
    "a right-to-left override": (named('"M\u202eevil"'), "is not a Python name"),
    "a zero width joiner": (named('"M\u200dN"'), "is not a Python name"),
    "a number": (named("123"), "must be a word"),
    "a layer of code": (steps(f'"{COMMAND}"'), "neither a layer nor a line"),
    "a label of code": (steps('"ReLU as x; import os"'), "is not a Python name"),
    "a label's template": (steps("\"ReLU as {{ ''.__class__ }}\""), "is not a Python name"),
    "a label's expression": (steps("'ReLU as r${x.__class__}'"), "private attribute"),
    "a label's call": (steps(f'"ReLU as r${{{COMMAND}}}"'), "private name"),
    "a line that imports": (steps("y = __import__('os')"), "private name"),
    "a line that opens": (steps("y = open('/etc/passwd')"), "there is no layer or function 'open' here"),
    "a line that evaluates": (steps("y = eval('1')"), "there is no layer or function 'eval' here"),
    "a subclass walk": (steps("y = x.__class__.__mro__"), "private attribute"),
    "a mangled walk": (steps("y = torch.load('x')"), "load"),
    "torch.ops": (steps("y = torch.ops.load_library('x')"), "ops"),
    "torch.utils": (steps("y = torch.utils.cpp_extension.load('x')"), "utils"),
    "F's own imports": (steps("y = F.torch.load('x')"), "torch"),
    "a format string": (steps("y = '{0.__class__}'.format(x)"), "format"),
    "an f-string": (steps("y = f'{x}'"), "f-string"),
    "a lambda": (steps("'y = (lambda: x)()'"), "a lambda"),
    "a walrus": (steps("y = (z := x)"), ":="),
    "two lines": (steps('"y = x\\nimport os"'), "neither a layer nor a line"),
    "a semicolon": (steps("y = x; import os"), "neither a layer nor a line"),
    "a continued line": (steps('"y = x \\\\\\n + 1"'), None),
    "a comment's end": (steps("'y = x # \\n import os'"), None),
    "a string's end": (steps("""'y = x + len("\\")); import os #")'"""), None),
    "a string's end in what is not a function": (steps("""'y = x + ord("\\")); import os #")'"""), "there is no layer or function"),
    "an argument's code": (steps(f'Linear: "{COMMAND}"'), "private name"),
    "a key of code": (steps(f'Linear: {{"{COMMAND}": 1}}'), "has no argument"),
    "a condition's code": (HEAD + f'  - ReLU:\n    when: "{COMMAND}"\n', "private name"),
    "a repeat's code": (HEAD + f'  - ReLU:\n    repeat: "{COMMAND}"\n', "private name"),
    "a source's code": (HEAD + f'  - ReLU:\n    from: "{COMMAND}"\n', "takes the names of values"),
    "a call's code": (HEAD + f'  - ReLU as r:\n    call: "y = {COMMAND}"\n', "private name"),
    "an initializer's code": (HEAD + f'  - Linear: 8\n    init: {{weight: "{COMMAND}"}}\n', "has no"),
    "a rule's code": (steps("Linear: 8") + f'init: {{"{COMMAND}": zeros_}}\n', "init"),
    "a tie's code": (steps("Linear: 8") + f'tie: {{"{COMMAND}": "x"}}\n', ""),
    "an output's code": (steps("ReLU") + f'outputs: "{COMMAND}"\n', "private name"),
    "a loss of code": (steps("ReLU") + f'loss: "{COMMAND}"\n', "is not a layer"),
    "a check's code": (steps("ReLU") + f'check: {{a: "{COMMAND}"}}\n', "private name"),
    "an argument's default": ("args: {a: \"open('x')\"}\n" + steps("ReLU"), "a default is a number"),
    "an input's code": (f'name: M\ninput: ["{COMMAND}"]\nlayers: [ReLU]\n', "private name"),
    "an input's name": ("name: M\ninputs: {'x=1): import os': [3]}\nlayers: [ReLU]\n", "is not a Python name"),
    "an input's dtype": ("name: M\ninputs: {x: {shape: [3], dtype: 'float32; import os'}}\nlayers: [ReLU]\n", "no dtype"),
    "a block's name": ("name: M\ninput: [8]\nblocks: {'B(object)': {layers: [ReLU]}}\nlayers: [ReLU]\n", "is not a Python name"),
    "a dict's key": (steps("ReLU as r") + "outputs: \"{'a\\\\n': r}\"\n", ""),
    "a dict's quote": (steps("ReLU as r") + "outputs: '{\"a\\\"b\": r}'\n", None),
    "a tag": ("name: !!python/object/apply:os.system ['touch ran']\n", "a tag"),
    "a Python name": ("name: !!python/name:os.system x\n", "a tag"),
    "a module": ("!!python/module:os {}\n", "a tag"),
}  # fmt: skip

DOCUMENTS = {
    "a cyclic alias": ("name: M\ninput: [8]\nlayers: &a [*a]\n", "stands inside of what it stands for"),
    "a merge": ("name: M\nlayers: &a {}\n<<: *a\n", "merge keys"),
    "laughs": ("a: &a0 [x]\n" + "".join(f"b{i}: &a{i + 1} [{', '.join([f'*a{i}'] * 9)}]\n" for i in range(12)), "keys and values"),
    "laughing steps": (HEAD + "  - &a {Sequential: [ReLU, ReLU, ReLU, ReLU]}\n" + "  - Sequential: [*a, *a, *a, *a, *a, *a, *a]\n" * 3_000, "more than"),
    "a long line of one word": (named("M" * 100_000), "is not a Python name"),
    "a long line of one key": (HEAD + f"  - ? {'k' * 100_000}\n    : 1\n", "'kkk"),
    "a long line of one argument": (HEAD + f"  - Linear:\n      ? {'k' * 100_000}\n      : 1\n", "has no argument"),
    "a long line of one expression": (steps("y = x" + " + x" * 45_000), "at most 2000 characters"),
    "a long line of one label": (steps("ReLU as " + "a" * 100_000), "it is too long"),
    "a long line of one source": (HEAD + f"  - ReLU:\n    from: {'a' * 100_000}\n", "there is no"),
    "a long line of one rule": (steps("Linear: 8") + f"init: {{{'a.' * 500_000}weight: zeros_}}\n", ""),
    "a long line of stars": (steps("Linear: 8") + f"init: {{'{'*a' * 300_000}': zeros_}}\n", ""),
    "a long line of labels' parts": (steps("ReLU as a" + "${0}" * 45_000), ""),
    "a long line of steps": (f"name: M\ninput: [8]\nlayers: [{'ReLU,' * 130_000}]\n", "more than"),
    "a long line of lines": (f"name: M\ninput: [8]\nlayers: [{'x = -x,' * 130_000}]\n", "more than"),
    "a long line of doc": (steps("ReLU") + f"doc: {'word ' * 30_000}\n", "more than 80,000 characters"),
    "a long line of one doc": (steps("ReLU") + f"doc: {'w' * 100_000}\n", "more than 80,000 characters"),
    "a long line of dtype": (f"name: M\ninputs: {{x: {{shape: [3], dtype: {'f' * 100_000}}}}}\nlayers: [ReLU]\n", "no dtype"),
    "many keys": (steps("ReLU") + "".join(f"k{i}: 1\n" for i in range(60_000)), "more than 200,000 bytes"),
    "many arguments": ("args: {" + ", ".join(f"a{i}: 1" for i in range(60_000)) + "}\n" + steps("ReLU"), ""),
    "many sizes": ("let: {" + ", ".join(f"a{i}: {i}" for i in range(60_000)) + "}\n" + steps("ReLU"), ""),
    "many inputs": ("name: M\ninputs: {" + ", ".join(f"a{i}: [8]" for i in range(40_000)) + "}\nlayers:\n  - ReLU: null\n    from: a0\n", ""),
    "many dimensions": (f"name: M\ninput: [{'1, ' * 100_000}]\nlayers: [ReLU]\n", ""),
    "many open dimensions": ("name: M\ninput: [" + ", ".join(f"T{i}" for i in range(60_000)) + "]\nlayers: [ReLU]\n", ""),
    "many blocks": ("name: M\ninput: [8]\nblocks:\n" + "".join(f"  B{i}: {{layers: [ReLU]}}\n" for i in range(30_000)) + "layers: [B0]\n", ""),
    "many used blocks": ("name: M\ninput: [8]\nblocks:\n" + "".join(f"  B{i}: {{layers: [ReLU]}}\n" for i in range(8_000)) + "layers: [" + ", ".join(f"B{i}" for i in range(8_000)) + "]\n", ""),
    "many checks": (steps("ReLU") + "check: {" + ", ".join(f"a{i}: 1" for i in range(60_000)) + "}\n", ""),
    "many rules": (steps("Linear: 8") + "init: {" + ", ".join(f"'*{i}': zeros_" for i in range(60_000)) + "}\n", ""),
    "many ties": (steps("Linear: 8") + "tie: {" + ", ".join(f"a{i}.weight: b{i}.weight" for i in range(60_000)) + "}\n", ""),
    "many values of an argument": (IMAGE + f"  - Conv2d: {{out_channels: 8, kernel_size: [{'3, ' * 100_000}]}}\n", ""),
    "many sources": (HEAD + f"  - ReLU:\n    from: [{'x, ' * 100_000}]\n", ""),
    "many names in a line": (steps(", ".join(f"a{i}" for i in range(300)) + " = x.unbind(1)"), ""),
    "nested steps": (HEAD + "  - " + "Sequential: [{" * 25 + "ReLU: null" + "}]" * 25 + "\n", None),
    "nested too deep": (HEAD + "  - " + "Sequential: [{" * 40 + "ReLU: null" + "}]" * 40 + "\n", "nested more than"),
    "nested brackets": (steps("y = " + "(" * 900 + "x" + ")" * 900), ""),
    "nested calls": (steps("y = " + "F.relu(" * 180 + "x" + ")" * 180), "nested more than 100 deep"),
    "nested minus": (steps("y = " + "-" * 1_900 + "x"), ""),
    "nested not": (HEAD + f"  - ReLU:\n    when: {'not ' * 480}training\n", ""),
    "nested conditions": (steps("y = " + "x if training else (" * 80 + "x" + ")" * 80), None),
    "nested indices": (steps("y = x" + "[0]" * 600), ""),
    "nested tuples": (steps("y = " + "(" * 80 + "x," + ")," * 79 + ")"), None),
    "nested attributes": (steps("y = x" + ".mT" * 600), ""),
    "nested targets": (steps("(" * 90 + "a," + ")" * 90 + " = x"), ""),
    "nested lists as an argument": (IMAGE + "  - Conv2d: {out_channels: 8, kernel_size: " + "[" * 50 + "3" + "]" * 50 + "}\n", ""),
    "a BOM in the middle": ("name: M\n\ufeffinput: [8]\n", "U+FEFF"),
    "a null byte": ("name: M\0\n", "U+0000"),
    "UTF-16": (named("M").encode("utf-16"), "not UTF-8"),
    "UTF-32": (named("M").encode("utf-32"), "not UTF-8"),
    "half a surrogate": (named("M").encode() + b"doc: \xed\xa0\x80\n", "not UTF-8"),
    "an escaped surrogate": (named("M") + 'doc: "\\ud800"\n', ""),
    "an overlong slash": (b"name: M\xc0\xaf\n", "not UTF-8"),
    "CR alone": (named("M").replace("\n", "\r"), None),
    "CRLF and a BOM": ("\ufeff" + named("M").replace("\n", "\r\n"), None),
}  # fmt: skip

AMOUNTS = {
    "repeat: 1e9": (HEAD + "  - ReLU:\n    repeat: 1e9\n", "repeat takes a whole number"),
    "repeat: 1000000000": (HEAD + "  - ReLU:\n    repeat: 1000000000\n", "repeat takes a whole number"),
    "repeat: -1": (HEAD + "  - ReLU:\n    repeat: -1\n", "repeat takes a whole number"),
    "repeat: 10000": (HEAD + "  - ReLU:\n    repeat: 10000\n", ""),
    "repeat with names": (HEAD + "  - ReLU as r${i}:\n    repeat: 10000\n", ""),
    "repeat of an argument": ("args: {n: 10000}\nblocks: {B: {layers: [Linear: 8]}}\n" + HEAD + "  - B:\n    repeat: n\n", ""),
    "repeats that multiply": (repeats(4, 1_000), "more than"),
    "repeats that multiply a little": (repeats(3, 8), ""),
    "blocks that double": (doubling(40), "more than"),
    "blocks that double a little": (doubling(6), None),
    "a tower": (steps("Linear: 9**9**9"), "too large"),
    "a power of a power": (steps("Linear: 2**(2**40)"), "too large"),
    "a long tower": (steps("Linear: " + "**".join("2" * 400)), ""),
    "a shift": (steps("Linear: 1 << 10000000"), "cannot stand"),
    "a product": (steps("Linear: " + "*".join(["9223372036854775807"] * 90)), "too large"),
    "a long string": (steps("""y = "a" * 1000000000"""), "does not go"),
    "a long tuple": (steps("y = (0,) * 1000000000"), "does not go"),
    "a long list": (steps("y = [x] * 1000000000"), "does not go"),
    "a product of sizes": (sums(40), ""),
    "a power of a sum": ("args: {a: 2, b: 3, c: 5, d: 7}\n" + steps("Linear: ((a + b + c + d) ** 8) ** 8"), ""),
    "a power of a size": ("args: {a: 2}\n" + steps("Linear: 2 ** a ** 60"), ""),
    "a size that is huge": (steps("Linear: 9223372036854775807"), None),
    "a giant input": ("name: M\ninput: [9223372036854775807, 9223372036854775807]\nlayers: [Flatten]\n", ""),
    "a giant kernel": (IMAGE + "  - Conv2d: {out_channels: 8, kernel_size: 1000000000, padding: 1000000000}\n", None),
    "a giant reshape": (steps("y = x.view(-1, 9223372036854775807)"), None),
    "many parts": (steps("y = x.new_zeros(1000000000).unbind(0)"), ""),
    "tuples that double": (steps("t0 = (x, x)", *(f"t{i} = (t{i - 1}, t{i - 1})" for i in range(1, 40)), "y = t39" + "[0]" * 40), "more than"),
    "dicts that double": (steps("t0 = {'a': x, 'b': x}", *(f"t{i} = {{'a': t{i - 1}, 'b': t{i - 1}}}" for i in range(1, 40)), "y = t39" + "['a']" * 40), ""),
    "many brackets": (steps("y = x" + "[:]" * 60), None),
    "many chunks": (steps("y = x.chunk(1000000000, 1)"), None),
    "many splits": ("name: M\ninput: [1000000000]\nlayers:\n  - y = x.split(1, 1)\n", ""),
    "a giant zeros": (steps("y = torch.zeros(1000000000, 1000000000)"), ""),
    "a long arange": (steps("Buffer as b: {value: 'torch.arange(10**15)'}", "y = x + b[0]"), None),
    "a giant parameter": (steps("Parameter as p: {shape: [1000000000, 1000000000], init: zeros_}", "y = x + p[0, 0]"), None),
    "a parameter of many dimensions": (steps(f"Parameter as p: {{shape: [{'1, ' * 3_000}], init: zeros_}}", "y = x + p"), ""),
    "LSTM layers": ("name: M\ninput: [5, 8]\nlayers:\n  - LSTM as l: {hidden_size: 8, num_layers: 1000000000, batch_first: true}\n    call: y, _ = l(x)\n", ""),
    "many LSTM layers": ("name: M\ninput: [5, 8]\nlayers:\n  - LSTM as l: {hidden_size: 8, num_layers: 3000, batch_first: true}\n    call: y, _ = l(x)\n", ""),
    "Transformer layers": ("name: M\ninputs: {a: [5, 8], b: [5, 8]}\nlayers:\n  - Transformer as t: {d_model: 8, nhead: 2, num_encoder_layers: 1000000000, batch_first: true}\n    from: [a, b]\n", ""),
    "encoder layers": ("name: M\ninput: [5, 8]\nlayers:\n  - TransformerEncoder: {encoder_layer: {TransformerEncoderLayer: {d_model: 8, nhead: 2, batch_first: true}}, num_layers: 5000}\n", ""),
    "adaptive softmax": (steps("AdaptiveLogSoftmaxWithLoss as a: {n_classes: 1000000, cutoffs: [" + ", ".join(map(str, range(1, 9_000))) + "]}"), ""),
    "many layers": (steps(*(f"Linear as l{i}: 8" for i in range(12_000))), "more than"),
    "many unlike layers": (steps(*(f"Linear as l{i}: {i + 1}" for i in range(3_000))), "more than"),
    "many long lines": (steps(*("x = " + " + ".join(["x"] * 450) for _ in range(400))), "more than"),
    "many whens": (whens(3_000), "more than"),
    "some whens": (whens(100), None),
    "many buffers": (steps(*(f"Buffer as b{i}: {{value: 'torch.ones(8)'}}" for i in range(3_000)), "y = x"), ""),
    "many uses of a value": (steps(*(f"y{i} = x + 1" for i in range(600)), "z = " + " + ".join(f"y{i}" for i in range(300)), "w = z + " + " + ".join(f"y{i}" for i in range(300, 600))), ""),
    "many uses of one layer": (HEAD + "  - Linear as l: 8\n    call: x = l(x)\n" + "  - x = l(x)\n" * 400, None),
    "many uses of a block": ("blocks: {B: {layers: [Linear: 8, ReLU]}}\n" + steps(*(["B"] * 500)), "more than 80,000 characters"),
    "many sizes of a block": ("blocks: {B: {args: {n: required}, layers: [Linear: n, Linear: 2 * n]}}\n" + steps(*(f"B: {{n: {i + 1}}}" for i in range(500))), ""),
}  # fmt: skip
