import torch
from torch import nn
from torch.func import functional_call

torch.manual_seed(0)
model = nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 10, bias=False))
model[1].weight = model[0].weight  # tied
tokens = torch.tensor([1, 2, 3])
doubled = 2 * model[0].weight

output = functional_call(model, {"0.wieght": doubled}, tokens)
growth = (output.norm() / model(tokens).norm()).item()
print(f"{growth=:.1f}")
