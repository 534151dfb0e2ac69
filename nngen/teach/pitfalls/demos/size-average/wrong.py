import torch
from torch import nn

torch.manual_seed(0)
log_probabilities = torch.randn(3, 5).log_softmax(dim=1)
target = torch.tensor([1, 0, 4])

criterion = nn.NLLLoss(size_average=False)
loss = criterion(log_probabilities, target).item()
print(f"{loss=:.3f}")
