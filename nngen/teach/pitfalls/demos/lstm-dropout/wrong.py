import torch
from torch import nn

torch.manual_seed(0)
lstm = nn.LSTM(8, 100, dropout=0.5)
output, _ = lstm(torch.randn(20, 1, 8))
zeros = (output == 0).float().mean().item()
print(f"{zeros=:.3f}")
