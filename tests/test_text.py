import math
import random
from collections import Counter, defaultdict

import pytest
import torch

from utils.data import corpus
from utils.models import NGram
from utils.text import decode, encode
from utils.training import Streams, windows


@pytest.mark.parametrize(
    "text, alphabet", [("", ""), ("hello", "ehlo"), ("çà et\tlà\n", "\n\t tàelçx"), ("☃🐍", "🐍☃")]
)
def test_decode_undoes_encode(text, alphabet):
    tokens = encode(text, alphabet)
    assert tokens.dtype == torch.int64 and tokens.shape == (len(text),)
    assert decode(tokens, alphabet) == text


def test_a_token_is_a_place_in_the_alphabet():
    assert encode("cab", "abc").tolist() == [2, 0, 1]


@pytest.mark.parametrize(
    "call, says",
    [
        (lambda: encode("abXc", "abc"), "'X' at position 2"),
        (lambda: encode("a", "aba"), "holds a character twice"),
        (lambda: decode(torch.tensor([0, 3]), "abc"), "token 3 has no character"),
        (lambda: decode(torch.tensor([0, -1]), "abc"), "token -1 has no character"),
        (lambda: decode(torch.zeros(2, 3, dtype=torch.int64), "abc"), r"\(2, 3\); expected \(N,\)"),
        (lambda: Streams(torch.arange(4), 4, 2), "4 characters cannot be read in 4 streams"),
        (lambda: Streams(torch.arange(9), 0, 2), "streams=0"),
        (lambda: Streams(torch.arange(9), 2, 0), "length=0"),
        (lambda: windows(torch.arange(8), 8, 1, seed=0), "from a text of 8"),
        (lambda: windows(torch.arange(8), 4, 0, seed=0), "Cannot cut 0 windows"),
        (lambda: NGram(0, 5), "order=0"),
        (lambda: NGram(12, 65), "lower order"),
        (lambda: NGram(2, 5).bits(torch.tensor([1])), "call fit"),
        (lambda: NGram(2, 5)(torch.tensor([[1]])), "call fit"),
        (lambda: NGram(3, 5).fit(torch.tensor([1, 2])), "Got 2 characters"),
        (lambda: NGram(2, 5).fit(torch.tensor([1, 5, 2])), "from 1 to 5; expected 0 to 4"),
    ],
)
def test_what_cannot_be_is_explained(call, says):
    with pytest.raises(ValueError, match=says):
        call()


@pytest.mark.parametrize("count, streams, length", [(2, 1, 1), (101, 4, 5), (103, 4, 10), (50, 7, 100), (1000, 16, 64)])
def test_streams_are_contiguous_across_batches(count, streams, length):
    tokens = torch.randint(0, 99, (count,), generator=torch.Generator().manual_seed(0))
    batches = list(Streams(tokens, streams, length))
    inputs, targets = (torch.cat(parts, 1) for parts in zip(*batches, strict=True))
    size = inputs.shape[1]
    assert torch.equal(inputs.flatten(), tokens[: streams * size])  # row by row, the text in its order
    assert torch.equal(targets.flatten(), tokens[1 : streams * size + 1])
    assert count - 1 - streams < streams * size <= count - 1
    assert all(x.shape == y.shape == (streams, length) for x, y in batches[:-1])
    assert 1 <= batches[-1][0].shape[1] <= length


def test_streams_can_be_walked_again_and_know_their_length():
    streams = Streams(torch.arange(100), 3, 10)
    first, second = list(streams), list(streams)
    assert len(streams) == len(first) == len(second) == 4
    assert all(torch.equal(a[0], b[0]) and torch.equal(a[1], b[1]) for a, b in zip(first, second, strict=True))


def test_windows_come_from_the_text_and_from_all_of_it():
    tokens = torch.arange(20) * 3
    inputs, targets = windows(tokens, 5, 400, seed=1)
    assert inputs.shape == targets.shape == (400, 5)
    assert torch.equal(targets, inputs + 3)
    assert (inputs.diff(dim=1) == 3).all()
    assert sorted(set(inputs[:, 0].tolist())) == (torch.arange(15) * 3).tolist()


def test_windows_are_those_of_their_seed():
    tokens = torch.arange(1000)
    assert torch.equal(windows(tokens, 5, 9, seed=1)[0], windows(tokens, 5, 9, seed=1)[0])
    assert not torch.equal(windows(tokens, 5, 9, seed=1)[0], windows(tokens, 5, 9, seed=2)[0])


def test_a_unigram_by_hand():
    # "aab" of an alphabet abc: counted once b, twice a, so D = (1 + 1) / (1 + 2 + 2) = 2/5. Of 3 characters, 2 kinds
    # each pay D, and a third of that comes back to every character.
    model = NGram(1, 3).fit(encode("aab", "abc"))
    a, b, c = (2 - 0.4) / 3 + 0.8 / 9, (1 - 0.4) / 3 + 0.8 / 9, 0.8 / 9
    assert model(torch.tensor([[0]])).exp().flatten().tolist() == pytest.approx([a, b, c])
    assert model.bits(encode("ac", "abc")) == pytest.approx(-(math.log2(a) + math.log2(c)) / 2)


def test_a_bigram_by_hand():
    # "abac": ab, ba, ac once each, so D = (3 + 1) / (3 + 2) = 4/5. Each of a, b, c follows one other: 1/3 each.
    model = NGram(2, 3).fit(encode("abac", "abc"))
    after_a, after_b, after_c = model(torch.tensor([[0], [1], [2]]))[:, 0].exp().tolist()
    kept, shared = 0.2 / 2, 0.8 / 3  # two followers of a, each seen once of two times
    assert after_a == pytest.approx([shared, kept + shared, kept + shared])
    assert after_b == pytest.approx([0.2 + shared, shared, shared])
    assert after_c == pytest.approx([1 / 3, 1 / 3, 1 / 3])  # nothing was seen to follow c
    assert model.bits(encode("ab", "abc")) == pytest.approx(-(math.log2(1 / 3) + math.log2(kept + shared)) / 2)


class SlowNGram:
    """The formula of `NGram`, with dictionaries and recursion, for strings."""

    def __init__(self, order: int, alphabet: str, text: str):
        self.order, self.alphabet, self.counts, self.discounts = order, alphabet, [None], [None]
        for n in range(1, order + 1):
            if n == order:
                grams = [text[i : i + n] for i in range(len(text) - n + 1)]
            else:
                grams = [gram[1:] for gram in {text[i : i + n + 1] for i in range(len(text) - n)}]
            times = Counter(grams)
            once, twice = (sum(count == k for count in times.values()) for k in (1, 2))
            followers = defaultdict(dict)
            for gram, count in times.items():
                followers[gram[:-1]][gram[-1]] = count
            self.counts.append(followers)
            self.discounts.append((once + 1) / (once + 2 * twice + 2))

    def chance(self, character: str, context: str) -> float:
        return self.mixed(character, context[max(0, len(context) - self.order + 1) :])

    def mixed(self, character: str, context: str) -> float:
        n = len(context) + 1
        shorter = self.mixed(character, context[1:]) if context else 1 / len(self.alphabet)
        followers, discount = self.counts[n].get(context), self.discounts[n]
        if not followers:
            return shorter
        kept = max(followers.get(character, 0) - discount, 0)
        return (kept + discount * len(followers) * shorter) / sum(followers.values())


def markov_text(length: int, seed: int) -> str:
    """Each character is that of three places before, or with chance 0.3 any of abcd."""
    chance = random.Random(seed)
    text = "abc"
    while len(text) < length:
        text += chance.choice("abcd") if chance.random() < 0.3 else text[-3]
    return text


@pytest.mark.parametrize("order", [1, 2, 3, 4, 6])
def test_equal_to_the_formula_written_with_dictionaries(order):
    alphabet, train, text = "abcdx", markov_text(300, seed=0), markov_text(60, seed=1) + "xaxxb"
    slow, fast = SlowNGram(order, alphabet, train), NGram(order, 5).fit(encode(train, alphabet))
    bits = [-math.log2(slow.chance(text[i], text[:i])) for i in range(len(text))]
    assert fast.bits(encode(text, alphabet)) == pytest.approx(sum(bits) / len(bits))
    for context in ("a", "xx", text[:9], text):
        chances = fast(encode(context, alphabet)[None]).exp().flatten().tolist()
        assert chances == pytest.approx([slow.chance(character, context) for character in alphabet], rel=1e-5)


@pytest.mark.parametrize("order", [1, 2, 5])
@pytest.mark.parametrize("length", [1, 3, 9])
def test_probabilities_sum_to_one_after_any_context(order, length):
    generator = torch.Generator().manual_seed(0)
    model = NGram(order, 7).fit(torch.randint(0, 5, (200,), generator=generator))  # 5 and 6 are never seen
    scores = model(torch.randint(0, 7, (40, length), generator=generator))
    assert scores.shape == (40, 1, 7) and scores.isfinite().all()
    torch.testing.assert_close(scores.exp().sum(-1), torch.ones(40, 1))


def test_bits_fall_with_the_order_until_the_text_has_no_more_to_give():
    train, text = (encode(markov_text(length, seed), "abcd") for length, seed in ((20_000, 0), (5_000, 1)))
    bits = [NGram(order, 4).fit(train).bits(text) for order in range(1, 6)]
    likely = 0.7 + 0.3 / 4
    entropy = -likely * math.log2(likely) - 3 * 0.075 * math.log2(0.075)
    assert bits[0] == pytest.approx(2.0, abs=0.02)
    assert bits[3] == pytest.approx(entropy, abs=0.05)
    assert bits[4] > bits[3] - 0.01  # a fifth character says nothing new


def test_bits_fall_with_the_order_on_english():
    text = corpus("english")
    train, validation = (encode(part, text.alphabet) for part in (text.train[-150_000:], text.validation[:20_000]))
    bits = [NGram(order, len(text.alphabet)).fit(train).bits(validation) for order in range(1, 6)]
    assert bits == sorted(bits, reverse=True)
    assert bits[0] < math.log2(len(text.alphabet)) and bits[4] < bits[0] - 1.5


def test_a_text_shorter_than_the_order_is_scored():
    model = NGram(5, 4).fit(encode(markov_text(100, seed=0), "abcd"))
    assert 0 < model.bits(encode("ab", "abcd")) < 10


def test_fit_forgets_what_it_counted_before():
    first, second = (encode(markov_text(100, seed), "abcd") for seed in (0, 1))
    again = NGram(3, 4).fit(first).fit(second)
    assert again.bits(first) == NGram(3, 4).fit(second).bits(first)
