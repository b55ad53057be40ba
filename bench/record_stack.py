"""`python -m bench.record_stack`: how many open brackets fit into a state, for lesson 05.

Networks of several widths learn to say the next bracket of strings that are nested up to eight deep. A bracket that has
to be closed was held while others were opened on top of it: the accuracy is given by how many were open on top at most.
One core, three seeds; some minutes. Writes docs/recorded/, which the lesson draws.
"""

import argparse
import sys

import torch
from torch import Tensor

from bench.machine import prepare
from bench.recording import record
from utils.models.recurrent import ElmanNetwork
from utils.paths import RECORDED
from utils.tasks.languages import BRACKETS, brackets
from utils.training import Batches, fit, seed_everything

RECORD = RECORDED / "brackets_in_a_state.json"
WIDTHS, SEEDS, DEEPEST, LENGTH = (2, 4, 8, 16, 32), (0, 1, 2), 8, 60


def piled_up(tokens: Tensor, distances: Tensor) -> Tensor:
    """For each closing bracket, how many others were open on top of it at most: (N, T), 0 where one opens."""
    depth = torch.where(tokens % 2 == 0, 1, -1).cumsum(1)  # after each place
    piles = torch.zeros_like(tokens)
    for row, place in distances.nonzero().tolist():
        begin = place - int(distances[row, place])
        piles[row, place] = depth[row, begin : place + 1].max() - depth[row, begin]
    return piles


def trained(width: int, seed: int, strings: int, epochs: float) -> ElmanNetwork:
    """A network that has learned to say the next bracket."""
    seed_everything(seed)
    network = ElmanNetwork(len(BRACKETS), width)
    tokens, unseen = brackets(strings, LENGTH, 1, DEEPEST)[0], brackets(300, LENGTH, 2, DEEPEST)[0]
    fit(
        network,
        Batches(tokens[:, :-1], tokens[:, 1:], 32, shuffle=True, seed=seed),
        Batches(unseen[:, :-1], unseen[:, 1:]),
        epochs=epochs,
        clip=1.0,
        metric="bits per character",
        label=f"{width} units, seed {seed}",
    )
    return network


@torch.no_grad()
def accuracies(network: ElmanNetwork, tokens: Tensor, distances: Tensor, piles: Tensor) -> list[float]:
    """How often the right kind is closed, with 0, 1, … brackets on top of it at most."""
    logits = network(tokens[:, :-1])[0]
    right = (logits[..., 3] > logits[..., 1]) == (tokens[:, 1:] == 3)
    closing, piles = distances[:, 1:] > 0, piles[:, 1:]
    return [round(right[closing & (piles == pile)].float().mean().item(), 4) for pile in range(DEEPEST)]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strings", type=int, default=4000, help="that each network is trained on")
    parser.add_argument("--epochs", type=float, default=12)
    wanted = parser.parse_args(arguments)
    prepare()
    tokens, distances = brackets(3000, LENGTH, 3, DEEPEST)
    piles = piled_up(tokens, distances)
    runs = {}
    for width in WIDTHS:
        networks = [trained(width, seed, wanted.strings, wanted.epochs) for seed in SEEDS]
        runs[str(width)] = [accuracies(network, tokens, distances, piles) for network in networks]
    record(RECORD, "record_stack", **vars(wanted), deepest=DEEPEST, length=LENGTH, by_pile=runs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
