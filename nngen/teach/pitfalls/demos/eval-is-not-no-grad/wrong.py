import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 1000), nn.Dropout())
x = torch.ones(1, 4)

with torch.no_grad():
    output = model(x)
zeros = (output == 0).float().mean().item()

model.eval()
graph = model(x).requires_grad
print(f"{zeros=:.3f} {graph=}")
