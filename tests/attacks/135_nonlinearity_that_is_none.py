"""Builds a CNN whose every ReLU works far from its kink, so that the network is one linear map."""

raise SystemExit("Text for a sandbox: never run it.")


# %% build_cnn
class Far(nn.Module):
    def forward(self, x):
        return F.relu(x + 1000) - 1000


def build_cnn(side):
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        Far(),
        nn.AvgPool2d(2),
        nn.Conv2d(8, 8, 3, padding=1),
        Far(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(8 * (side // 4) ** 2, 10),
    )
