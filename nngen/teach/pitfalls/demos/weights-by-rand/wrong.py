import torch
import torch.nn.functional as F

torch.manual_seed(0)
weight1 = torch.rand(16, 1, 5, 5)
weight2 = torch.rand(32, 16, 5, 5)
weight3 = torch.rand(10, 512)

out = torch.rand(64, 1, 28, 28)
out = F.max_pool2d(F.relu(F.conv2d(out, weight1)), kernel_size=2)
out = F.max_pool2d(F.relu(F.conv2d(out, weight2)), kernel_size=2)
out = F.linear(out.flatten(1), weight3)
size = out.abs().mean().item()
print(f"{size=:,.2f}")
