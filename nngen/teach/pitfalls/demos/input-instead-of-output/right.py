import torch
import torch.nn.functional as F

torch.manual_seed(0)
weight1 = torch.randn(8, 8, requires_grad=True)
weight2 = torch.randn(8, 8, requires_grad=True)

x = torch.randn(4, 8)
out = F.relu(F.linear(x, weight1))
out = F.linear(out, weight2)
out.square().mean().backward()
first, second = weight1.grad is not None, weight2.grad is not None
print(f"{first=} {second=}")
