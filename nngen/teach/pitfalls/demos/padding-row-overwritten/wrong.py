import torch
from torch import nn

torch.manual_seed(0)
embedding = nn.Embedding(10, 4, padding_idx=0)
nn.init.normal_(embedding.weight)

output = embedding(torch.tensor([0, 3]))
output.sum().backward()
row = output[0].abs().sum().item()
gradient = embedding.weight.grad[0].abs().sum().item()
print(f"{row=:.2f} {gradient=:.2f}")
