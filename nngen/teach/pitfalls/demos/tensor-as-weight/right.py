import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 8))

    def forward(self, x):
        return F.linear(x, self.weight)


model = Model()
parameters = sum(p.numel() for p in model.parameters())
saved = len(model.state_dict())
print(f"{parameters=} {saved=}")
