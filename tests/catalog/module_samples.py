"""PyTorch's own samples of its modules, each turned into a spec whose twins run beside the module.

The samples are those of `torch.testing._internal.common_modules`, which PyTorch's tests of torch.nn use.
`python -m tests.catalog.module_samples [CLASS …]` runs all of them, or those of the classes named, and prints how many pass.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import combinations
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.testing._internal.common_modules import FunctionInput, ModuleInfo, ModuleInput, module_db

import nngen
from nngen.errors import NngenError
from nngen.proof.loading import Pair
from tests.catalog.signatures import torch_signature
from tests.support import flat, settled

LAYER = "m"
# A private argument, whose samples are float64: beside float32 inputs torch's own module raises. Both go without.
PRIVATE = "_random_samples"


class LeftOut(Exception):
    """A sample that no spec can say."""


@dataclass(frozen=True)
class Sample:
    """One sample of PyTorch's: arguments for a module's constructor, and for its forward.

    Attributes:
        number: its place among the samples that the module has in this mode.
        training: whether it is for train mode.
    """

    info: ModuleInfo
    number: int
    training: bool
    given: ModuleInput

    def __str__(self) -> str:
        mode = "train" if self.training else "eval"
        return f"{self.info.module_cls.__name__} {mode} {self.number}"

    @property
    def is_lazy(self) -> bool:
        return self.info.is_lazy

    @property
    def holds_layers(self) -> bool:
        """Whether the constructor is given a layer, which was drawn before."""
        return any(isinstance(value, nn.Module) for value in _values(self.given.constructor_input))

    @property
    def facts(self) -> tuple[list[str], list[str]]:
        """In words, what the module is made with, the mode among it, and what forward is given."""
        made, flowing = (
            [f"{name}={_fact(v)}" for name, v in (*enumerate(given.args), *given.kwargs.items())]
            for given in (self.given.constructor_input, self.given.forward_input)
        )
        return [f"training={self.training}", *made], flowing

    def build(self) -> nn.Module:
        """The module of PyTorch's."""
        given = self.given.constructor_input
        keywords = {name: value for name, value in given.kwargs.items() if name != PRIVATE}
        module: nn.Module = self.info.module_cls(*given.args, **keywords)
        if self.is_lazy:
            forward = copy.deepcopy(self.given.forward_input)
            module(*forward.args, **forward.kwargs)
        return module.train(self.training)

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        """What forward is given; a tensor that is given twice is one input."""
        found: dict[int, Tensor] = {}
        for value in _values(self.given.forward_input):
            found |= {id(tensor): tensor for tensor in flat(value) if isinstance(tensor, Tensor)}
        return {f"x{i}" if i else "x": tensor for i, tensor in enumerate(found.values())}

    def spec(self, result: Any) -> dict[str, Any]:
        """The smallest spec around the sample, of which torch's result is known.

        Raises:
            LeftOut: there is none.
        """
        kind = self.info.module_cls.__name__.removeprefix("Lazy")
        arguments = _constructor_arguments(self.info.module_cls, self.given.constructor_input)
        step: dict[str, Any] = {f"{kind} as {LAYER}": arguments}
        spec: dict[str, Any] = {"name": "Model", "inputs": self._inputs(), "layers": [step]}
        given = self.given.forward_input
        plain = not given.kwargs and all(isinstance(value, Tensor) for value in given.args)
        if plain and isinstance(result, Tensor):
            if len(self.tensors) > 1 or len(given.args) > 1:
                step["from"] = [self._text(value) for value in given.args]
            return spec
        target, names = _target(result)
        words = [self._text(value) for value in given.args]
        words += [f"{name}={self._text(value)}" for name, value in given.kwargs.items()]
        step["call"] = f"{target} = {LAYER}({', '.join(words)})"
        return {**spec, "outputs": ", ".join(names)}

    def _inputs(self) -> dict[str, Any]:
        return {
            name: {
                "shape": [size or "B" for size in tensor.shape],  # only an open size can be zero
                "dtype": str(tensor.dtype).removeprefix("torch."),
                "batch": False,
            }
            for name, tensor in self.tensors.items()
        }

    def _text(self, value: Any) -> str:
        """A value as a line of Python names it."""
        if isinstance(value, Tensor):
            return next(name for name, tensor in self.tensors.items() if tensor is value)
        if isinstance(value, (tuple, list)):
            items = [self._text(item) for item in value]
            return f"({', '.join(items)}{',' * (len(items) == 1)})"
        if value is None or isinstance(value, (bool, int, float, str)):
            return repr(value)
        raise LeftOut(f"forward is given a {type(value).__name__}")


def _fact(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"{value.dtype}, {tuple(value.shape)}, {value.requires_grad}"
    return repr(value)


def _values(given: FunctionInput) -> list[Any]:
    return [*given.args, *given.kwargs.values()]


def _constructor_arguments(module: type, given: FunctionInput) -> dict[str, Any]:
    """Constructor arguments by their names, as YAML would give them."""
    signature = torch_signature(module.__name__)
    own = [None] if "self" in signature.parameters else []
    bound = signature.bind(*own, *given.args, **given.kwargs).arguments
    bound.pop("self", None)
    bound.pop(PRIVATE, None)
    arguments = {**bound, **bound.pop("kwargs", {})}
    if str(arguments.pop("device", None) or "cpu") != "cpu":
        raise LeftOut("the constructor is given a device")
    if arguments.pop("dtype", None) not in (None, torch.float32):
        raise LeftOut("the constructor is given a dtype")
    return {name: _plain(value) for name, value in arguments.items()}


def _plain(value: Any) -> Any:
    """A constructor's argument as YAML would give it."""
    if isinstance(value, Tensor):
        return value.tolist()
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, (nn.TransformerEncoderLayer, nn.TransformerDecoderLayer)):
        return {type(value).__name__: _of_layer(value)}
    if dataclasses.is_dataclass(value):
        given = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        defaults = {field.name: field.default for field in dataclasses.fields(value)}
        return {name: _plain(item) for name, item in given.items() if item != defaults[name]}
    if isinstance(value, torch.dtype):
        return str(value).removeprefix("torch.")
    if callable(value) and getattr(F, getattr(value, "__name__", ""), None) is value:
        return value.__name__
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise LeftOut(f"the constructor is given a {type(value).__name__}")


def _of_layer(layer: Any) -> dict[str, Any]:
    """The arguments that a layer of a transformer was built with."""
    attention, linear = layer.self_attn, layer.linear1
    return {
        "d_model": linear.in_features,
        "nhead": attention.num_heads,
        "dim_feedforward": linear.out_features,
        "dropout": layer.dropout.p,
        "activation": layer.activation.__name__,
        "layer_norm_eps": layer.norm1.eps,
        "batch_first": attention.batch_first,
        "norm_first": layer.norm_first,
        "bias": linear.bias is not None,
    }


def _target(result: Any) -> tuple[str, list[str]]:
    """What a line assigns a result to, and the names in it."""
    names: list[str] = []

    def name(value: Any) -> str:
        if isinstance(value, (tuple, list)):
            return f"({', '.join(map(name, value))})"
        if value is None:
            return "_"
        names.append(f"y{len(names)}")
        return names[-1]

    target = name(result)
    return target[1:-1] if isinstance(result, (tuple, list)) else target, names


@dataclass(frozen=True)
class Verdict:
    """What came of a sample: `equal`, `left out`, `refused` by nngen, it `differs` or `raises`; and why."""

    sample: Sample
    word: str
    reason: str = ""


def samples(info: ModuleInfo) -> Iterator[Sample]:
    """All samples of a module: those for train mode, then those for eval mode."""
    for training in (True, False):
        torch.manual_seed(0)
        given = info.module_inputs_func(
            info, device="cpu", dtype=torch.float32, requires_grad=True, training=training
        )
        for number, sample in enumerate(given):
            yield Sample(info, number, training, sample)


def telling(found: Iterable[Sample]) -> Iterator[Sample]:
    """Those in which something is given for the first time, or two arguments, or one and the mode, first meet."""
    seen: set[tuple[str, ...]] = set()
    for sample in found:
        made, flowing = sample.facts
        facts = {*combinations(made, 2), *zip(made), *zip(flowing)}
        if facts - seen:
            yield sample
        seen |= facts


def judge(sample: Sample) -> Verdict:
    """Runs both twins of a sample beside the module of PyTorch's."""
    try:
        difference = _difference(sample)
    except LeftOut as reason:
        return Verdict(sample, "left out", str(reason))
    except NngenError as error:
        return Verdict(sample, "refused", " ".join(str(error).split()))
    except Exception as error:  # noqa: BLE001
        return Verdict(sample, "raises", " ".join(f"{type(error).__name__}: {error}".split())[:300])
    return Verdict(sample, "differs" if difference else "equal", difference)


def _difference(sample: Sample) -> str:
    """Where a twin is not like the module of PyTorch's; empty if it nowhere is."""
    torch.manual_seed(7)
    module = sample.build()
    random_numbers = torch.get_rng_state()
    state = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    seen, result = _run(sample, module, None)
    pair = _load(json.dumps(sample.spec(result)))
    nn_state = {f"{LAYER}.{name}": tensor for name, tensor in state.items()}
    torchs_names = {f"{LAYER}.{name}": name for name in state}
    for style in ("nn", "functional"):
        torch.manual_seed(7)
        twin = getattr(pair, f"{style}_style").Model().train(sample.training)
        names = torchs_names if style == "nn" else pair.to_functional(torchs_names)
        if not (sample.is_lazy or sample.holds_layers):
            if not torch.equal(torch.get_rng_state(), random_numbers):
                return f"{style}: other random numbers drawn at construction"
            for own, tensor in twin.state_dict().items():
                if not _same(tensor, state[names[own]]):
                    return f"{style}: {own} is drawn otherwise"
        twin.load_state_dict(nn_state if style == "nn" else pair.to_functional(nn_state))
        found, _ = _run(sample, twin, names)
        if found.keys() != seen.keys():
            return f"{style}: {', '.join(sorted(map(str, found.keys() ^ seen.keys())))}"
        for what, value in seen.items():
            if not _same(value, found[what]):
                return f"{style}: {what}"
    return ""


@cache
def _load(spec: str) -> Pair:
    return nngen.load(json.loads(spec))


def _run(
    sample: Sample, module: nn.Module, names: dict[str, str] | None
) -> tuple[dict[str, Any], Any]:
    """What can be seen of one step forward and backward, and the result of forward.

    A twin's parameters and buffers have names of their own; `names` gives those of PyTorch's module. It is None for
    that module itself.
    """
    leaves = {
        name: tensor.detach().clone().requires_grad_(tensor.requires_grad)
        for name, tensor in sample.tensors.items()
    }
    # A layer that writes into its input cannot be given a leaf.
    inputs = {name: leaf.clone() for name, leaf in leaves.items()}
    torch.manual_seed(3)
    if names is None:
        given = sample.given.forward_input
        put = {id(tensor): inputs[name] for name, tensor in sample.tensors.items()}
        result = module(
            *(_put_in(value, put) for value in given.args),
            **{name: _put_in(value, put) for name, value in given.kwargs.items()},
        )
    else:
        result = module(*inputs.values())
    outputs = flat(result)
    seen: dict[str, Any] = {f"output {i}": output for i, output in enumerate(outputs)}
    _backward(outputs)
    seen |= {f"{name} afterwards": tensor for name, tensor in inputs.items()}
    seen |= {f"gradient of {name}": leaf.grad for name, leaf in leaves.items()}
    names = names or {}
    for own, parameter in module.named_parameters():
        seen[f"gradient of {names.get(own, own)}"] = parameter.grad
    for own, buffer in module.named_buffers():
        seen[names.get(own, own)] = buffer
    return seen | {"random numbers": torch.get_rng_state()}, result


def _backward(outputs: list[Tensor]) -> None:
    """Gradients of a weighted sum of all outputs."""
    generator = torch.Generator().manual_seed(5)
    weights = [torch.rand(output.shape, generator=generator) for output in outputs]
    sums = [(o * w).sum() for o, w in zip(outputs, weights) if o.requires_grad]
    if sums:
        sum(sums[1:], sums[0]).backward()


_BITS = {2: torch.int16, 4: torch.int32, 8: torch.int64}


def _same(left: Any, right: Any) -> bool:
    """Whether two values are equal, bit for bit."""
    if not isinstance(left, Tensor) or not isinstance(right, Tensor):
        return left is right
    if (left.dtype, left.shape, left.stride()) != (right.dtype, right.shape, right.stride()):
        return False
    if left.is_floating_point():
        left, right = (side.detach().view(_BITS[side.itemsize]) for side in (left, right))
    return torch.equal(left, right)


def _put_in(value: Any, put: dict[int, Tensor]) -> Any:
    if isinstance(value, (tuple, list)):
        return type(value)(_put_in(item, put) for item in value)
    return put[id(value)] if isinstance(value, Tensor) else value


def judge_all(
    info: ModuleInfo, choose: Callable[[Iterable[Sample]], Iterable[Sample]] = iter
) -> list[Verdict]:
    """What came of each sample of a module, or of those chosen."""
    with settled(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        judged = [judge(sample) for sample in choose(samples(info))]
    _load.cache_clear()
    return judged


def passed(judged: list[Verdict]) -> int:
    return sum(verdict.word == "equal" for verdict in judged)


def row(name: str, judged: list[Verdict]) -> str:
    """How many samples of a module pass, and why the others do not."""
    lines = [f"{name:26}{passed(judged):5}/{len(judged)}"]
    others: dict[tuple[str, str], list[Sample]] = {}
    for verdict in judged:
        if verdict.word != "equal":
            others.setdefault((verdict.word, verdict.reason), []).append(verdict.sample)
    for (word, reason), those in others.items():
        lines.append(f"    {word}: {', '.join(map(str, those))}: {reason}")
    return "\n".join(lines)


def main(classes: list[str]) -> int:
    """Print a table, class by class; the exit code is 1 where a sample does not pass and is not left out."""
    found: list[Verdict] = []
    chosen = [info for info in module_db if not classes or info.module_cls.__name__ in classes]
    for info in chosen:
        judged = judge_all(info)
        print(row(info.module_cls.__name__, judged), flush=True)
        found += judged
    print(f"{f'{len(chosen)} classes':26}{passed(found):5}/{len(found)}")
    return 0 if {verdict.word for verdict in found} <= {"equal", "left out"} else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
