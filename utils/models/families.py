"""A small network of each family of `lineage` for grey digits, all of about 30,000 parameters.

Grey images (N, 1, 28, 28) in, ten logits (N, 10) out. `maps` is what a network computes before it forgets where things
are, `head` what follows.
"""

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from utils.models.lineage import (
    AlexNetBlock,
    BasicBlock,
    ChannelNorm,
    ConvNeXtBlock,
    LeNetBlock,
    MBConv,
    VGGBlock,
    convolution,
)


class SmallNetwork(nn.Module):
    """Layers that keep a map (N, C, H, W), and what makes logits of it."""

    def __init__(self, maps: Sequence[nn.Module], head: Sequence[nn.Module]):
        super().__init__()
        self.maps, self.head = nn.Sequential(*maps), nn.Sequential(*head)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.maps(images))


def _mean_and_logits(channels: int) -> list[nn.Module]:
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10)]


def lenet() -> SmallNetwork:
    head = [nn.Flatten(), nn.Linear(16 * 4 * 4, 100), nn.Tanh(), nn.Linear(100, 10)]
    return SmallNetwork([LeNetBlock(1, 6), LeNetBlock(6, 16)], head)


def alexnet() -> SmallNetwork:
    first, second = AlexNetBlock(1, 16, 5, stride=2), AlexNetBlock(16, 40, groups=2)
    maps = [first, second, nn.Conv2d(40, 40, 3, padding=1), nn.ReLU()]
    return SmallNetwork(maps, [nn.Flatten(), nn.Dropout(), nn.Linear(40 * 2 * 2, 36), nn.ReLU(), nn.Linear(36, 10)])


def vgg() -> SmallNetwork:
    maps = [VGGBlock(1, 12, 2), VGGBlock(12, 20, 2), VGGBlock(20, 28, 2)]
    return SmallNetwork(maps, [nn.Flatten(), nn.Linear(28 * 3 * 3, 32), nn.ReLU(), nn.Linear(32, 10)])


def resnet() -> SmallNetwork:
    maps = [convolution(1, 12, 3), nn.ReLU(), BasicBlock(12, 12), BasicBlock(12, 22, 2), BasicBlock(22, 32, 2)]
    return SmallNetwork(maps, _mean_and_logits(32))


def efficientnet() -> SmallNetwork:
    maps = [convolution(1, 12, 3, 2), nn.SiLU(), MBConv(12, 16, 3, 1, 4), MBConv(16, 16), MBConv(16, 24, 5, 2)]
    return SmallNetwork([*maps, MBConv(24, 24, 5), convolution(24, 80, 1), nn.SiLU()], _mean_and_logits(80))


def convnext(scale: float = 1.0) -> SmallNetwork:
    """`scale` is what each branch is multiplied by at first: 1e-6 in the paper, which takes long to grow."""
    first, second = [ConvNeXtBlock(20) for _ in range(2)], [ConvNeXtBlock(40)]
    for block in [*first, *second]:
        nn.init.constant_(block.scale, scale)
    maps = [nn.Conv2d(1, 20, 2, 2), ChannelNorm(20), *first, ChannelNorm(20), nn.Conv2d(20, 40, 2, 2), *second]
    mean, flatten, logits = _mean_and_logits(40)
    return SmallNetwork(maps, [mean, flatten, nn.LayerNorm(40), logits])


FAMILIES: dict[str, Callable[[], SmallNetwork]] = {
    "LeNet (1998)": lenet,
    "AlexNet (2012)": alexnet,
    "VGG (2014)": vgg,
    "ResNet (2015)": resnet,
    "EfficientNet (2019)": efficientnet,
    "ConvNeXt (2022)": convnext,
}
"""In the order of their years."""
