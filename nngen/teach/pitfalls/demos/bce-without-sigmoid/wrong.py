import torch
import torch.nn.functional as F

torch.manual_seed(0)
scores, target = torch.randn(3, 2), torch.rand(3, 2)

loss = F.binary_cross_entropy(scores, target).item()
print(f"{loss=:.4f}")
