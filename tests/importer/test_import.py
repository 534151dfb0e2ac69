"""From a module to a spec, whose models give the module's own bits; or a refusal that names the line."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import nngen
from nngen.cli import main
from nngen.errors import NngenError
from nngen.importer import compare, stages
from nngen.importer.refusal import ImportRefused
from nngen.language.formatting import formatted
from tests.importer import posted

Input = nngen.Input
TOKENS = Input((2, 9), "int64", 30)
MODULES = {
    posted.MLP: {"x": (2, 20)},
    posted.LeNet: {"x": (2, 1, 28, 28)},
    posted.CifarResNet: {"x": (2, 3, 16, 16)},
    posted.SentimentLSTM: {"tokens": TOKENS},
    posted.VAE: {"x": (2, 784)},
    posted.Generator: {"input": (2, 10, 1, 1)},
    posted.Siamese: {"left": (2, 12), "right": (2, 12)},
    posted.NanoGPT: {"idx": TOKENS},
    posted.PointNet: {"x": (2, 3, 20)},
    posted.ActorCritic: {"x": (2, 4)},
    posted.SmallUNet: {"x": (2, 1, 16, 16)},
    posted.SqueezeExcite: {"x": (2, 8, 5, 5)},
    posted.Seq2Seq: {"src": TOKENS, "tgt": Input((2, 7), "int64", 30)},
    posted.Functional: {"x": (2, 4)},
    posted.UNetOfLists: {"x": (2, 1, 16, 16)},
    posted.PlainStack: {"x": (2, 8)},
}
ARGUMENTS = {posted.SqueezeExcite: (8,)}


def imported(kind: Callable[..., nn.Module]) -> str:
    inputs = MODULES.get(kind, {"x": (2, 4)})  # type: ignore[call-overload]
    return nngen.from_module(lambda: kind(*ARGUMENTS.get(kind, ())), inputs, kind.__name__)  # type: ignore[call-overload]


@pytest.mark.parametrize("kind", MODULES, ids=lambda kind: kind.__name__)
def test_it_is_imported(kind: type[nn.Module]) -> None:
    """The import has compared; here the twins alone are asked, by the project's own proof."""
    text = imported(kind)
    assert text.startswith("# Equal, bit for bit, to the module it was imported from")
    assert formatted(text, "a.yaml") == text
    assert nngen.verify(text, steps=1, batch_sizes=(2,)).equal


def test_it_reads_as_its_author_wrote_it() -> None:
    text = imported(posted.NanoGPT)
    body = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
    assert "- x = x + attn\n" in body and "repeat: 3\n" in body
    assert "- att = F.softmax(att, dim=-1)\n" in body
    assert '- Buffer as bias: {value: "torch.tril(torch.ones(16, 16))"}\n' in body
    assert len(body.splitlines()) < 45


def test_instances_of_one_class_are_one_block() -> None:
    text = imported(posted.CifarResNet)
    assert text.count("  BasicBlock:\n") == 1 and "BasicBlock2" not in text
    assert "args: {out_channels: required}" in text
    assert "- BasicBlock as layer1: 16\n" in text and "- BasicBlock as layer2: 24\n" in text


def test_weights_of_one_seed() -> None:
    assert "# From one seed its weights are the module's, too.\n" in imported(posted.MLP)
    assert "weights are others than the module's: weight is" in imported(posted.Functional)


REFUSED = {
    posted.BuiltInForward: ("built in forward", "nn.Linear(4, 2)(x)"),
    posted.InAList: ("stands in a Python list", "x = layer(x)"),
    posted.BranchOnData: ("depends on the values", "if x.sum() > 0:"),
    posted.FrozenSize: ("would be frozen", "range(x.shape[0])"),
    posted.OwnFunction: ("", "Double.apply(x)"),
    posted.InPlace: ("add_ changes a tensor in place", "x.add_(1)"),
}


@pytest.mark.parametrize("kind", REFUSED, ids=lambda kind: kind.__name__)
def test_it_is_refused_with_its_line(kind: type[nn.Module]) -> None:
    says, line = REFUSED[kind]
    with pytest.raises(ImportRefused) as caught:
        imported(kind)
    file, _, number = caught.value.where.rpartition(":")
    assert says in str(caught.value)
    assert Path(file) == Path(posted.__file__)
    source = Path(file).read_text(encoding="utf-8").splitlines()[int(number) - 1]
    assert line in source and source in inspect.getsource(kind)
    assert source.strip() in str(caught.value)


def test_a_layer_that_is_never_called_is_refused() -> None:
    with pytest.raises(ImportRefused, match="does not load the module's state_dict.*head.weight"):
        imported(posted.Unused)


def test_a_model_that_is_a_sequential_itself() -> None:
    text = nngen.from_module(nn.Sequential(nn.Linear(4, 2), nn.Tanh()), {"x": (2, 4)})
    assert "  - Linear as 0: 2\n  - Tanh as 1\n" in text


def test_hooks_are_refused() -> None:
    model = posted.MLP()
    model.fc1.register_forward_hook(lambda module, args, output: 2 * output)
    with pytest.raises(ImportRefused, match="fc1 has hooks"):
        nngen.from_module(model, {"x": (2, 20)})


def test_the_model_stays_as_it_was() -> None:
    model = posted.CifarResNet().eval()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    random = torch.get_rng_state()
    nngen.from_module(model, {"x": (2, 3, 16, 16)})
    assert not model.training
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)


def test_nothing_is_given_that_is_not_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that a trace shows wrongly is caught by the comparison."""

    class Sly(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x * (1.0 if type(x) is Tensor else 2.0)

    with pytest.raises(ImportRefused, match="the nn model of the spec is not equal in train mode"):
        nngen.from_module(Sly, {"x": (2, 4)})
    monkeypatch.setattr(stages, "compared", lambda *_: ["unproved"])
    assert "y = x * 2.0" in nngen.from_module(Sly, {"x": (2, 4)})
    assert compare.compared.__module__ == "nngen.importer.compare"


# The command


def test_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "net.py").write_text(
        "from torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self, width=3):\n"
        "        super().__init__()\n        self.layers = nn.Sequential(nn.Linear(4, width), nn.ReLU())\n\n"
        "    def forward(self, x):\n        return self.layers(x)\n"
    )
    monkeypatch.chdir(tmp_path)
    given = ["import", "net.py:Net", "--input", "x=2,4", "--arg", "width=5", "-o", "net.yaml"]
    assert main(given) == 0
    assert capsys.readouterr().out.startswith("net.yaml: written; the spec's models give")
    assert "      - Linear: 5\n" in Path("net.yaml").read_text()
    assert main(given) == 2
    assert "net.yaml is there already" in capsys.readouterr().err
    assert main(["build", "net.yaml"]) == 0 and main(["import", "net:Net", *given[2:4]]) == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["net.py", "--input", "x=2,4"], "net.py: not of the form FILE.py:CLASS"),
        (["net.py:Nett", "--input", "x=2,4"], "has no class or function 'Nett'\n  hint: did you"),
        (["gone.py:Net", "--input", "x=2,4"], "cannot read gone.py: there is no such file"),
        (["no_such_package:Net", "--input", "x=2,4"], "there is no module 'no_such_package'"),
        (["net.py:Net", "--input", "x=two"], "--input x=two: not of the form NAME=SIZES"),
        (["net.py:Net", "--input", "x=2,4:int7"], "the dtype is one of float32"),
        (["net.py:Net", "--input", "y=2,4"], "unexpected keyword argument 'y'"),
        (["net.py:Net", "--input", "x=2,5"], "the model does not run on these inputs: RuntimeErr"),
        (["net.py:Net", "--input", "x=2,4", "--arg", "no=1"], "the model cannot be made: TypeErr"),
        (["net.py:number", "--input", "x=2,4"], "that makes a int, not an nn.Module"),
        (["broken.py:Net", "--input", "x=2,4"], "broken.py:1: broken.py cannot be imported: "),
    ],
)
def test_what_the_command_says(
    arguments: list[str],
    says: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "net.py").write_text(
        "from torch import nn\n\n\ndef number():\n    return 1\n\n\nclass Net(nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n        self.fc = nn.Linear(4, 2)\n\n"
        "    def forward(self, x):\n        return self.fc(x)\n"
    )
    (tmp_path / "broken.py").write_text("x = 1 / 0\n")
    monkeypatch.chdir(tmp_path)
    assert main(["import", *arguments]) == 2
    found = capsys.readouterr()
    assert says in found.err and not found.out
    assert "Traceback" not in found.err


def test_errors_are_of_one_kind() -> None:
    assert issubclass(ImportRefused, NngenError)
