import math

import torch
from torch import nn

torch.manual_seed(0)
linear = nn.Linear(4, 3)

torch.manual_seed(0)
bias = nn.init.uniform_(torch.empty(3), -1 / math.sqrt(4), 1 / math.sqrt(4))
weight = nn.init.kaiming_uniform_(torch.empty(3, 4), a=math.sqrt(5))

same = torch.equal(weight, linear.weight) and torch.equal(bias, linear.bias)
difference = (weight - linear.weight).abs().max().item()
print(f"{same=} {difference=:.3f}")
