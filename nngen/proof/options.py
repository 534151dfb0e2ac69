"""Under what two twins are compared. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass

DTYPES = ("float16", "bfloat16", "float32", "float64")
AUTOCASTS = ("float16", "bfloat16")


@dataclass(frozen=True)
class Conditions:
    """Under what two twins are compared.

    Args:
        seed: where every random number comes from.
        seeds: how many seeds to run with: `seed`, `seed + 1`, …
        steps: how many steps each optimizer takes.
        batch_sizes: the sizes to go forward and backward with; the largest serves the
            optimizers and the checkpoints.
        device: where the twins run, as `torch.device` takes it.
        dtype: what the twins' parameters, buffers and inputs are cast to; empty to leave
            them as the spec has them.
        autocast: the dtype of `torch.autocast` around forward and loss; empty for none.
        threads: how many threads torch computes with on the CPU.
        compile: whether the twins are compared under `torch.compile`, too.
        exports: whether they are compared under `torch.func`, and as they come out of
            `torch.export`, safetensors and ONNX.
        everything: both of these, as far as what they need is installed.

    Raises:
        ValueError: a number is below 1, there is no batch size, or a dtype is unknown.
    """

    seed: int = 0
    seeds: int = 1
    steps: int = 3
    batch_sizes: tuple[int, ...] = (1, 4)
    device: str = "cpu"
    dtype: str = ""
    autocast: str = ""
    threads: int = 1
    compile: bool = False
    exports: bool = False
    everything: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "batch_sizes", tuple(self.batch_sizes))
        if min(self.steps, self.seeds, self.threads, *self.batch_sizes, len(self.batch_sizes)) < 1:
            raise ValueError(
                f"nothing to run: steps={self.steps}, seeds={self.seeds}, "
                f"threads={self.threads}, batch_sizes={self.batch_sizes}"
            )
        if self.dtype and self.dtype not in DTYPES:
            raise ValueError(f"dtype is {self.dtype!r}, not one of {DTYPES}")
        if self.autocast and self.autocast not in AUTOCASTS:
            raise ValueError(f"autocast is {self.autocast!r}, not one of {AUTOCASTS}")

    def __str__(self) -> str:
        """What a reader must know to run it again: `seed: 0; steps: 3`."""
        given = [("device", self.device if self.device != "cpu" else "")]
        given += [("dtype", self.dtype), ("autocast", self.autocast)]
        given += [("threads", str(self.threads) if self.threads > 1 else "")]
        sizes = ", ".join(map(str, self.batch_sizes))
        seeds = f"{self.seed} to {self.seed + self.seeds - 1}" if self.seeds > 1 else str(self.seed)
        always = [("batch sizes", sizes), ("steps", str(self.steps))]
        always += [("seeds" if self.seeds > 1 else "seed", seeds)]
        return "; ".join(f"{name}: {value}" for name, value in always + given if value)

    @property
    def usual(self) -> bool:
        """Whether the twins run as the spec has them, on the CPU."""
        return self.device == "cpu" and not self.dtype and not self.autocast
