"""One characteristic block of each of six families of CNNs, 1998 to 2022, as its paper has it.

Maps (N, C, H, W) in and out. Whole networks made of them are in `published`, small ones in `families`.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class LeNetBlock(nn.Module):
    """5×5 convolution, then subsampling: the sum of 2×2 units times a number, plus another one, through tanh.

    LeCun, Bottou, Bengio, Haffner 1998. `table` says for each output map which input maps it reads; all unless told.
    The paper's sigmoid is a scaled tanh.
    """

    def __init__(self, inputs: int, outputs: int, table: list[list[int]] | None = None):
        super().__init__()
        self.table = table
        if table is None:
            self.convolution = nn.Conv2d(inputs, outputs, 5)
        else:
            self.convolutions = nn.ModuleList(nn.Conv2d(len(maps), 1, 5) for maps in table)
        self.coefficient = nn.Parameter(torch.full((outputs, 1, 1), 0.25))
        self.bias = nn.Parameter(torch.zeros(outputs, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        if self.table is None:
            maps = self.convolution(x)  # (N, outputs, H − 4, W − 4)
        else:
            pairs = zip(self.convolutions, self.table, strict=True)
            maps = torch.cat([convolution(x[:, read]) for convolution, read in pairs], 1)
        sums = 4 * F.avg_pool2d(maps, 2)  # half as high and wide
        return torch.tanh(self.coefficient * sums + self.bias)


class AlexNetBlock(nn.Sequential):
    """A large kernel, ReLU, normalisation across neighbouring channels, overlapping max pooling.

    Krizhevsky, Sutskever, Hinton 2012. `groups=2` is how they split a layer over two GPUs.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int = 5, stride: int = 1, padding: int = 2, groups: int = 1):
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups),
            nn.ReLU(),
            nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2),  # torch divides alpha by the size, the paper does not
            nn.MaxPool2d(3, stride=2),
        )


class VGGBlock(nn.Sequential):
    """Several 3×3 layers with ReLU, then max pooling. Simonyan, Zisserman 2014."""

    def __init__(self, inputs: int, outputs: int, layers: int = 3):
        parts: list[nn.Module] = []
        for channels in [inputs] + [outputs] * (layers - 1):
            parts += [nn.Conv2d(channels, outputs, 3, padding=1), nn.ReLU()]
        super().__init__(*parts, nn.MaxPool2d(2))


def convolution(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """A convolution without bias that keeps the side at stride 1, and batch normalisation."""
    padding = kernel // 2
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False), nn.BatchNorm2d(outputs)
    )


class ResidualBlock(nn.Module):
    """relu(shortcut(x) + branch(x)), the shortcut a projection where the shapes differ. He, Zhang, Ren, Sun 2015."""

    def __init__(self, branch: nn.Module, inputs: int, outputs: int, stride: int):
        super().__init__()
        fits = inputs == outputs and stride == 1
        self.branch = branch
        self.shortcut = nn.Identity() if fits else convolution(inputs, outputs, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.shortcut(x) + self.branch(x))


class BasicBlock(ResidualBlock):
    """Two 3×3 layers: what ResNet-18 and ResNet-34 are made of."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1):
        branch = nn.Sequential(
            convolution(inputs, outputs, 3, stride), nn.ReLU(), convolution(outputs, outputs, 3)
        )  # fmt: skip
        super().__init__(branch, inputs, outputs, stride)


class Bottleneck(ResidualBlock):
    """1×1 to fewer channels, 3×3, 1×1 back to four times as many: what ResNet-50 and deeper ones are made of.

    The stride is in the first layer, as in the paper.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1):
        narrow = outputs // 4
        branch = nn.Sequential(
            convolution(inputs, narrow, 1, stride), nn.ReLU(),
            convolution(narrow, narrow, 3), nn.ReLU(),
            convolution(narrow, outputs, 1),
        )  # fmt: skip
        super().__init__(branch, inputs, outputs, stride)


class SqueezeExcitation(nn.Module):
    """Each channel times a number in (0, 1) that a small network makes of the means of all channels.

    Hu, Shen, Sun 2018. The mean is over the whole map: behind it, every unit depends on every pixel.
    """

    def __init__(self, channels: int, squeezed: int):
        super().__init__()
        self.squeeze, self.excite = nn.Conv2d(channels, squeezed, 1), nn.Conv2d(squeezed, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        means = F.adaptive_avg_pool2d(x, 1)  # (N, C, 1, 1)
        return x * torch.sigmoid(self.excite(F.silu(self.squeeze(means))))


class MBConv(nn.Module):
    """1×1 to `expand` times the channels, a depthwise layer, squeeze and excitation, 1×1 back without activation.

    Sandler et al. 2018 with Tan, Le 2019: an inverted bottleneck, wide in the middle. Input and output are added
    where they have the same shape.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, expand: int = 6):
        super().__init__()
        wide = expand * inputs
        widen = [convolution(inputs, wide, 1), nn.SiLU()] if expand > 1 else []
        self.branch = nn.Sequential(
            *widen,
            convolution(wide, wide, kernel, stride, groups=wide), nn.SiLU(),
            SqueezeExcitation(wide, max(1, inputs // 4)),
            convolution(wide, outputs, 1),
        )  # fmt: skip
        self.skip = inputs == outputs and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        return x + self.branch(x) if self.skip else self.branch(x)


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of each pixel of maps (N, C, H, W)."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ConvNeXtBlock(nn.Module):
    """Depthwise 7×7, layer norm, 1×1 to four times the channels, GELU, 1×1 back, times a small number for each channel.

    Liu et al. 2022: a transformer's block, with the depthwise layer where attention stood. (Dropping whole branches at
    random, which the paper does in training, is left out.)
    """

    def __init__(self, channels: int):
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv2d(channels, channels, 7, padding=3, groups=channels),
            ChannelNorm(channels, eps=1e-6),
            nn.Conv2d(channels, 4 * channels, 1),
            nn.GELU(),
            nn.Conv2d(4 * channels, channels, 1),
        )
        self.scale = nn.Parameter(torch.full((channels, 1, 1), 1e-6))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.scale * self.branch(x)
