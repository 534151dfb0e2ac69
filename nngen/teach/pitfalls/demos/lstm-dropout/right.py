import torch
from torch import nn

torch.manual_seed(0)
lstm, dropout = nn.LSTM(8, 100), nn.Dropout(0.5)
output, _ = lstm(torch.randn(20, 1, 8))
output = dropout(output)
zeros = (output == 0).float().mean().item()
print(f"{zeros=:.3f}")
