import torch
import torch.nn.functional as F

out = torch.rand(2, 16, 24, 24)
out = F.max_pool2d(out)
shape = tuple(out.shape)
print(f"{shape=}")
