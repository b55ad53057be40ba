"""A small U-Net (Ronneberger et al. 2015): a network that shrinks an image, grows it again, and has bridges between."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def double(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """Two 3×3 convolutions with their normalisation, the first with a stride: half the side, rounded up, for 2."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
        nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
    )  # fmt: skip


class UNet(nn.Module):
    """Images (N, 1, H, W) in, images of the same size out, whatever the size.

    Each level down halves the sides and doubles the channels. On the way up a map is enlarged, cut to the size of the
    map that it meets, and joined with it: that is a skip. With `skips=False` zeros take the skip's place, so that both
    versions have the same weights.
    """

    def __init__(self, channels: tuple[int, ...] = (8, 16, 32), skips: bool = True):
        super().__init__()
        self.skips = skips
        pairs = list(zip(channels, channels[1:], strict=False))
        self.first = double(1, channels[0])
        self.down = nn.ModuleList(double(above, below, stride=2) for above, below in pairs)
        self.up = nn.ModuleList(double(above + below, above) for above, below in reversed(pairs))
        self.last = nn.Conv2d(channels[0], 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        maps = [self.first(images)]  # (N, 8, H, W)
        for layer in self.down:
            maps.append(layer(maps[-1]))  # half as high and wide each time
        x = maps.pop()
        for layer in self.up:
            skip = maps.pop()
            x = layer(torch.cat([skip if self.skips else torch.zeros_like(skip), enlarged(x, skip)], 1))
        return self.last(x)


def enlarged(deep: Tensor, like: Tensor) -> Tensor:
    """Each value of a map (N, C, h, w) twice in both directions, cut to the sides of `like`."""
    height, width = like.shape[-2:]
    return F.interpolate(deep, scale_factor=2, mode="nearest")[..., :height, :width]
