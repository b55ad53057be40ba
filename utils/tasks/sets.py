"""Toy tasks on sets and on a path, whose answers are known."""

import torch
import torch.nn.functional as F
from torch import Tensor

KINDS, MEMBERS = 6, 8


def distinct(count: int, seed: int, ordered: bool) -> tuple[Tensor, Tensor]:
    """Sets of 8 symbols of 6 kinds, one-hot (count, 8, 6), and how many different kinds are among them (count,).

    `ordered` lists the symbols of each set by kind; otherwise their order is random. The sets themselves are the same.
    """
    draw = torch.Generator().manual_seed(seed)
    most = torch.randint(1, KINDS + 1, (count, 1), generator=draw)
    symbols = (torch.rand(count, MEMBERS, generator=draw) * most).long()
    names = torch.rand(count, KINDS, generator=draw).argsort(1)  # which kinds these are
    symbols = names.gather(1, symbols).sort(1).values
    if not ordered:
        symbols = symbols.gather(1, torch.rand(count, MEMBERS, generator=draw).argsort(1))
    one_hot = F.one_hot(symbols, KINDS)
    return one_hot.float(), one_hot.amax(1).sum(1)


def lights(count: int, seed: int, nodes: int = 16, steps: int = 3) -> tuple[Tensor, Tensor]:
    """Lamps on a path, a tenth of them on (count, nodes, 1), and whether one is on within `steps` of each node."""
    on = (torch.rand(count, nodes, generator=torch.Generator().manual_seed(seed)) < 0.1).float()
    near = F.max_pool1d(on[:, None], 2 * steps + 1, 1, steps)[:, 0]
    return on[..., None], near.long()
