import torch
from torch import nn

conv, pool, linear = nn.Conv2d(1, 16, 5), nn.MaxPool2d(2), nn.Linear(16 * 12 * 12, 10)

x = torch.rand(2, 1, 28, 28)
x = x.view(x.size(0), -1)
out = pool(torch.relu(conv(x)))
out = linear(out)
shape = tuple(out.shape)
print(f"{shape=}")
