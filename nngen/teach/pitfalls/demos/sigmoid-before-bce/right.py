import torch
import torch.nn.functional as F

score = torch.tensor([-200.0], requires_grad=True)
target = torch.tensor([1.0])

loss = F.binary_cross_entropy_with_logits(score, target)
loss.backward()
loss, gradient = loss.item(), score.grad.item()
print(f"{loss=:.1f} {gradient=:.1f}")
