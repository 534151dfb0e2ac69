import torch
import torch.nn.functional as F
from torch import nn


class SelfAttention(nn.Module):
    def forward(self, x):
        return F.scaled_dot_product_attention(x, x, x, dropout_p=0.1)


torch.manual_seed(0)
model = SelfAttention().eval()
x = torch.randn(2, 5, 8)  # (batch, tokens, features)
difference = (model(x) - model(x)).abs().max().item()
print(f"{difference=:.3f}")
