import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(4, 1)
norm = nn.BatchNorm1d(1, momentum=1.0)  # the running variance becomes the batch's
expected = norm(x)

variance = x.var(dim=0, correction=0)
output = (x - x.mean(dim=0)) / torch.sqrt(variance + norm.eps)

biased, stored = variance.item(), norm.running_var.item()
off = (output - expected).abs().max().item()
print(f"{biased=:.3f} {stored=:.3f} {off=:.3f}")
