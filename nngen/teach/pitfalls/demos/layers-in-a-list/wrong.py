from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = [nn.Linear(8, 8) for _ in range(3)]

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


model = Model()
parameters = sum(p.numel() for p in model.parameters())
saved = len(model.state_dict())
print(f"{parameters=} {saved=}")
