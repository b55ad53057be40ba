"""Whole networks as their papers have them, made of the blocks of `lineage`, to hold against published counts.

Built on the "meta" device, where tensors have shapes and no numbers, they take no memory:
`with torch.device("meta"): resnet(50)`. Colour images (N, 3, H, W) in, logits (N, 1000) out; of LeNet grey ones.
"""

from collections.abc import Sequence

from torch import nn

from utils.models.lineage import (
    AlexNetBlock,
    BasicBlock,
    Bottleneck,
    ChannelNorm,
    ConvNeXtBlock,
    LeNetBlock,
    MBConv,
    VGGBlock,
    convolution,
)

Stage = tuple[int, int]  # channels, repeats

# Which of the six maps below each of the sixteen maps of layer C3 reads (table I of the paper, column by column).
LENET_TABLE = [
    *([start, (start + 1) % 6, (start + 2) % 6] for start in range(6)),
    *([(start + step) % 6 for step in range(4)] for start in range(6)),
    *([start, start + 1, (start + 3) % 6, (start + 4) % 6] for start in range(3)),
    [0, 1, 2, 3, 4, 5],
]  # fmt: skip


def lenet_5() -> nn.Sequential:
    """Grey images (N, 1, 32, 32) in, the 84 units of F6 out; the ten outputs behind them had fixed weights."""
    return nn.Sequential(
        LeNetBlock(1, 6), LeNetBlock(6, 16, LENET_TABLE), nn.Conv2d(16, 120, 5), nn.Tanh(), nn.Flatten(),
        nn.Linear(120, 84), nn.Tanh(),
    )  # fmt: skip


def alexnet() -> nn.Sequential:
    """Images of side 227: the paper's 224 does not fit its own numbers."""
    return nn.Sequential(
        AlexNetBlock(3, 96, 11, stride=4, padding=0), AlexNetBlock(96, 256, 5, groups=2),
        nn.Conv2d(256, 384, 3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 384, 3, padding=1, groups=2), nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1, groups=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        *_dense_layers(256 * 6 * 6),
    )  # fmt: skip


def vgg_16() -> nn.Sequential:
    """Images of side 224."""
    return nn.Sequential(
        VGGBlock(3, 64, 2), VGGBlock(64, 128, 2), VGGBlock(128, 256), VGGBlock(256, 512), VGGBlock(512, 512),
        *_dense_layers(512 * 7 * 7),
    )  # fmt: skip


def _dense_layers(inputs: int) -> list[nn.Module]:
    first, second = (nn.Linear(inputs, 4096), nn.ReLU(), nn.Dropout()), (nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout())
    return [nn.Flatten(), *first, *second, nn.Linear(4096, 1000)]


RESNETS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


def resnet(depth: int) -> nn.Sequential:
    """Images of side 224. Depth 18 or 34 with basic blocks, 50, 101 or 152 with bottlenecks."""
    block, factor = (BasicBlock, 1) if depth < 50 else (Bottleneck, 4)
    blocks, inputs = [], 64
    for stage, repeats in enumerate(RESNETS[depth]):
        outputs = 64 * 2**stage * factor
        for number in range(repeats):
            blocks.append(block(inputs, outputs, 2 if stage and number == 0 else 1))
            inputs = outputs
    return nn.Sequential(convolution(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1), *blocks, *_mean_and_logits(inputs))


EFFICIENTNETS: dict[str, tuple[list[Stage], int]] = {
    "B0": ([(32, 1), (16, 1), (24, 2), (40, 2), (80, 3), (112, 3), (192, 4), (320, 1), (1280, 1)], 224),
    "B1": ([(32, 1), (16, 2), (24, 3), (40, 3), (80, 4), (112, 4), (192, 5), (320, 2), (1280, 1)], 240),
    "B2": ([(32, 1), (16, 2), (24, 3), (48, 3), (88, 4), (120, 4), (208, 5), (352, 2), (1408, 1)], 260),
    "B3": ([(40, 1), (24, 2), (32, 3), (48, 3), (96, 5), (136, 5), (232, 6), (384, 2), (1536, 1)], 300),
}
"""Channels and repeats of the stem, seven stages of MBConv and the last 1×1 layer; and the side of the image."""


def efficientnet(stages: Sequence[Stage] = EFFICIENTNETS["B0"][0]) -> nn.Sequential:
    """EfficientNet with nine stages of any width and depth; the stem and the last layer are there once."""
    (inputs, _), *middle, (last, _) = stages
    layers: list[nn.Module] = [convolution(3, inputs, 3, 2), nn.SiLU()]
    for (outputs, repeats), kernel, stride in zip(middle, (3, 3, 5, 3, 5, 5, 3), (1, 2, 2, 2, 1, 2, 1), strict=True):
        for number in range(repeats):
            expand = 1 if len(layers) < 2 + middle[0][1] else 6  # the first stage does not expand
            layers.append(MBConv(inputs, outputs, kernel, stride if number == 0 else 1, expand))
            inputs = outputs
    return nn.Sequential(*layers, convolution(inputs, last, 1), nn.SiLU(), *_mean_and_logits(last))


def convnext(widths: Sequence[int] = (96, 192, 384, 768), depths: Sequence[int] = (3, 3, 9, 3)) -> nn.Sequential:
    """ConvNeXt, the tiny one unless told otherwise. Images of side 224."""
    layers: list[nn.Module] = [nn.Conv2d(3, widths[0], 4, 4), ChannelNorm(widths[0])]
    for stage, (channels, blocks) in enumerate(zip(widths, depths, strict=True)):
        if stage:
            layers += [ChannelNorm(widths[stage - 1]), nn.Conv2d(widths[stage - 1], channels, 2, 2)]
        layers += [ConvNeXtBlock(channels) for _ in range(blocks)]
    mean, flatten, logits = _mean_and_logits(widths[-1])
    return nn.Sequential(*layers, mean, flatten, nn.LayerNorm(widths[-1]), logits)


def _mean_and_logits(channels: int) -> list[nn.Module]:
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 1000)]
