"""Stacks of equal 3×3 layers that differ in their skips and their normalisation alone, for experiments on depth."""

import torch
from torch import Tensor, nn


class DeepBlock(nn.Module):
    """Two 3×3 convolutions with ReLU; with a skip, the input is added before the last ReLU (He et al. 2015).

    Maps (N, C, H, W) in and out. `scale` multiplies what is skipped: 1 is the paper's identity.
    """

    def __init__(self, channels: int, skip: bool = True, norm: bool = True, scale: float = 1.0):
        super().__init__()
        self.scale = scale if skip else None

        def layer() -> list[nn.Module]:
            convolution = nn.Conv2d(channels, channels, 3, padding=1, bias=not norm)
            return [convolution, nn.BatchNorm2d(channels)] if norm else [convolution]

        self.branch = nn.Sequential(*layer(), nn.ReLU(), *layer())

    def forward(self, x: Tensor) -> Tensor:
        if self.scale is None:
            return torch.relu(self.branch(x))
        return torch.relu(self.scale * x + self.branch(x))


class DeepCNN(nn.Module):
    """Grey images (N, 1, H, W) in, ten logits (N, 10) out: a stem, `layers` equal 3×3 layers in blocks of two, a head.

    The stem shrinks the image to a quarter of its side, so that a hundred layers are affordable. With `initial="he"`
    each 3×3 kernel is drawn as He et al. (2015, arXiv:1502.01852) do for layers with ReLU, and biases begin at zero;
    otherwise as PyTorch does, with a sixth of that variance. Raises ValueError for an odd number of layers.
    """

    def __init__(
        self,
        layers: int,
        channels: int = 16,
        skips: bool = True,
        norm: bool = True,
        scale: float = 1.0,
        initial: str = "torch",
    ):
        super().__init__()
        if layers < 2 or layers % 2:
            raise ValueError(
                f"DeepCNN(layers={layers}): a block has two layers, so their number is even and at least 2."
            )
        self.stem = nn.Sequential(
            nn.AvgPool2d(2),  # (N, 1, H / 2, W / 2)
            nn.Conv2d(1, channels, 3, stride=2, padding=1, bias=False),  # (N, C, H / 4, W / 4)
            nn.BatchNorm2d(channels),
            nn.ReLU(),
        )
        self.blocks = nn.Sequential(*(DeepBlock(channels, skips, norm, scale) for _ in range(layers // 2)))
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))
        if initial == "he":
            self.blocks.apply(_as_he_does)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.blocks(self.stem(images)))


def _as_he_does(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
