"""Compare GPT-2, BERT and the Llama-like stack with the transformers package: weights carried over, outputs compared.

Run by `make reference`; transformers is the reference, never a dependency.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

# transformers looks into torchvision where it is installed, and a torchvision for GPUs lacks these two on a CPU build.
_LIBRARY = torch.library.Library("torchvision", "DEF")
_LIBRARY.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
_LIBRARY.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

import transformers

ROOT = Path(__file__).resolve().parents[2]


def _logits(model: Any, x: Tensor) -> Tensor:
    output = model(x)
    return output if torch.is_tensor(output) else output.logits


def gpt2() -> tuple[Any, dict[str, Any], Any]:
    sizes = {"vocab_size": 60, "n_positions": 16, "n_embd": 24, "n_layer": 2, "n_head": 3}
    config = transformers.GPT2Config(**sizes, attn_implementation="sdpa")
    return transformers.GPT2LMHeadModel(config), sizes, _logits


def llama() -> tuple[Any, dict[str, Any], Any]:
    sizes = {"vocab_size": 60, "hidden_size": 32, "intermediate_size": 48}
    config = transformers.LlamaConfig(
        **sizes, num_hidden_layers=2, num_attention_heads=4, attn_implementation="sdpa"
    )
    ours = {**sizes, "num_layers": 2, "num_heads": 4}
    return transformers.LlamaForCausalLM(config), ours, _logits


def bert() -> tuple[Any, dict[str, Any], Any]:
    config = transformers.BertConfig(
        vocab_size=60,
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=3,
        intermediate_size=96,
        attn_implementation="sdpa",
    )
    ours = {"vocab_size": 60, "hidden_size": 24, "num_layers": 2, "num_heads": 3}

    def run(model: Any, x: Tensor) -> Tensor:
        segments = torch.zeros_like(x)
        if isinstance(model, transformers.BertModel):
            return model(x, token_type_ids=segments).last_hidden_state
        return model(x, segments)["last_hidden_state"]

    return transformers.BertModel(config), ours, run


def with_linear(model: nn.Module) -> nn.Module:
    """The model with nn.Linear for its Conv1D layers.

    Conv1D keeps its weight transposed and multiplies by another kernel, which differs in the last bit.
    """
    for parent in list(model.modules()):
        for name, child in parent.named_children():
            if type(child).__name__ == "Conv1D":
                linear = nn.Linear(*child.weight.shape)
                with torch.no_grad():
                    linear.weight.copy_(child.weight.t())
                    linear.bias.copy_(child.bias)
                setattr(parent, name, linear)
    return model


def main() -> int:
    sys.path.insert(0, str(ROOT))
    failed = False
    for name, make, class_name in (
        ("gpt2", gpt2, "GPT2"),
        ("llama", llama, "Llama"),
        ("bert", bert, "BERT"),
    ):
        torch.manual_seed(0)
        reference, sizes, run = make()
        package = importlib.import_module(f"generated.{name}")
        model = getattr(package.nn_style, class_name)(**sizes)
        reference = with_linear(reference)
        model.load_state_dict(reference.state_dict())
        twin = getattr(package.functional_style, class_name)(**sizes)
        twin.load_state_dict(package.to_functional(model.state_dict()))
        tokens = torch.randint(1, 60, (2, 9))
        for mode in ("eval", "train"):
            outputs = []
            for each in (reference, model, twin):
                each.train(mode == "train")
                torch.manual_seed(1)
                output = run(each, tokens)
                outputs.append(output)
            equal = [torch.equal(outputs[0], other) for other in outputs[1:]]
            apart = max((outputs[0] - other).abs().max().item() for other in outputs[1:])
            failed |= not all(equal)
            print(
                f"{name:6} {mode:5} keys strict, values {outputs[0].numel():5}, equal {equal}, {apart:g}"
            )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
