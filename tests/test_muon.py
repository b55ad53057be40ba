"""Muon against what a singular value decomposition says, and which weights it is given."""

import math

import pytest
import torch
from torch import nn

from utils.models import CharLSTM, Transformer, cnn
from utils.training import Batches, Muon, count_parameters, fit, seed_everything
from utils.training.fit import one_cycle, optimizers_of
from utils.training.muon import hidden_matrices, orthogonal, parts, whole


@pytest.mark.parametrize("shape", [(3, 16, 16), (1, 48, 12), (2, 12, 48)])
def test_singular_values_come_near_one_and_directions_stay(shape):
    seed_everything(0)
    matrices = torch.randn(shape)
    left, _, right = torch.linalg.svd(matrices, full_matrices=False)
    result = orthogonal(matrices)
    values = left.mT @ result @ right.mT
    assert result.shape == shape
    torch.testing.assert_close(values, torch.diag_embed(values.diagonal(dim1=1, dim2=2)), rtol=0, atol=1e-3)
    assert (values.diagonal(dim1=1, dim2=2) > 0.2).all() and (values.diagonal(dim1=1, dim2=2) < 1.3).all()


def test_a_gradient_of_zero_moves_nothing():
    assert torch.equal(orthogonal(torch.zeros(1, 4, 4)), torch.zeros(1, 4, 4))


@pytest.mark.parametrize(
    "shape, seen",
    [
        ((4, 6), (1, 4, 6)),
        ((6, 6), (1, 6, 6)),
        ((24, 6), (4, 6, 6)),  # gates of an LSTM
        ((6, 24), (4, 6, 6)),  # the way back from four times the width
        ((30, 6), (1, 30, 6)),
        ((8, 3, 5, 5), (1, 8, 75)),  # kernels
    ],
)
def test_what_counts_as_one_matrix(shape, seen):
    matrix = torch.arange(math.prod(shape)).view(shape)
    split = parts(matrix.flatten(1))
    assert split.shape == seen
    if seen[1] == seen[2]:
        assert torch.equal(split[0], matrix[:6, :6])
    assert torch.equal(whole(split, matrix.shape), matrix)


def test_a_step_is_equally_long_in_each_direction_whatever_the_gradient():
    weights = [nn.Parameter(torch.zeros(4, 4)) for _ in range(2)]
    steep = torch.diag(torch.tensor([100.0, 90.0, 80.0, 70.0]))
    weights[0].grad, weights[1].grad = steep, steep / 1e4
    Muon(weights, lr=0.1).step()
    torch.testing.assert_close(weights[0], weights[1], rtol=1e-2, atol=1e-3)
    assert ((-weights[0].diagonal() > 0.05) & (-weights[0].diagonal() < 0.13)).all()


def test_a_tall_matrix_steps_further_and_decay_pulls_to_zero():
    tall, wide = nn.Parameter(torch.zeros(30, 6)), nn.Parameter(torch.zeros(6, 30))
    tall.grad = torch.randn(30, 6)
    wide.grad = tall.grad.mT.clone()
    Muon([tall, wide], lr=0.1).step()
    torch.testing.assert_close(tall, wide.mT * 5**0.5, rtol=1e-3, atol=1e-4)

    still = nn.Parameter(torch.ones(2, 2))
    still.grad = torch.zeros(2, 2)
    Muon([still], lr=0.1, weight_decay=0.5).step()
    torch.testing.assert_close(still, torch.full((2, 2), 0.95))


def test_momentum_keeps_what_came_before():
    weight = nn.Parameter(torch.zeros(2, 2))
    optimizer = Muon([weight], lr=0.1, momentum=0.9)
    weight.grad = torch.eye(2)
    optimizer.step()
    before = weight.detach().clone()
    weight.grad = torch.zeros(2, 2)
    optimizer.step()
    assert (weight.diagonal() < before.diagonal() - 0.05).all()


def test_embeddings_and_the_last_layer_are_not_hidden():
    lstm = CharLSTM(65, 8)
    assert {id(p) for p in hidden_matrices(lstm)} == {id(lstm.lstm.weight_ih_l0), id(lstm.lstm.weight_hh_l0)}
    transformer = Transformer(65, 8, 2, 2, lookback=3)
    assert sum(p.numel() for p in hidden_matrices(transformer)) == 2 * 12 * 8 * 8
    assert [tuple(p.shape) for p in hidden_matrices(cnn())] == [(16, 1, 5, 5), (48, 16, 5, 5)]


def test_each_weight_has_one_optimizer():
    model = cnn()
    adamw, muon = optimizers_of(model, 0.01, (0.9, 0.95), 0.05, muon=0.1)
    groups = [[p for group in optimizer.param_groups for p in group["params"]] for optimizer in (adamw, muon)]
    assert sum(p.numel() for group in groups for p in group) == count_parameters(model)
    assert isinstance(muon, Muon) and muon.param_groups[0]["lr"] == 0.1
    assert len(optimizers_of(nn.Linear(2, 2), 0.01, (0.9, 0.95), 0.05, muon=0.1)) == 1  # nothing is hidden


def test_fit_learns_with_it():
    seed_everything(0)
    points = torch.randn(512, 2)
    labels = (points[:, 0] * points[:, 1] > 0).long()  # no line separates these
    batches = Batches(points, labels, size=32, shuffle=True)
    model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 2))
    history = fit(model, batches, batches, epochs=8, muon=0.05, label="")
    assert history.best > 0.95


@pytest.mark.parametrize("fall", ["cos", "linear"])
def test_both_optimizers_follow_one_cycle(fall):
    for optimizer, peak in zip(optimizers_of(cnn(), 0.01, (0.9, 0.95), 0.05, muon=0.1), (0.01, 0.1), strict=True):
        schedule, rates = one_cycle(optimizer, 100, fall), []
        for _ in range(100):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            schedule.step()
        assert max(rates) == pytest.approx(peak) and rates.index(max(rates)) == 29 and rates[-1] < peak / 1000
        assert rates[64] == pytest.approx(peak / 2, rel=0.05)  # half way down
