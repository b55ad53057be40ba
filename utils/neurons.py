"""Cells of a recurrent network that keep track of something: the search, and the controls that it needs.

Everything is searched on the first half of a passage and reported on the second. A strength is signed, from -1 to 1,
and 0 at chance: for a property that is true or false it is 2 AUROC - 1, for a number it is the correlation.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from sklearn.linear_model import Ridge
from torch import Tensor

from utils.models import CharLSTM

STEPS = 512  # whose gates are computed at a time: for all of 7,000 at once the peak was 250 MB higher


@torch.no_grad()
def cells_of(model: CharLSTM, halves: Tensor) -> Tensor:
    """The cell c of a one-layer LSTM after each character of tokens (2, T), read from empty states: (2, T, H).

    PyTorch returns the states h of all steps and the last cell alone. But from all h follow all gates, in one product.
    """
    x, lstm = model.embedding(halves), model.lstm
    h, _ = lstm(x)  # (2, T, H)
    before = F.pad(h[:, :-1], (0, 0, 1, 0))  # the state that each step has met
    cells, c = torch.empty_like(h), torch.zeros_like(h[:, 0])
    for steps in torch.arange(halves.shape[1]).split(STEPS):
        gates = F.linear(x[:, steps], *lstm.all_weights[0][::2])
        gates += F.linear(before[:, steps], *lstm.all_weights[0][1::2])
        i, f, g, _ = gates.chunk(4, -1)
        kept, written = f.sigmoid(), i.sigmoid() * g.tanh()
        for t, step in enumerate(steps):
            c = kept[:, t] * c + written[:, t]
            cells[:, step] = c
    return cells


@dataclass(frozen=True)
class Found:
    """A cell, and how strongly it tells the property: above 0 it is high where the property is."""

    cell: int
    strength: float  # on the second half
    picked: float  # on the first half, on which it was the best of all


class Search:
    """The values of all cells in both halves of a passage, (2, N, H), to be searched for several properties.

    Cells of a trained network hardly ever tie, so their ranks are taken without sharing.
    """

    def __init__(self, cells: Tensor):
        self.standard = _standardised(cells)
        self.ranks = torch.stack([_ranks(half) for half in cells])  # one at a time: sorting takes four times its memory

    def strengths(self, half: int, values: Tensor) -> Tensor:
        """The signed strength of each cell (H,) for a property (N,), bool or numbers."""
        if values.dtype != torch.bool:
            return (self.standard[half].T @ _standardised(values.float()[:, None])[:, 0]) / len(values)
        few, many = values.sum(), (~values).sum()
        mean_rank = self.ranks[half].T @ (values / few)  # whole sums of ranks would be too large for float32
        area = (mean_rank - (few + 1) / 2) / many
        return 2 * area - 1

    def best(self, values: Tensor) -> Found:
        """The cell that tells a property (2, N) best on the first half, and what it is worth on the second."""
        first = self.strengths(0, values[0]).nan_to_num()
        cell = int(first.abs().argmax())
        return Found(cell, float(self.strengths(1, values[1])[cell]), float(first[cell]))

    def by_luck(self, values: Tensor, times: int = 20, closest: int = 500) -> list[Found]:
        """The same search from start to end with the property shifted along the text, by at least `closest` characters.

        That keeps the long runs of both, and breaks the link between them.
        """
        amounts = torch.randint(closest, values.shape[1] - closest, (times,)).tolist()
        return [self.best(values.roll(by, 1)) for by in amounts]


def probe(features: Tensor, values: Tensor) -> float:
    """The size of the strength of a linear readout of all features (2, N, H) together, fitted on the first half."""
    linear = Ridge(1.0).fit(features[0], values[0].float())
    read = torch.as_tensor(linear.predict(features[1])).float()[:, None]
    read = read + 1e-4 * torch.randn(read.shape)  # breaks ties
    return abs(float(Search(read.expand(2, -1, -1)).strengths(1, values[1])[0]))


def _ranks(values: Tensor) -> Tensor:
    """The rank of each value (N, H) among those of its column, from 1."""
    columns = values.T.contiguous()  # (H, N): sorting is fastest along the last axis
    ranks = torch.arange(1.0, 1 + len(values)).expand_as(columns)
    return torch.empty_like(columns).scatter_(1, columns.argsort(1), ranks).T


def _standardised(values: Tensor) -> Tensor:
    """Mean 0 and deviation 1 along the places, the second last axis; a constant gives nan."""
    centred = values - values.mean(-2, keepdim=True)
    return centred / centred.square().mean(-2, keepdim=True).sqrt()
