"""What becomes of a gradient on its way down through a stack of blocks."""

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from utils.models.deep import DeepBlock, DeepCNN
from utils.modes import evaluation_mode


def gradient_norms(model: DeepCNN, images: Tensor, labels: Tensor) -> list[float]:
    """Norm of the loss's gradient at the output of the stem and of each block, input side first; that at the last is 1.

    Images (N, 1, H, W) and labels (N,). In training mode, as a training step would see it, and in double precision:
    a gradient of 1e-60 is 0 in single precision. The model is left as it was but for its running statistics.
    """
    dtype = next(model.parameters()).dtype
    model.double()
    maps = [model.stem(images.double()).detach().requires_grad_()]
    for block in model.blocks:
        maps.append(block(maps[-1]))
    gradients = torch.autograd.grad(F.cross_entropy(model.head(maps[-1]), labels), maps)
    model.to(dtype)
    norms = torch.stack([gradient.norm() for gradient in gradients])
    return (norms / norms[-1]).tolist()


def gradient_by_path_length(blocks: Iterable[nn.Module], x: Tensor, gradient: Tensor) -> Tensor:
    """The gradient at the input of residual blocks, taken apart by the number of branches that its paths go through.

    Each block multiplies a gradient by I + J, J the Jacobian of its branch (and by the mask of its last ReLU). The
    product over n blocks is a sum over 2ⁿ paths. Those through k branches are added up here, exactly and without a list
    of them: a new block sends what has k branches behind it on as it is, and through its branch to k + 1.

    Args:
        blocks: `DeepBlock`s with skips; measured in evaluation mode.
        x: their input (N, C, H, W).
        gradient: of some number by the output of the last block (N, C, H, W).

    Returns: (n + 1, N, C, H, W); their sum over the first axis is the whole gradient at x.
    Raises ValueError for other blocks.
    """
    stack, maps, found = nn.ModuleList(blocks), x.detach(), []
    with evaluation_mode(stack):
        for block in stack:
            if not isinstance(block, DeepBlock) or block.scale is None:
                raise ValueError(f"a block is {block}; expected a DeepBlock with a skip.")
            maps = maps.requires_grad_()
            branch = block.branch(maps)
            output = torch.relu(block.scale * maps + branch)
            found.append((maps, branch, (output > 0).to(x), block.scale))
            maps = output.detach()
        parts = gradient[None]
        for source, branch, mask, scale in reversed(found):
            parts = parts * mask
            (through,) = torch.autograd.grad(branch, source, parts, is_grads_batched=True)
            nothing = torch.zeros_like(parts[:1])
            parts = torch.cat([scale * parts, nothing]) + torch.cat([nothing, through])
    return parts
