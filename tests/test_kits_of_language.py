"""The kits of exercises about text: what is said of random draws, and models whose behaviour is known."""

import math

import pytest
import torch
import torch.nn.functional as F

from utils.checking import draws
from utils.checking.language import Echo, Rated, Summing

# --- draws ----------------------------------------------------------------------------------------------------------

P = torch.tensor([0.6, 0.25, 0.1, 0.05])
TOKENS = torch.multinomial(P, 1000, replacement=True, generator=torch.Generator().manual_seed(0))
RUNS = TOKENS.view(100, 10).tolist()


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("p", [P, torch.full((8,), 1 / 8), torch.tensor([0.998, 0.001, 0.001])])
def test_right_draws_are_right(p, seed):
    tokens = torch.multinomial(p, 1000, replacement=True, generator=torch.Generator().manual_seed(seed))
    runs = tokens.view(100, 10).tolist()
    assert draws.misdrawn(runs, p) is None
    assert draws.likest(runs, {"right": (7 * p, p)}) == "right"


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ([RUNS[0]] * 100, "seed"),
        ([[0] * 10] * 100, "got 1.000, 0.000, 0.000, 0.000"),
        (
            [[3 - token for token in run] for run in RUNS],
            "1000 draws expected shares of about 0.600, 0.250, 0.100, 0.050",
        ),
        ([sorted(run) for run in RUNS], "100 first draws of a call"),
        (TOKENS.sort().values.view(100, 10).tolist(), "the same as the one before"),
    ],
    ids=["seeded", "one token alone", "upside down", "first ones differ", "in order"],
)
def test_wrong_draws_are_described(runs, said):
    assert said in draws.misdrawn(runs, P)


def test_draws_are_like_the_nearest_shares_and_like_none_that_are_far():
    blind = torch.ones(4)
    assert draws.likest(RUNS, {"blind": (blind, blind), "squared": (P**2, P**2)}) == ""
    assert draws.likest(RUNS, {"near": (P, P**0.95), "right": (3 * P, P), "far": (P, blind)}) == "right"


def test_the_first_draws_may_follow_shares_of_their_own():
    runs = [[3, *run] for run in RUNS]
    one = torch.tensor([0.0, 0, 0, 1])
    assert draws.likest(runs, {"all": (P, P), "the first ones apart": (one, P)}) == "the first ones apart"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("abc", "a string"),
        (torch.zeros(1, 3), "a tensor of shape (1, 3)"),
        ([0.5, 1, 2], "0.5"),
        ([torch.tensor([1, 2])] * 3, "a list with"),
        ([1, 2], "Expected 3 new tokens, got 2"),
        ([1, 2, 4], "from 0 to 3; among yours is 4"),
    ],
)
def test_what_is_no_list_of_tokens_is_said(given, said):
    assert said in draws.malformed(draws.ask(lambda: given, 2), 3, 4)


@pytest.mark.parametrize(
    "kind", [list, tuple, torch.tensor, lambda tokens: [torch.tensor([token]) for token in tokens]]
)
def test_tokens_may_come_in_whatever_holds_whole_numbers(kind):
    assert draws.ask(lambda: kind([1, 0, 2]), 2) == [[1, 0, 2]] * 2
    assert draws.malformed([[1, 0, 2]] * 2, 3, 4) is None
    assert draws.ask(lambda: None, 2) is None


# --- models whose behaviour is known --------------------------------------------------------------------------------

TEXT = torch.tensor([[0, 1, 2, 2, 1, 0]])
MODELS = [Summing(torch.zeros(3), 90.0), Echo(3, torch.tensor([0.5, 0.0, 2.0])), Rated(torch.tensor([3.0, 2.0, 1.0]))]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_a_text_in_two_pieces_is_read_as_the_whole(model):
    whole, _ = model(TEXT)
    first, state = model(TEXT[:, :2])
    rest, _ = model(TEXT[:, 2:], state)
    assert torch.equal(torch.cat([first, rest], 1), whole)


def test_summing_leaves_no_choice_where_there_is_a_gap():
    logits, _ = Summing(torch.zeros(5), 90.0)(torch.tensor([[1, 1, 4]]))
    assert logits.argmax(-1).tolist() == [[2, 3, 2]]
    assert torch.equal(Summing(torch.arange(5.0), 0.0)(TEXT)[0][0, 3], torch.arange(5.0))


def test_summing_may_leave_a_choice_of_a_few():
    p = Summing(torch.zeros(5), 90.0, choices=2)(torch.tensor([[1, 2]]))[0].softmax(-1)
    assert torch.equal(p[0].round(decimals=6), torch.tensor([[0, 0, 0.5, 0.5, 0], [0.5, 0, 0, 0, 0.5]]))


def test_echo_has_the_memory_that_it_claims():
    echo, changed = MODELS[1], TEXT.clone()
    changed[0, 2] = 0  # four characters before the end: out of reach of the last logits, within that of the others
    whole, other = echo(TEXT)[0], echo(changed)[0]
    assert torch.equal(whole[0, 5], other[0, 5])
    assert not torch.equal(whole[0, 4], other[0, 4])


def test_a_rated_model_has_the_loss_that_it_claims():
    zeros = torch.zeros(2, 4, dtype=torch.int64)
    logits, _ = MODELS[2](zeros)
    bits = F.cross_entropy(logits.flatten(0, 1), zeros.flatten(), reduction="none") / math.log(2)
    assert bits.tolist() == pytest.approx([3, 2, 1, 1] * 2)
