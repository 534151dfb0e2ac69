import torch
import torch.nn.functional as F

scores = torch.tensor([[200.0, 0.0]], requires_grad=True)
log_probabilities = F.log_softmax(scores, dim=1)

loss = F.nll_loss(log_probabilities, torch.tensor([1]))
loss.backward()
loss, gradient = loss.item(), scores.grad[0, 1].item()
print(f"{loss=:.1f} {gradient=:.1f}")
