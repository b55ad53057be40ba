import math
from collections import Counter

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from utils.models import Cache, CharLSTM, NGram, Transformer, generate
from utils.models.text import Attention, rotate
from utils.reach import influence
from utils.text import encode
from utils.training import Batches, Streams, count_parameters, cross_entropy, evaluate, fit, seed_everything

V = 11


def tokens(*shape: int) -> torch.Tensor:
    return torch.randint(0, V, shape, generator=torch.Generator().manual_seed(5))


def lstm(width: int = 16) -> CharLSTM:
    seed_everything(0)
    return CharLSTM(V, width)


def transformer(heads: int = 2, layers: int = 2, width: int = 16, lookback: int = 0) -> Transformer:
    """With weights at random: a new one has zeros, with which much would hold for no good reason."""
    seed_everything(0)
    model = Transformer(V, width, heads, layers, lookback=lookback)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.5)
    return model


# --- the LSTM


@pytest.mark.parametrize("width, embedding, embedded", [(16, None, 16), (16, 5, 5)])
def test_parameters_of_the_lstm_counted_by_hand(width, embedding, embedded):
    gates = 4 * (width * embedded + width * width + 2 * width)
    logits = width * V + V
    assert count_parameters(CharLSTM(V, width, embedding)) == V * embedded + gates + logits


def test_the_lstm_reads_two_pieces_with_the_state_as_one():
    model, text = lstm(), tokens(3, 20)
    whole, end = model(text)
    first, state = model(text[:, :7])
    second, after = model(text[:, 7:], state)
    torch.testing.assert_close(torch.cat([first, second], 1), whole)
    torch.testing.assert_close(after, end)
    assert whole.shape == (3, 20, V) and all(part.shape == (1, 3, 16) for part in state)
    assert not torch.allclose(model(text[:, 7:])[0], second)  # without the state it is another reading


def test_the_lstm_reads_characters_one_by_one_as_all_at_once_and_learns_the_same():
    model, text = lstm(), tokens(3, 6)
    whole, end = model(text)
    whole.sum().backward()
    learned = [p.grad.clone() for p in model.parameters()]
    model.zero_grad()
    logits, state = [], None
    for character in text.split(1, 1):
        one, state = model(character, state)
        logits.append(one)
    torch.cat(logits, 1).sum().backward()
    torch.testing.assert_close(torch.cat(logits, 1), whole)
    torch.testing.assert_close(state, end)
    torch.testing.assert_close([p.grad for p in model.parameters()], learned)


class Recorded(nn.Module):
    """A CharLSTM that writes down each state that it was given, and in which mode."""

    def __init__(self):
        super().__init__()
        self.model, self.given = lstm(), []

    def forward(self, text, state=None):
        self.given.append((self.training, state))
        return self.model(text, state)


def test_training_carries_the_state_detached_and_starts_each_pass_without():
    model = Recorded()
    train = Streams(tokens(4 * 30 + 1), streams=4, length=10)  # 3 batches a pass
    fit(model, train, Streams(tokens(50), 2, 10), epochs=2, validations=3, metric="bits per character")
    training = [state for mode, state in model.given if mode]
    assert [state is not None for state in training] == [False, True, True, False, True, True]
    carried = [part for state in training if state for part in state]
    assert all(part.grad_fn is None and not part.requires_grad for part in carried)
    assert all(part.abs().sum() > 0 for part in carried)


def test_no_gradient_crosses_from_one_batch_to_the_one_before():
    model = lstm()
    first, second = Streams(tokens(21), 1, 10)
    used = set(second[0].flatten().tolist())

    class OnlyTheSecond:  # of the loss: the first batch is read, but nothing is asked of it
        calls = 0

        def __call__(self, logits, targets):
            OnlyTheSecond.calls += 1
            return cross_entropy(logits, targets) * (OnlyTheSecond.calls == 2)

    before = model.embedding.weight.detach().clone()
    fit(model, Streams(tokens(21), 1, 10), Batches(*second), loss=OnlyTheSecond(), validations=1, weight_decay=0.0)
    changed = (model.embedding.weight != before).any(1).nonzero().flatten().tolist()
    only_first = set(first[0].flatten().tolist()) - used
    assert only_first and set(changed) == used


def test_validation_has_a_state_of_its_own():
    model = Recorded()
    streams = Streams(tokens(61), 2, 10)
    bits = evaluate(model, streams, "bits per character")
    assert [state is None for _, state in model.given] == [True, False, False]
    whole = model.model(streams.inputs)[0]
    assert bits == pytest.approx(cross_entropy(whole, streams.targets).item() / math.log(2), rel=1e-5)


def test_windows_in_any_order_are_each_read_without_a_state():
    model = Recorded()
    data = Batches(tokens(12, 9)[:, :-1], tokens(12, 9)[:, 1:], size=4, shuffle=True)
    fit(model, data, data, epochs=2, metric="bits per character")
    assert len(model.given) > 6 and all(state is None for _, state in model.given)


# --- the transformer


@pytest.mark.parametrize("width, heads, layers", [(16, 2, 2), (24, 3, 1), (8, 1, 4)])
def test_parameters_of_the_transformer_counted_by_hand(width, heads, layers):
    block = 3 * width * width + width * width + 2 * 4 * width * width + 2 * width
    expected = V * width + layers * block + width + width * V
    model = Transformer(V, width, heads, layers)
    assert count_parameters(model) == expected == 2 * V * width + layers * (12 * width**2 + 2 * width) + width


@pytest.mark.parametrize("width, heads", [(16, 3), (6, 2)])
def test_heads_that_cannot_be_are_explained(width, heads):
    with pytest.raises(ValueError, match=f"width that {2 * heads} divides"):
        Transformer(V, width, heads, 1)


def test_no_position_sees_what_comes_after_it():
    model, text = transformer(), tokens(2, 12)
    changed = text.clone()
    changed[:, 7:] = (changed[:, 7:] + 1) % V
    before, after = model(text), model(changed)
    assert before.shape == (2, 12, V)
    torch.testing.assert_close(before[:, :7], after[:, :7])
    assert not torch.isclose(before[:, 7:], after[:, 7:]).all(-1).any()


def test_with_lookback_a_new_transformer_hears_just_the_characters_before():
    model = Transformer(V, 16, 2, 2, lookback=3)
    assert count_parameters(model) == count_parameters(Transformer(V, 16, 2, 2)) + 3 * 16
    reach = influence(model.read, model.embedding(tokens(2, 9)))
    band = torch.ones(9, 9).tril().triu(-3).bool()
    assert (reach[band] > 0).all() and (reach[~band] == 0).all()


def test_lookback_adds_each_earlier_vector_times_its_factor():
    model, vectors = transformer(lookback=2), torch.randn(3, 7, 16)
    mixed = model.with_those_before(vectors)
    by_hand = vectors[:, 4] + vectors[:, 3] * model.before[0] + vectors[:, 2] * model.before[1]
    torch.testing.assert_close(mixed[:, 4], by_hand)
    torch.testing.assert_close(mixed[:, 0], vectors[:, 0])


def test_with_lookback_pieces_read_through_a_cache_are_the_whole():
    model, text = transformer(lookback=3), tokens(2, 11)
    read, cache = model.reader(), Cache()
    pieces = [read(piece) for piece in text.split([5, 1, 1, 4], 1)]
    torch.testing.assert_close(torch.cat(pieces, 1), model(text))
    model(text, cache)
    assert cache.bytes == (2 * 2 * 2 * 11 + 2 * 3) * 16 * 4  # two layers of keys and values, and three vectors


@pytest.mark.parametrize("model", [lstm(), transformer(), transformer(lookback=2)])
def test_influence_reaches_back_to_the_start_and_never_ahead(model):
    reach = influence(model.read, model.embedding(tokens(2, 9)))
    assert reach.shape == (9, 9)
    assert (reach.triu(1) == 0).all() and (reach[torch.ones(9, 9).tril().bool()] > 0).all()


def test_without_causal_every_position_sees_all():
    seed_everything(0)
    model = Transformer(V, 16, 2, 1, causal=False)
    nn.init.normal_(model.blocks[0].attention.out.weight)
    assert (influence(model.read, model.embedding(tokens(2, 9))) > 0).all()
    maps = model.attention(tokens(2, 9))
    assert (maps > 0).all()
    torch.testing.assert_close(maps.sum(-1), torch.ones(1, 2, 2, 9))


@pytest.mark.parametrize("model", [lstm(), transformer()])
def test_mixed_precision_says_about_the_same(model):
    def logits():
        output = model(tokens(2, 9))
        return (output[0] if isinstance(output, tuple) else output).float()

    exact = logits()
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(logits(), exact, rtol=0.1, atol=0.1 * exact.std().item())


def unturned(positions: int, half: int) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.ones(positions, half), torch.zeros(positions, half)


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_attention_equals_torch_with_copied_weights(heads):
    seed_everything(0)
    ours, theirs = Attention(16, heads), nn.MultiheadAttention(16, heads, bias=False, batch_first=True)
    nn.init.normal_(ours.out.weight)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(ours.qkv.weight)
        theirs.out_proj.weight.copy_(ours.out.weight)
    x = torch.randn(3, 10, 16)
    hidden = torch.ones(10, 10, dtype=torch.bool).triu(1)
    expected, expected_weights = theirs(x, x, x, attn_mask=hidden, average_attn_weights=False)
    torch.testing.assert_close(ours(x, unturned(10, 8 // heads)), expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(ours.weights(x, unturned(10, 8 // heads)), expected_weights, rtol=1e-4, atol=1e-5)


def test_attention_equals_scaled_dot_product_attention_of_turned_queries_and_keys():
    model = transformer(heads=2)
    attention, x = model.blocks[0].attention, torch.randn(3, 10, 16)
    rotation = model.rotation(x)
    q, k, v = ((x @ part.T).view(3, 10, 2, 8).transpose(1, 2) for part in attention.qkv.weight.chunk(3, 0))
    z = F.scaled_dot_product_attention(rotate(q, *rotation), rotate(k, *rotation), v, is_causal=True)
    expected = z.transpose(1, 2).reshape(3, 10, 16) @ attention.out.weight.T
    torch.testing.assert_close(attention(x, rotation), expected, rtol=1e-4, atol=1e-4)


def test_rotary_products_depend_on_the_distance_alone():
    model = transformer(heads=2)
    q, k = torch.randn(2, 8)
    cosine, sine = model.rotation(torch.zeros(1, 50, 16))
    products = rotate(q.expand(50, 8), cosine, sine) @ rotate(k.expand(50, 8), cosine, sine).T
    for distance in (-20, -1, 0, 3, 30):
        diagonal = products.diagonal(distance)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal), rtol=1e-4, atol=1e-4)
    assert products[0].std() > 0.01  # and on the distance they do depend
    turned = rotate(q.expand(50, 8), cosine, sine)
    torch.testing.assert_close(turned.norm(dim=1), q.norm().expand(50))
    torch.testing.assert_close(turned[0], q)  # position 0 is not turned
    expected = torch.tensor([1.0, 0.1, 0.01, 0.001])  # radians a character, from 1 down to nearly 1 in 10,000
    torch.testing.assert_close(torch.atan2(sine[1], cosine[1]), expected)


def test_attention_maps_are_causal_and_hold_shares():
    model, text = transformer(heads=2, layers=3), tokens(4, 9)
    maps = model.attention(text)
    assert maps.shape == (3, 4, 2, 9, 9)
    torch.testing.assert_close(maps.sum(-1), torch.ones(3, 4, 2, 9))
    assert (maps.triu(1) == 0).all() and not maps.requires_grad


def test_attention_maps_are_those_that_the_model_uses():
    model, text = transformer(heads=2, layers=2), tokens(1, 9)
    seen = []
    last = model.blocks[1]
    last.attention.register_forward_hook(lambda module, args, out: seen.append((args, out)))
    maps = model.attention(text)
    (x, rotation, _), out = seen[0]
    values = last.attention.project(x, rotation)[2]
    mixed = (maps[1] @ values).transpose(1, 2).flatten(2)
    torch.testing.assert_close(last.attention.out(mixed), out, rtol=1e-4, atol=1e-4)


def test_a_new_transformer_adds_nothing_to_the_embedding_and_yet_learns_everywhere():
    seed_everything(0)
    model, text = Transformer(V, 16, 2, 2), tokens(8, 20)
    torch.testing.assert_close(model(text), model.head(model.norm(model.embedding(text))))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    data = Batches(text, text.roll(1, 1), size=4)
    fit(model, data, data, epochs=3, weight_decay=0.0)
    assert all((value != before[name]).any() for name, value in model.state_dict().items())


@pytest.mark.parametrize("pieces", [[1] * 14, [5, 1, 1, 7], [1, 6, 7], [14]])
def test_reading_with_a_cache_equals_reading_at_once(pieces):
    model, text, cache = transformer(layers=3), tokens(2, 14), Cache()
    parts, seen = [], 0
    for piece in text.split(pieces, 1):
        assert len(cache) == seen
        parts.append(model(piece, cache))
        seen += piece.shape[1]
    torch.testing.assert_close(torch.cat(parts, 1), model(text), rtol=1e-4, atol=1e-4)
    assert cache.bytes == 3 * 2 * (2 * 14 * 16) * 4  # layers, keys and values, numbers of each, bytes of a float32


# --- both


def next_of_counting(text: torch.Tensor) -> torch.Tensor:
    """Certain that the character after n is n + 1."""
    return 1000.0 * F.one_hot((text + 1) % V, V)


@pytest.mark.parametrize("model", [lstm(), transformer()])
@pytest.mark.parametrize("temperature", [0, 0.8, 2.0])
def test_generation_that_remembers_equals_generation_that_reads_anew(model, temperature):
    def run(**options):
        generator = torch.Generator().manual_seed(3)
        return generate(model, tokens(6), 30, temperature, generator, **options)

    remembered = run()
    assert remembered.shape == (30,) and remembered.dtype == torch.int64
    assert torch.equal(remembered, run(context=36))
    assert torch.equal(remembered, run())  # the generator's seed decides


def test_a_context_hides_what_came_before_it():
    seen = []

    def spy(text):
        seen.append(text[0].tolist())
        return next_of_counting(text)

    generate(spy, torch.tensor([1, 2, 3, 4]), 4, context=3)
    assert seen == [[2, 3, 4], [3, 4, 5], [4, 5, 6], [5, 6, 7]]


@pytest.mark.parametrize("model", [lstm(), transformer()])
def test_with_a_context_nothing_is_remembered(model):
    one, other = tokens(12), tokens(12).clone()
    other[:7] = (other[:7] + 1) % V
    texts = [generate(model, prompt, 40, 0, context=5) for prompt in (one, other)]
    assert torch.equal(*texts)


def test_generation_continues_the_prompt():
    assert generate(next_of_counting, torch.tensor([3, 4]), 5, 1.0).tolist() == [5, 6, 7, 8, 9]
    assert generate(next_of_counting, torch.tensor([3]), 0).tolist() == []


def test_an_n_gram_generates_too():
    model = NGram(3, 3).fit(encode("abc" * 200, "abc"))
    assert generate(model, torch.tensor([0, 1]), 4, 0).tolist() == [2, 0, 1, 2]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_characters_come_as_often_as_the_temperature_says(temperature):
    logits = torch.tensor([2.0, 1.0, 0.0, -1.0])
    drawn = generate(
        lambda text: logits.expand(*text.shape, 4),
        torch.tensor([0]),
        4000,
        temperature,
        torch.Generator().manual_seed(0),
        context=1,
    )
    counts = Counter(drawn.tolist())
    expected = (logits / temperature).softmax(-1)
    for token, probability in enumerate(expected.tolist()):
        assert counts[token] / 4000 == pytest.approx(probability, abs=4 * (probability / 4000) ** 0.5)


def test_at_temperature_zero_the_likeliest_comes():
    logits = torch.tensor([0.0, 0.01, 0.0])
    drawn = generate(lambda text: logits.expand(*text.shape, 3), torch.tensor([0]), 50, temperature=0)
    assert drawn.tolist() == [1] * 50


@pytest.mark.parametrize(
    "change, says",
    [
        (dict(prompt=torch.tensor([], dtype=torch.int64)), "at least one character"),
        (dict(prompt=tokens(2, 3)), r"\(2, 3\)"),
        (dict(count=-1), "count=-1"),
        (dict(temperature=-0.5), "temperature=-0.5"),
        (dict(context=0), "context=0"),
    ],
)
def test_what_cannot_be_generated_is_explained(change, says):
    with pytest.raises(ValueError, match=says):
        generate(**(dict(model=lstm(), prompt=tokens(3), count=2) | change))


@pytest.mark.parametrize("build", [lambda: CharLSTM(4, 24), lambda: Transformer(4, 16, 2, 1)])
def test_fit_trains_both_in_bits_per_character(build):
    seed_everything(0)
    text = encode("abacabad" * 100, "abcd")  # after an a, only what came two places before tells b from c and d
    streams = Streams(text, 8, 20)
    model = build()
    history = fit(model, streams, streams, epochs=20, lr=0.02, clip=1.0, metric="bits per character")
    assert evaluate(model, streams, "bits per character") == pytest.approx(history.best)
    assert history.best < 0.4 < NGram(2, 4).fit(text).bits(text)


def test_a_carried_state_tells_what_a_short_batch_cannot():
    text = encode("abacabad" * 100, "abcd")  # every second time, one has to know what came before the batch
    in_order = Streams(text, 8, 2)
    apart = Batches(text[:-1].unfold(0, 2, 1), text[1:].unfold(0, 2, 1), size=8)

    def bits(data, epochs):
        seed_everything(0)
        model = CharLSTM(4, 16)
        return fit(model, data, data, epochs=epochs, lr=0.03, metric="bits per character", validations=1).best

    assert bits(in_order, epochs=10) < 0.4
    assert bits(apart, epochs=4) == pytest.approx(0.5, abs=0.05)  # all that two characters can tell
