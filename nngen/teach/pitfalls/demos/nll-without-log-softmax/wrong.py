import torch
import torch.nn.functional as F

scores = torch.tensor([[4.0, 1.0, 1.0], [1.0, 4.0, 1.0]])
target = torch.tensor([0, 1])

of_probabilities = F.nll_loss(F.softmax(scores, dim=1), target).item()
of_scores = F.nll_loss(scores, target).item()
print(f"{of_probabilities=:.3f} {of_scores=:.3f}")
