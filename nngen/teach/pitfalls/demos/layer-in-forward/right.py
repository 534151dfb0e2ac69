import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, kernel_size=3, padding=1)

    def forward(self, x):
        return self.conv(x)


torch.manual_seed(0)
model = Model()
x = torch.randn(1, 3, 8, 8)
difference = (model(x) - model(x)).abs().max().item()
parameters = sum(p.numel() for p in model.parameters())
print(f"{difference=:.3f} {parameters=}")
