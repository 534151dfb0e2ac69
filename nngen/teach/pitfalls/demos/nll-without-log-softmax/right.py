import torch
import torch.nn.functional as F

scores = torch.tensor([[4.0, 1.0, 1.0], [1.0, 4.0, 1.0]])
target = torch.tensor([0, 1])

loss = F.nll_loss(F.log_softmax(scores, dim=1), target).item()
cross_entropy = F.cross_entropy(scores, target).item()
print(f"{loss=:.3f} {cross_entropy=:.3f}")
