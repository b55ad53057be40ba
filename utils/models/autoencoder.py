"""A convolutional variational autoencoder (Kingma and Welling 2014), with a few numbers or a grid of them between."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Code(NamedTuple):
    """What the encoder says of an image, each (N, L) or (N, L, h, w): where its code lies, and how surely."""

    mean: Tensor
    log_variance: Tensor

    def sample(self, noise: Tensor | None = None) -> Tensor:
        """A code drawn from this normal distribution, in a way that gradients pass."""
        noise = torch.randn_like(self.mean) if noise is None else noise
        return self.mean + (0.5 * self.log_variance).exp() * noise

    def divergence(self) -> Tensor:
        """(N,): the Kullback–Leibler divergence from the standard normal distribution, in nats."""
        each = 0.5 * (self.log_variance.exp() + self.mean.square() - 1 - self.log_variance)
        return each.flatten(1).sum(1)


class VAE(nn.Module):
    """Images (N, 1, side, side) of 0 to 1 in; logits of the pixels and the code out.

    Two convolutions of stride 2 make a map of a quarter of the side. With `grid` each place of that map gets a code of
    its own, (N, L, h, w) with L = `latents`: a *latent grid*. Without it the whole image gets L numbers, (N, L).
    The decoder goes the same way back.
    """

    def __init__(self, side: int = 28, latents: int = 2, width: int = 16, grid: bool = False):
        super().__init__()
        self.latents, self.grid, small = latents, grid, side // 4
        self.shape = (2 * width, small, small)
        self.down = nn.Sequential(
            nn.Conv2d(1, width, 4, 2, 1), nn.ReLU(), nn.Conv2d(width, 2 * width, 4, 2, 1), nn.ReLU()
        )
        flat = 2 * width * small * small
        self.to_code = nn.Conv2d(2 * width, 2 * latents, 1) if grid else dense(flat, 128, 2 * latents)
        self.from_code = nn.Conv2d(latents, 2 * width, 1) if grid else dense(latents, 128, flat)
        self.up = nn.Sequential(
            nn.ReLU(), nn.ConvTranspose2d(2 * width, width, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(width, 1, 4, 2, 1)
        )

    def encode(self, images: Tensor) -> Code:
        seen = self.down(images)
        return Code(*self.to_code(seen if self.grid else seen.flatten(1)).chunk(2, 1))

    def decode(self, codes: Tensor) -> Tensor:
        """Codes (N, L), or (N, L, h, w) of a grid, in; logits of the pixels (N, 1, side, side) out."""
        return self.up(self.from_code(codes).view(-1, *self.shape))

    def forward(self, images: Tensor) -> tuple[Tensor, Code]:
        code = self.encode(images)
        return self.decode(code.sample() if self.training else code.mean), code


def dense(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """One hidden layer."""
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs))


class Bound(nn.Module):
    """What `fit` trains: a VAE whose output is, for each image, what the evidence bound is made of, in nats (N, 2).

    The first column says how badly the pixels are told, the second how far the code is from the standard normal.
    """

    def __init__(self, vae: VAE):
        super().__init__()
        self.vae = vae

    def forward(self, images: Tensor) -> Tensor:
        logits, code = self.vae(images)
        pixels = F.binary_cross_entropy_with_logits(logits, images, reduction="none").flatten(1).sum(1)
        return torch.stack([pixels, code.divergence()], 1)


def bound(parts: Tensor, _: Tensor) -> Tensor:
    """A loss for `fit`: the mean of what `Bound` gives, both columns added."""
    return parts.sum(1).mean()
