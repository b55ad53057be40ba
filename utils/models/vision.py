"""A small vision transformer (Dosovitskiy et al. 2021), behind patches or a convolutional stem (Xiao et al. 2021)."""

from torch import Tensor, nn

from utils.models.text import Transformer


def patches(width: int, side: int = 4) -> nn.Sequential:
    """Patches of side × side pixels, each a vector: a convolution whose stride is its kernel."""
    return nn.Sequential(nn.Conv2d(1, width, side, side), nn.BatchNorm2d(width))


def stem(width: int) -> nn.Sequential:
    """As many vectors as `patches` of side 4, made by two 3×3 layers of stride 2, so that neighbours overlap."""
    return nn.Sequential(
        nn.Conv2d(1, width // 4, 3, 2, 1, bias=False), nn.BatchNorm2d(width // 4), nn.ReLU(),
        nn.Conv2d(width // 4, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width),
    )  # fmt: skip


class SmallViT(nn.Module):
    """Images (N, 1, H, W) in, ten logits (N, 10) out: a front, layers in which every position reads all, a mean.

    `front` makes maps (N, width, h, w) of the images. Their positions are read row by row.
    """

    def __init__(self, front: nn.Module, width: int = 32, heads: int = 2, layers: int = 2):
        super().__init__()
        self.front, self.transformer = front, Transformer(10, width, heads, layers, causal=False)
        del self.transformer.embedding  # of tokens: there are none

    def forward(self, images: Tensor) -> Tensor:
        vectors = self.front(images).flatten(2).transpose(1, 2)  # (N, width, h, w) to (N, h · w, width)
        return self.transformer.read(vectors).mean(1)  # (N, h · w, 10) to (N, 10)
