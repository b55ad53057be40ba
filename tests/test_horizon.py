import math

import pytest
import torch
from torch import nn

from utils.models import CharLSTM, NGram, Transformer
from utils.reach import context_horizon, horizon

V = 5


def noisy_text(count: int, distance: int, seed: int = 0) -> torch.Tensor:
    """Each character is that of `distance` places before, or with probability 0.2 any."""
    generator = torch.Generator().manual_seed(seed)
    text = torch.randint(0, V, (count,), generator=generator)
    for i in (torch.rand(count, generator=generator) > 0.2).nonzero().flatten().tolist():
        if i >= distance:
            text[i] = text[i - distance]
    return text


def copier(distance: int):
    """A model that knows one thing: what stood `distance` characters before comes again. Else it guesses."""

    def logits(tokens):
        out = torch.zeros(*tokens.shape, V)
        if tokens.shape[1] >= distance:
            known = tokens[:, : tokens.shape[1] - distance + 1]
            out[:, distance - 1 :].scatter_(2, known[..., None], 3.0)
        return out

    return logits


@pytest.mark.parametrize("distance", [1, 2, 4, 7])
def test_the_horizon_of_a_model_with_a_known_memory(distance):
    found = context_horizon(copier(distance), noisy_text(3000, distance), range(1, 11))
    assert found.horizon == distance
    assert all(bits == pytest.approx(math.log2(V)) for bits in found.bits[: distance - 1])
    assert all(bits == pytest.approx(found.best) for bits in found.bits[distance - 1 :])
    assert found.best < math.log2(V) - 0.5


@pytest.mark.parametrize("order", [2, 3, 5])
def test_the_horizon_of_an_n_gram_is_one_less_than_its_order(order):
    # The character 4 places before decides, and those 1 and 2 before help a little: every order has something to gain.
    text = noisy_text(40_000, 4)
    for i in range(2, len(text)):
        if i % 5 == 0:
            text[i] = text[i - 2] if i % 2 else text[i - 1]
    model = NGram(order, V).fit(text[:30_000])
    found = context_horizon(model, text[30_000:], (1, 2, 3, 4, 5, 8, 13), positions=4000)
    assert found.horizon == order - 1
    assert found.bits[order - 2 :] == (found.best,) * (9 - order)


def test_a_model_without_memory_has_the_smallest_length():
    found = context_horizon(lambda tokens: torch.zeros(*tokens.shape, V), noisy_text(500, 3), (1, 4, 16), positions=100)
    assert found.horizon == 1
    assert found.bits == pytest.approx((math.log2(V),) * 3)
    assert found.spread == pytest.approx((0, 0, 0), abs=1e-12)


def test_the_same_characters_are_predicted_at_every_length():
    unigram = torch.tensor([1.0, 0.5, 0.0, -1.0, -2.0])
    found = context_horizon(
        lambda tokens: unigram.expand(*tokens.shape, V), noisy_text(700, 3), (1, 9, 64), positions=99
    )
    assert found.bits[0] == found.bits[1] == found.bits[2]
    assert found.spread[0] > 0 and found.excess_spread == (0, 0, 0)


def test_loss_and_spread_equal_a_plain_loop():
    torch.manual_seed(0)
    model, text = CharLSTM(V, 8).eval(), noisy_text(60, 2)
    found = context_horizon(model, text, (3, 10), positions=50)  # every place from 10 on
    for entry, length in enumerate((3, 10)):
        losses = []
        for place in range(10, 60):
            logits, _ = model(text[None, place - length : place])
            losses.append(-logits[0, -1].log_softmax(-1)[text[place]].item() / math.log(2))
        losses = torch.tensor(losses, dtype=torch.float64)
        assert found.bits[entry] == pytest.approx(losses.mean().item(), rel=1e-5)
        assert found.spread[entry] == pytest.approx(losses.std().item() / 50**0.5, rel=1e-4)


def test_each_prediction_reads_exactly_its_context(monkeypatch):
    seen = []

    def spy(tokens):
        seen.append(tokens)
        return torch.zeros(*tokens.shape, 200)

    monkeypatch.setattr(horizon, "CHUNK", 40)
    context_horizon(spy, torch.arange(200), (1, 7), positions=20)
    one, seven = (torch.cat([x for x in seen if x.shape[1] == length]) for length in (1, 7))
    assert one.shape == (20, 1) and seven.shape == (20, 7)
    assert torch.equal(one[:, 0], seven[:, -1])  # both end just before the same character
    assert seven[0].tolist() == list(range(7)) and seven[-1].tolist() == list(range(192, 199))
    assert (one.diff(dim=0) > 0).all()  # no place twice
    assert max(x.numel() for x in seen) <= 40


@pytest.mark.parametrize("chunk", [1, 100])
def test_reading_in_chunks_changes_nothing(monkeypatch, chunk):
    torch.manual_seed(0)
    model, text = CharLSTM(V, 8), noisy_text(100, 2)
    whole = context_horizon(model, text, (2, 30), positions=60)
    monkeypatch.setattr(horizon, "CHUNK", chunk)
    assert context_horizon(model, text, (2, 30), positions=60).bits == pytest.approx(whole.bits)


def test_a_larger_tolerance_brings_the_horizon_nearer():
    def slowly_surer(tokens):  # the character 4 places before decides; each further one makes the model surer of it
        return copier(4)(tokens) * (1 - 0.7 ** tokens.shape[1])

    text = noisy_text(2000, 4)
    horizons = [
        context_horizon(slowly_surer, text, range(1, 20), tolerance=tolerance).horizon
        for tolerance in (0, 0.01, 0.2, 5)
    ]
    assert horizons[0] > horizons[1] > horizons[2] >= 4
    assert horizons[3] == 1


def test_a_transformer_sees_no_further_than_it_is_shown():
    torch.manual_seed(0)
    model = Transformer(V, 16, 2, 2)
    nn.init.normal_(model.blocks[0].attention.out.weight)
    found = context_horizon(model, noisy_text(300, 3), (1, 2, 3), positions=200)
    assert len(set(found.bits)) == 3  # each further character changes what it says


def test_the_model_is_measured_in_evaluation_mode_and_left_as_it_was():
    model = nn.Sequential(nn.Embedding(V, V), nn.Dropout(0.5)).train()
    first, second = (context_horizon(model, noisy_text(300, 3), (1, 2), positions=200) for _ in range(2))
    assert first == second and model.training and model[1].training
    assert all(p.grad is None for p in model.parameters())


def uniform(tokens):
    return torch.zeros(*tokens.shape, V)


@pytest.mark.parametrize(
    "change, error, says",
    [
        (dict(lengths=()), ValueError, "expected whole numbers that rise"),
        (dict(lengths=(0, 1)), ValueError, "first at least 1"),
        (dict(lengths=(1, 4, 2)), ValueError, "that rise"),
        (dict(lengths=(1, 4, 4)), ValueError, "that rise"),
        (dict(lengths=(1.5, 2)), TypeError, "integer"),
        (dict(lengths=(1, 150)), ValueError, "N at least 250"),
        (dict(positions=1), ValueError, "positions=1"),
        (dict(tolerance=-0.1), ValueError, "tolerance=-0.1"),
        (dict(text="to be or not"), TypeError, "utils.text.encode"),
        (dict(text=torch.zeros(2, 200, dtype=torch.int64)), ValueError, r"expected \(N,\)"),
        (dict(model=lambda tokens: torch.zeros(len(tokens), V)), TypeError, r"expected \(B, T, V\)"),
        (dict(model=lambda tokens: "logits"), TypeError, "gave a str"),
        (dict(model=lambda tokens: uniform(tokens) + math.nan), ValueError, "not finite"),
        (
            dict(model=lambda tokens: torch.tensor([0.0] + [-math.inf] * 4).expand(*tokens.shape, V)),
            ValueError,
            "probability 0",
        ),
    ],
)
def test_what_cannot_be_measured_is_explained(change, error, says):
    call = dict(model=uniform, text=noisy_text(200, 3), lengths=(1, 4), positions=100) | change
    with pytest.raises(error, match=says):
        context_horizon(**call)
