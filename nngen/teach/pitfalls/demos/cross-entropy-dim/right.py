import torch
from torch import nn

torch.manual_seed(0)
scores, target = torch.randn(3, 5), torch.tensor([1, 0, 4])

criterion = nn.CrossEntropyLoss()
loss = criterion(scores, target).item()
print(f"{loss=:.3f}")
