import torch
import torch.nn.functional as F

torch.manual_seed(0)
scores, target = torch.randn(3, 5, requires_grad=True), torch.tensor([1, 0, 4])

loss = F.cross_entropy(F.log_softmax(scores, dim=1), target)
loss.backward()
loss, gradient = loss.item(), scores.grad.abs().max().item()
print(f"{loss=:.4f} {gradient=:.4f}")
