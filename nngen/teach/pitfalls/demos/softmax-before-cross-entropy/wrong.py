import torch
import torch.nn.functional as F


def loss(scores, target):
    return F.cross_entropy(F.softmax(scores, dim=1), target)


perfect3 = loss(100 * torch.eye(3), torch.arange(3)).item()
perfect10 = loss(100 * torch.eye(10), torch.arange(10)).item()

mistaken = torch.tensor([[100.0, 0.0, 0.0]], requires_grad=True)
loss(mistaken, torch.tensor([1])).backward()
gradient = mistaken.grad.abs().max().item()
print(f"{perfect3=:.3f} {perfect10=:.3f} {gradient=:.3f}")
