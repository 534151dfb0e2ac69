import torch
import torch.nn.functional as F

torch.manual_seed(0)
scores = torch.randn(2, 3, 4)  # (batch, words, classes)
probabilities = F.softmax(scores, dim=-1)

of_one_word = probabilities[0, 0].sum().item()
of_one_class = probabilities[:, 0, 0].sum().item()
print(f"{of_one_word=:.3f} {of_one_class=:.3f}")
