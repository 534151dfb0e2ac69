import torch
import torch.nn.functional as F

torch.manual_seed(0)
log_q = F.log_softmax(torch.randn(4, 10), dim=1)
p = F.softmax(torch.randn(4, 10), dim=1)

loss = F.kl_div(log_q, p, reduction="batchmean").item()
by_definition = (p * (p.log() - log_q)).sum(dim=1).mean().item()
ratio = by_definition / loss
print(f"{loss=:.3f} {by_definition=:.3f} {ratio=:.1f}")
