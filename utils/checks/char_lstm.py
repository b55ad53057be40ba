"""Exercises of lesson 08: streams of batches, a step of truncated BPTT, generation, the horizon, AUROC of cells.

The middle three answers use a model, so they are asked through a function that runs beside them and comes back with
plain facts: numbers, weights, tokens. The models there are small ones whose behaviour is known.
"""

import math
from collections.abc import Callable
from itertools import combinations, pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from utils.checking import exercise, normal
from utils.checking.compare import difference
from utils.checking.describe import describe, indent, number
from utils.checking.plain import to_plain, type_name

BIT = math.log(2)  # one bit is ln 2 nats

# --- 8.1 streams of batches ---------------------------------------------------------------------------------------


@exercise(
    lesson="08",
    points=2,
    hint="Encode the text once. Cut the numbers into `streams` rows of equal length, and the same numbers one character later into the rows of the targets. Then walk along both, `length` columns at a time.",
)
def stream_batches(text, alphabet, streams, length):
    return _pair(*_rows(_encode(text, alphabet), streams), length)


def _encode(text: str, alphabet: str) -> Tensor:
    return torch.tensor([alphabet.index(character) for character in text])


def _rows(tokens: Tensor, streams: int, shift: int = 1) -> list[Tensor]:
    """The inputs and the targets, each with one row for each stream."""
    each = (len(tokens) - 1) // streams
    return [tokens.roll(-by)[: streams * each].reshape(streams, each) for by in (0, shift)]


def _pair(inputs: Tensor, targets: Tensor, length: int) -> list[tuple[Tensor, Tensor]]:
    return list(zip(inputs.split(length, 1), targets.split(length, 1), strict=True))


@stream_batches.cases
def _(rng):
    yield "abcdefghijklm", "abcdefghijklm", 2, 3
    yield "to be or not", " benort", 2, 2
    for case in range(8):
        streams, length, steps = int(rng.integers(2, 4)), int(rng.integers(2, 5)), int(rng.integers(2, 4))
        each = steps * length + int(rng.integers(0, length)) * (case % 2)
        letters = rng.permutation(list("acdeghiklmnoprstuvw.,!"))
        count = streams * each + 1 + int(rng.integers(0, streams))
        yield "".join(rng.choice(letters[:12], count)), "".join(sorted(letters)), streams, length


@stream_batches.expect
def _(value, *case):
    expected = to_plain(stream_batches.reference(*case))
    if not isinstance(value, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in value):
        return f"Expected a list of {len(expected)} pairs (inputs, targets), got {describe(value)}."
    for place, pairs in enumerate(zip(expected, value, strict=False), start=1):
        for name, want, have in zip(("inputs", "targets"), *pairs, strict=True):
            if found := difference(want, have):
                both = f"expected\n{indent(describe(want))}\ngot\n{indent(describe(have))}"
                return f"Batch {place}, {name}: {found}\n{both}"
    return None if len(value) == len(expected) else f"Expected {len(expected)} batches, got {len(value)}."


@stream_batches.mistake(
    "The targets are the inputs themselves. The model is asked for the *next* character: take the text one character later."
)
def target_not_shifted(text, alphabet, streams, length):
    inputs, _ = _rows(_encode(text, alphabet), streams)
    return _pair(inputs, inputs, length)


@stream_batches.mistake(
    "The targets are the characters *before* the inputs, which the model has just read. Shift the other way."
)
def shifted_the_wrong_way(text, alphabet, streams, length):
    return _pair(*_rows(_encode(text, alphabet), streams, shift=-1), length)


@stream_batches.mistake(
    "The targets are two characters ahead: one was skipped. After the input at place i comes the target at place i + 1."
)
def shifted_by_two(text, alphabet, streams, length):
    return _pair(*_rows(_encode(text, alphabet), streams, shift=2), length)


@stream_batches.mistake(
    "The last target of each row is the row's own first character: you shifted inside a batch, and it came round. Shift the whole text before you cut it."
)
def shifted_inside_the_batch(text, alphabet, streams, length):
    inputs, _ = _rows(_encode(text, alphabet), streams)
    return [(piece, piece.roll(-1, 1)) for piece in inputs.split(length, 1)]


@stream_batches.mistake(
    "The last target of each stream is the stream's own first character: you shifted the rows, and they came round. Shift the text before you cut it into rows."
)
def shifted_inside_the_stream(text, alphabet, streams, length):
    inputs, _ = _rows(_encode(text, alphabet), streams)
    return _pair(inputs, inputs.roll(-1, 1), length)


@stream_batches.mistake(
    "Batch and time are swapped. A batch has one row for each stream and one column for each step: (streams, length)."
)
def batch_and_time_swapped(text, alphabet, streams, length):
    return [(inputs.T, targets.T) for inputs, targets in stream_batches.reference(text, alphabet, streams, length)]


@stream_batches.mistake(
    "Neighbouring characters went to different streams. Each stream is a piece of running text: reshape to (streams, each), not to (each, streams) and then transposed."
)
def dealt_like_cards(text, alphabet, streams, length):
    tokens = _encode(text, alphabet)
    each = (len(tokens) - 1) // streams
    rows = [part[: streams * each].reshape(each, streams).T for part in (tokens, tokens[1:])]
    return _pair(*rows, length)


@stream_batches.mistake(
    "Row b of a batch does not go on in row b of the next one: you filled each batch from top to bottom with running text. Then the state that a row leaves behind belongs to another row's text."
)
def rows_do_not_continue(text, alphabet, streams, length):
    tokens = _encode(text, alphabet)
    steps = (len(tokens) - 1) // streams // length
    cut = [part[: steps * streams * length].reshape(steps, streams, length) for part in (tokens, tokens[1:])]
    return list(zip(*cut, strict=True))


@stream_batches.mistake(
    "Your windows overlap: each begins one character after the one before. The state already stands at the end of a window, so the next one begins where it ended."
)
def windows_overlap(text, alphabet, streams, length):
    rows = _rows(_encode(text, alphabet), streams)
    starts = range(rows[0].shape[1] - length + 1)
    return [tuple(row[:, start : start + length] for row in rows) for start in starts]


@stream_batches.mistake(
    "You took each character's code (ord). The model has one score for each character of the alphabet: a token is the character's place there, from 0."
)
def code_points(text, alphabet, streams, length):
    tokens = torch.tensor([ord(character) for character in text])
    return _pair(*_rows(tokens, streams), length)


@stream_batches.mistake(
    "You made an alphabet of your own from this text. Use the one that is given: it also holds characters that this text does not have."
)
def alphabet_of_its_own(text, alphabet, streams, length):
    return stream_batches.reference(text, "".join(sorted(set(text))), streams, length)


@stream_batches.mistake("You counted the places in the alphabet from 1. The first one is 0.")
def counted_from_one(text, alphabet, streams, length):
    return [(inputs + 1, targets + 1) for inputs, targets in stream_batches.reference(text, alphabet, streams, length)]


@stream_batches.mistake(
    "You made one-hot vectors. The model wants the numbers themselves; its embedding does the rest.",
)
def one_hot_vectors(text, alphabet, streams, length):
    pairs = stream_batches.reference(text, alphabet, streams, length)
    return [(F.one_hot(inputs, len(alphabet)), targets) for inputs, targets in pairs]


@stream_batches.mistake(
    "You cut rows of N // B characters and took the targets out of the rows, so the last character of a row has no target. Cut rows of (N − 1) // B characters, and the targets from the whole text."
)
def targets_end_with_the_row(text, alphabet, streams, length):
    tokens = _encode(text, alphabet)
    each = len(tokens) // streams
    rows = tokens[: streams * each].reshape(streams, each)
    return [(rows[:, i : i + length], rows[:, i + 1 : i + length + 1]) for i in range(0, each - 1, length)]


@stream_batches.mistake(
    "The rest of the streams is missing: where `length` does not divide them, the last batch is shorter, and it counts too."
)
def short_rest_dropped(text, alphabet, streams, length):
    pairs = stream_batches.reference(text, alphabet, streams, length)
    return [pair for pair in pairs if pair[0].shape[1] == length]


@stream_batches.mistake("The last batch is missing, though it is a whole one. Your range ends one step too early.")
def last_batch_missing(text, alphabet, streams, length):
    return stream_batches.reference(text, alphabet, streams, length)[:-1]


# --- 8.2 a step of truncated backpropagation through time -----------------------------------------------------------


@exercise(
    lesson="08",
    points=3,
    hint="Clear the gradients, run the model on the inputs *and the state*, take the mean loss, backward, step. Hand out the loss in bits, and the state cut off from its past: `.detach()` on each part.",
)
def truncated_step(model, optimizer, inputs, targets, state):
    scores, state = model(inputs, state)
    loss = _cross_entropy(scores, targets)
    return _update(optimizer, loss) / BIT, _detached(state)


def _cross_entropy(scores: Tensor, targets: Tensor, reduction: str = "mean") -> Tensor:
    return F.cross_entropy(scores.flatten(0, 1), targets.flatten(), reduction=reduction)


def _update(optimizer: torch.optim.Optimizer, loss: Tensor, **options) -> float:
    optimizer.zero_grad()
    loss.backward(**options)
    optimizer.step()
    return loss.item()


def _detached(state: tuple) -> tuple:
    return tuple(part.detach() for part in state)


class TinyLSTM(nn.Module):
    """tokens (B, T) in, scores (B, T, V) and the state (h, c) out, with weights that are given."""

    def __init__(self, vocabulary: int, width: int, weights: Tensor):
        super().__init__()
        self.vocabulary = vocabulary
        self.lstm = nn.LSTM(vocabulary, width, batch_first=True)
        self.head = nn.Linear(width, vocabulary)
        vector_to_parameters(weights.clone(), self.parameters())

    def forward(self, tokens: Tensor, state=None):
        hidden, state = self.lstm(F.one_hot(tokens, self.vocabulary).float(), state)
        return self.head(hidden), state


def _weights_of(vocabulary: int, width: int) -> int:
    return 4 * width * (vocabulary + width + 2) + vocabulary * (width + 1)


@truncated_step.cases
def _(rng):
    sgd = {"SGD with learning rate": 0.5}
    blank = {"vocabulary": 2, "width": 1, "weights": torch.zeros(_weights_of(2, 1))}
    yield blank, sgd, torch.tensor([[0, 1]]), torch.tensor([[1, 0]]), None
    surely_wrong = blank | {"weights": torch.cat([blank["weights"][:-2], torch.tensor([4.0, 0.0])])}
    ones = torch.ones(1, 2, dtype=torch.int64)
    yield surely_wrong, sgd, ones, ones, [torch.zeros(1, 1, 1)] * 2  # a gradient so large that some would clip it
    for _ in range(4):
        vocabulary, width, streams, length = (int(rng.integers(2, 5)) for _ in range(4))
        weights = normal(rng, _weights_of(vocabulary, width))
        tokens = torch.from_numpy(rng.integers(0, vocabulary, (streams, length + 1)))
        state = [normal(rng, 1, streams, width).tanh() for _ in range(2)]
        model = {"vocabulary": vocabulary, "width": width, "weights": weights}
        yield model, sgd, tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous(), state


@truncated_step.ask
def _(answer, model, optimizer, inputs, targets, state):
    """Three steps, each from the state that the one before it gave back."""
    tiny = TinyLSTM(**model)
    sgd = torch.optim.SGD(tiny.parameters(), lr=optimizer["SGD with learning rate"])
    state, losses, error = state and tuple(state), [], ""
    for _ in range(3):
        try:
            given = answer(tiny, sgd, inputs, targets, state)
        except RuntimeError as raised:
            if isinstance(raised, NotImplementedError) or not losses:
                raise
            error = str(raised).split("\n")[0]
            break
        if given is None:
            return None
        if instead := _not_a_step(given):
            return {"instead": instead}
        loss, state = given
        losses.append(loss)
    return {
        "bits before each step": losses,
        "weights after three steps": parameters_to_vector(tiny.parameters()),
        "state": [] if error else list(state),
        "error in a later step": error,
        "graph kept": any(isinstance(loss, Tensor) and loss.requires_grad for loss in losses),
    }


def _not_a_step(given) -> str:
    """What stands in place of (loss, (h, c)); empty where nothing is wrong with the form."""
    if not isinstance(given, tuple | list) or len(given) != 2:
        return type_name(given) if not isinstance(given, tuple | list) else f"{len(given)} values"
    loss, state = given
    if isinstance(loss, tuple | list):
        return "the state first, or another pair in place of the loss"
    if not isinstance(state, tuple | list) or len(state) != 2:
        return f"{type_name(state)} in place of the state"
    return ""


@truncated_step.expect
def _(value, *case):
    """The first thing that is wrong, in the order in which one would repair it."""
    if "instead" in value:
        return f"It returned {value['instead']}. Expected a pair: the loss, and the state (h, c)."
    if value["error in a later step"]:
        return f"A later step raised: {value['error in a later step']}"
    if value["graph kept"]:
        return "The loss is a tensor that requires a gradient. Expected a number."
    return difference(to_plain(truncated_step.ask_function(truncated_step.reference, *case)), value, rtol=1e-3)


@truncated_step.mistake(
    "The state still hangs on the graph of the step before, so the second backward ran into that step, whose graph is gone. Detach every part of the state: h and c.",
    symptom=lambda value, *case: "second time" in value.get("error in a later step", ""),
)
def state_not_detached(model, optimizer, inputs, targets, state):
    scores, state = model(inputs, state)
    return _update(optimizer, _cross_entropy(scores, targets)) / BIT, state


@truncated_step.mistake(
    "You kept the graph of the step before (retain_graph=True) and did not detach the state, so backward went through weights that have changed since. Detach h and c; then nothing needs to be retained.",
    symptom=lambda value, *case: "inplace" in value.get("error in a later step", ""),
)
def graph_retained(model, optimizer, inputs, targets, state):
    scores, state = model(inputs, state)
    return _update(optimizer, _cross_entropy(scores, targets), retain_graph=True) / BIT, state


@truncated_step.mistake(
    "The state that was handed in was not used: each step began with an empty memory. Call model(inputs, state)."
)
def state_thrown_away(model, optimizer, inputs, targets, state):
    return truncated_step.reference(model, optimizer, inputs, targets, None)


@truncated_step.mistake(
    "You handed back the state that you were given. Hand back the one that the model returned: it stands at the end of this batch."
)
def old_state_returned(model, optimizer, inputs, targets, state):
    return truncated_step.reference(model, optimizer, inputs, targets, state)[0], state


@truncated_step.mistake("The state came back as zeros. To detach is to cut the graph, and to keep the numbers.")
def state_set_to_zero(model, optimizer, inputs, targets, state):
    bits, state = truncated_step.reference(model, optimizer, inputs, targets, state)
    return bits, tuple(torch.zeros_like(part) for part in state)


@truncated_step.mistake(
    "You returned h and c in the wrong order. The state is the pair (h, c), as the model returned it."
)
def state_swapped(model, optimizer, inputs, targets, state):
    bits, (h, c) = truncated_step.reference(model, optimizer, inputs, targets, state)
    return bits, (c, h)


@truncated_step.mistake(
    "The gradients were not cleared, so they add up over the steps. Call optimizer.zero_grad() before backward."
)
def no_zero_grad(model, optimizer, inputs, targets, state):
    scores, state = model(inputs, state)
    loss = _cross_entropy(scores, targets)
    loss.backward()
    optimizer.step()
    return loss.item() / BIT, _detached(state)


@truncated_step.mistake("The weights did not change: backward or optimizer.step() is missing.")
def no_step(model, optimizer, inputs, targets, state):
    scores, state = model(inputs, state)
    return _cross_entropy(scores, targets).item() / BIT, _detached(state)


@truncated_step.mistake(
    "You returned the loss in nats. F.cross_entropy takes the natural logarithm; one bit is ln 2 nats, so divide by math.log(2)."
)
def nats_for_bits(model, optimizer, inputs, targets, state):
    bits, state = truncated_step.reference(model, optimizer, inputs, targets, state)
    return bits * BIT, state


@truncated_step.mistake("You multiplied by ln 2. A bit is smaller than a nat, so there are more of them: divide.")
def bits_multiplied(model, optimizer, inputs, targets, state):
    bits, state = truncated_step.reference(model, optimizer, inputs, targets, state)
    return bits * BIT * BIT, state


@truncated_step.mistake(
    "You went along the gradient of the loss in bits, which is 1.44 times as long. Backward on the loss in nats; bits are for people."
)
def stepped_along_bits(model, optimizer, inputs, targets, state):
    scores, state = model(inputs, state)
    return _update(optimizer, _cross_entropy(scores, targets) / BIT), _detached(state)


@truncated_step.mistake(
    "The losses were summed. Take their mean over all characters of the batch, as F.cross_entropy does by default."
)
def summed_loss(model, optimizer, inputs, targets, state):
    scores, state = model(inputs, state)
    return _update(optimizer, _cross_entropy(scores, targets, "sum")) / BIT, _detached(state)


@truncated_step.mistake(
    "Only the last character of each row counted. Every position has a target, so every position has a loss."
)
def last_position_only(model, optimizer, inputs, targets, state):
    scores, state = model(inputs, state)
    return _update(optimizer, F.cross_entropy(scores[:, -1], targets[:, -1])) / BIT, _detached(state)


@truncated_step.mistake(
    "Scores and targets were flattened in different orders: one row by row, the other column by column. Flatten both with flatten(0, 1)."
)
def flattened_in_another_order(model, optimizer, inputs, targets, state):
    scores, state = model(inputs, state)
    loss = F.cross_entropy(scores.transpose(0, 1).flatten(0, 1), targets.flatten())
    return _update(optimizer, loss) / BIT, _detached(state)


@truncated_step.mistake(
    "You compared the scores with the inputs. The model then learns to repeat what it has just read. The targets are the next characters."
)
def inputs_as_targets(model, optimizer, inputs, targets, state):
    return truncated_step.reference(model, optimizer, inputs, inputs, state)


@truncated_step.mistake(
    "You clipped the gradient. In a long run that is a good habit; this exercise is the plain step, so that the numbers can be compared."
)
def gradient_clipped(model, optimizer, inputs, targets, state):
    scores, state = model(inputs, state)
    loss = _cross_entropy(scores, targets)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item() / BIT, _detached(state)


@truncated_step.mistake("You took a softmax before F.cross_entropy, which takes one itself. Hand it the raw scores.")
def softmax_before_cross_entropy(model, optimizer, inputs, targets, state):
    scores, state = model(inputs, state)
    return _update(optimizer, _cross_entropy(scores.softmax(-1), targets)) / BIT, _detached(state)


@truncated_step.mistake(
    "You returned the loss as a tensor that still holds the graph behind it. A list of those fills the memory: take loss.item().",
    symptom=lambda value, *case: value.get("graph kept", False),
)
def graph_returned(model, optimizer, inputs, targets, state):
    scores, state = model(inputs, state)
    loss = _cross_entropy(scores, targets)
    _update(optimizer, loss)
    return loss / BIT, _detached(state)


# --- 8.3 continue a prompt ------------------------------------------------------------------------------------------


@exercise(
    lesson="08",
    points=2,
    hint="Read the whole prompt once. Then, again and again: divide the last scores by the temperature, softmax, draw one, and let the model read the one that you drew, with the state that it left.",
)
def continue_prompt(model, prompt, count, temperature):
    return _walk(model, prompt, count, lambda scores: _draw(scores / temperature))


def _draw(scores: Tensor) -> Tensor:
    return torch.multinomial(scores.softmax(-1), 1)


@torch.no_grad()
def _walk(model, prompt: Tensor, count: int, draw: Callable) -> list[int]:
    """Read the prompt, then draw and read what was drawn. The body of the right answer and of some wrong ones."""
    scores, state = model(prompt[None])
    drawn = []
    for _ in range(count):
        drawn.append(int(draw(scores[0, -1])))
        scores, state = model(torch.tensor([[drawn[-1]]]), state)
    return drawn


class Summing(nn.Module):
    """The next character is almost surely (by `gap`) the sum of all that it has read; else it follows `scores` (V,)."""

    def __init__(self, scores: Tensor, gap: float):
        super().__init__()
        self.scores, self.gap = scores, gap

    def forward(self, tokens: Tensor, state=None):
        total = tokens.cumsum(1) + (0 if state is None else state[0])
        next_one = F.one_hot(total % len(self.scores), len(self.scores))
        return self.scores + self.gap * next_one, (total[:, -1:], total[:, -1:])


@continue_prompt.cases
def _(rng):
    for size, prompt in [(3, [1, 1]), (5, [2, 4, 1]), (7, [3, 5])]:
        yield {"scores": torch.zeros(size), "gap": 90.0}, torch.tensor(prompt), 6, 1.0
    shares = torch.tensor([0.6, 0.3, 0.1])
    for temperature in (1.0, 0.5, 2.0):
        yield {"scores": shares.log().add(0.5), "gap": 0.0}, torch.tensor([0]), 600, temperature
    scores = torch.tensor(rng.permutation([2.0, 1.4, 0.5, -0.5]), dtype=torch.float32)
    yield {"scores": scores, "gap": 0.0}, torch.tensor([1, 2]), 600, 0.5


@continue_prompt.ask
def _(answer, model, prompt, count, temperature):
    given = answer(Summing(**model), prompt, count, temperature)
    if given is None:
        return None
    if isinstance(given, str):
        return {"instead": "a string"}
    if isinstance(given, Tensor | np.ndarray):
        if given.ndim != 1:
            return {"instead": f"a tensor of shape {tuple(given.shape)}"}
        given = given.tolist()
    if not isinstance(given, list | tuple):
        return {"instead": type_name(given)}
    if any(isinstance(token, Tensor | np.ndarray) and token.ndim > 0 and token.size != 1 for token in given):
        return {"instead": "a list whose elements are no single numbers"}
    return {"tokens": [int(token) for token in given]}


@continue_prompt.expect
def _(value, model, prompt, count, temperature):
    if "instead" in value:
        return f"It returned {value['instead']}. Expected a list of {count} tokens."
    tokens, size = value["tokens"], len(model["scores"])
    if len(tokens) != count:
        return f"Expected {count} new tokens, got {len(tokens)}."
    if not all(0 <= token < size for token in tokens):
        return (
            f"Tokens are numbers from 0 to {size - 1}; among yours is {next(t for t in tokens if not 0 <= t < size)}."
        )
    if model["gap"]:
        expected = _walk(Summing(**model), prompt, count, torch.argmax)
        if tokens != expected:
            return (
                f"This model leaves no choice: the next token is the sum of all before it, modulo {size}. "
                f"After {prompt.tolist()} expected {expected}, got {tokens}."
            )
        return None
    expected = (model["scores"] / temperature).softmax(0)
    if not _fits(tokens, expected):
        return (
            f"Of {count} draws at temperature {number(temperature)} expected shares of about {_shares(expected)}, "
            f"got {_shares(_frequencies(tokens, size))}."
        )
    repeats, usual, spread = _repeats(tokens, expected)
    if not abs(repeats - usual) < 5 * spread:
        return (
            f"{repeats} of these {count} tokens are the same as the one before, expected about {usual:.0f}. "
            "Each is to be drawn anew, whatever the last one was."
        )
    return None


def _frequencies(tokens: list[int], size: int) -> Tensor:
    return torch.bincount(torch.tensor(tokens), minlength=size) / len(tokens)


def _shares(values: Tensor) -> str:
    return ", ".join(f"{value:.2f}" for value in values.tolist())


def _fits(tokens: list[int], expected: Tensor) -> bool:
    """Whether these draws may come from this distribution: no share is off by more than five standard errors."""
    spread = (expected * (1 - expected) / len(tokens)).sqrt() + 1 / len(tokens)
    return bool(((_frequencies(tokens, len(expected)) - expected).abs() < 5 * spread).all())


def _repeats(tokens: list[int], p: Tensor) -> tuple[int, float, float]:
    """How many tokens are equal to the one before; how many to expect of independent draws; the standard deviation.

    Each of n pairs of neighbours is equal with the probability Σp², and two pairs that share a token are both equal
    with Σp³. Five standard deviations leave a right answer out once in two million times.
    """
    n, two, three = len(tokens) - 1, float((p**2).sum()), float((p**3).sum())
    variance = n * (two - two**2) + 2 * (n - 1) * (three - two**2)
    return sum(a == b for a, b in pairwise(tokens)), n * two, math.sqrt(variance)


def _drawn_from(wrong: Callable[[Tensor, float], Tensor]) -> Callable[..., bool]:
    """A symptom: the draws come from `wrong(scores, temperature)`."""

    def symptom(value, model, prompt, count, temperature) -> bool:
        tokens = value.get("tokens", [])
        valid = len(tokens) == count and min(tokens) >= 0 and max(tokens) < len(model["scores"])
        return valid and not model["gap"] and _fits(tokens, wrong(model["scores"], temperature))

    return symptom


def _walked_like(wrong: Callable) -> Callable[..., bool]:
    """A symptom: where there is no choice, the tokens are those of the answer `wrong`."""

    def symptom(value, model, prompt, count, temperature) -> bool:
        return model["gap"] > 0 and value.get("tokens") == wrong(Summing(**model), prompt, count, temperature)

    return symptom


@continue_prompt.mistake(
    "You always took the most likely character (argmax). Draw one by its probability: torch.multinomial(probabilities, 1).",
    symptom=lambda value, model, prompt, count, temperature: (
        not model["gap"] and set(value.get("tokens", [])) == {int(model["scores"].argmax())}
    ),
)
def argmax_in_place_of_a_draw(model, prompt, count, temperature):
    return _walk(model, prompt, count, torch.argmax)


@continue_prompt.mistake(
    "You multiplied the scores by the temperature. Divide: a low temperature makes differences larger, and the model bolder about its favourites.",
    symptom=_drawn_from(lambda scores, temperature: (scores * temperature).softmax(0)),
)
def temperature_multiplied(model, prompt, count, temperature):
    return _walk(model, prompt, count, lambda scores: _draw(scores * temperature))


@continue_prompt.mistake(
    "The temperature made no difference: it was left out, or applied after the softmax, where multinomial scales it away. Divide the *scores* by it, before the softmax.",
    symptom=_drawn_from(lambda scores, temperature: scores.softmax(0)),
)
def temperature_without_effect(model, prompt, count, temperature):
    return _walk(model, prompt, count, _draw)


@continue_prompt.mistake(
    "Every character was drawn with the same chance. Use the model's scores: torch.multinomial(probabilities, 1).",
    symptom=_drawn_from(lambda scores, temperature: torch.full_like(scores, 1 / len(scores))),
)
def drawn_blindly(model, prompt, count, temperature):
    size = len(model.scores)
    return _walk(model, prompt, count, lambda scores: _draw(scores if model.gap else torch.zeros(size)))


@continue_prompt.mistake(
    "There are two softmaxes, one after the other. The second one makes all probabilities nearly equal; one is enough.",
    symptom=_drawn_from(lambda scores, temperature: (scores / temperature).softmax(0).softmax(0)),
)
def softmax_twice(model, prompt, count, temperature):
    return _walk(model, prompt, count, lambda s: _draw(s if model.gap else (s / temperature).softmax(0)))


@torch.no_grad()
def _forgets_its_state(model, prompt, count, temperature):
    drawn, scores = [], model(prompt[None])[0]
    for _ in range(count):
        drawn.append(int(_draw(scores[0, -1] / temperature)))
        scores = model(torch.tensor([[drawn[-1]]]))[0]
    return drawn


@continue_prompt.mistake(
    "After the prompt the model saw one character at a time with an empty memory. Pass the state that it returned: model(tokens, state).",
    symptom=_walked_like(_forgets_its_state),
)
def state_not_passed_on(model, prompt, count, temperature):
    return _forgets_its_state(model, prompt, count, temperature)


@continue_prompt.mistake(
    "The model read the last character of the prompt only. Let it read the whole prompt before you draw.",
    symptom=_walked_like(lambda model, prompt, *rest: continue_prompt.reference(model, prompt[-1:], *rest)),
)
def last_character_of_the_prompt(model, prompt, count, temperature):
    return continue_prompt.reference(model, prompt[-1:], count, temperature)


@torch.no_grad()
def _reads_everything_again(model, prompt, count, temperature):
    tokens, state = prompt.tolist(), None
    for _ in range(count):
        scores, state = model(torch.tensor([tokens]), state)
        tokens.append(int(_draw(scores[0, -1] / temperature)))
    return tokens[len(prompt) :]


@continue_prompt.mistake(
    "The model read the whole text again at each step, and kept the state as well: it has read the beginning many times over. With a state, feed only the new character.",
    symptom=_walked_like(_reads_everything_again),
)
def text_read_again(model, prompt, count, temperature):
    return _reads_everything_again(model, prompt, count, temperature)


@torch.no_grad()
def _reads_last_of_prompt_twice(model, prompt, count, temperature):
    state, token, drawn = model(prompt[None])[1], prompt[-1:], []
    for _ in range(count):
        scores, state = model(token[None], state)
        token = _draw(scores[0, -1] / temperature)
        drawn.append(int(token))
    return drawn


@continue_prompt.mistake(
    "The model read the last character of the prompt twice: once with the prompt, and once more before the first draw. The scores after the prompt are already those for the first new character.",
    symptom=_walked_like(_reads_last_of_prompt_twice),
)
def last_character_read_twice(model, prompt, count, temperature):
    return _reads_last_of_prompt_twice(model, prompt, count, temperature)


@torch.no_grad()
def _never_reads_its_own(model, prompt, count, temperature):
    scores, state = model(prompt[None])
    drawn = []
    for _ in range(count):
        drawn.append(int(_draw(scores[0, -1] / temperature)))
        scores, state = model(prompt[None, -1:], state)
    return drawn


@continue_prompt.mistake(
    "The model never read what you drew: it got the same old character at each step. Feed it the character that you have just drawn.",
    symptom=_walked_like(_never_reads_its_own),
)
def drawn_character_not_fed(model, prompt, count, temperature):
    return _never_reads_its_own(model, prompt, count, temperature)


@continue_prompt.mistake(
    "The prompt is part of what you returned. Return the new tokens only.",
    symptom=lambda value, model, prompt, count, temperature: (
        len(value.get("tokens", [])) == count + len(prompt) and value["tokens"][: len(prompt)] == prompt.tolist()
    ),
)
def prompt_returned_too(model, prompt, count, temperature):
    return prompt.tolist() + continue_prompt.reference(model, prompt, count, temperature)


# --- 8.4 the horizon ------------------------------------------------------------------------------------------------


@exercise(
    lesson="08",
    points=3,
    hint="For each k: gather the k characters before each place, one row a place; run the model without a state; take the scores after the last column. The horizon is the first k whose loss is at most the lowest loss plus the tolerance.",
)
def measure_horizon(model, tokens, places, lengths, tolerance):
    bits = [_bits(model, _before(tokens, places, k), tokens[places]) for k in lengths]
    return bits, _first_within(lengths, bits, min(bits) + tolerance)


def _before(tokens: Tensor, places: Tensor, k: int) -> Tensor:
    """The k characters before each place, (places, k)."""
    return tokens[places[:, None] + torch.arange(-k, 0)]


@torch.no_grad()
def _bits(model, windows: Tensor, targets: Tensor) -> float:
    return F.cross_entropy(model(windows)[0][:, -1], targets).item() / BIT


def _first_within(lengths, bits, limit: float) -> int:
    return next(k for k, value in zip(lengths, bits, strict=True) if value <= limit)


class Echo(nn.Module):
    """Its memory is known: what stood j characters ago adds strengths[j - 1] to its own score, and nothing else does."""

    def __init__(self, vocabulary: int, strengths: Tensor):
        super().__init__()
        self.vocabulary, self.strengths = vocabulary, strengths

    def forward(self, tokens: Tensor, state=None):
        seen = tokens if state is None else torch.cat([state[0], tokens], 1)
        known = F.pad(F.one_hot(seen, self.vocabulary).float(), (0, 0, len(self.strengths) - 1, 0))
        scores = sum(s * known.roll(ago, 1) for ago, s in enumerate(self.strengths.tolist()))
        return scores[:, -tokens.shape[1] :], (seen, seen)


def _right(lengths: list, bits: np.ndarray, tolerance: float) -> int:
    return _first_within(lengths, bits, bits.min() + tolerance)


def _index(lengths: list, bits: np.ndarray, tolerance: float) -> int:
    return int(np.argmax(bits <= bits.min() + tolerance))


def _lowest(lengths: list, bits: np.ndarray, tolerance: float) -> int:
    return lengths[int(bits.argmin())]


def _largest(lengths: list, bits: np.ndarray, tolerance: float) -> int:
    return max(k for k, value in zip(lengths, bits, strict=True) if value <= bits.min() + tolerance)


def _against_the_longest(lengths: list, bits: np.ndarray, tolerance: float) -> int:
    return lengths[int(np.argmax(bits <= bits[-1] + tolerance))]


def _first_rest(lengths: list, bits: np.ndarray, tolerance: float) -> int:
    return next((k for k, gain in zip(lengths, -np.diff(bits), strict=False) if gain <= tolerance), lengths[-1])


def _fraction(lengths: list, bits: np.ndarray, tolerance: float) -> int:
    return lengths[int(np.argmax(bits <= bits.min() * (1 + tolerance)))]


WRONG_RULES = (_index, _lowest, _largest, _against_the_longest, _first_rest, _fraction)
MARGIN = 0.004  # bits: no case stands so near the edge that rounding could decide it


@measure_horizon.cases
def _(rng):
    rhyme = torch.tensor([0, 1, 2] * 5)  # what comes next is what stood three characters ago
    yield {"vocabulary": 3, "strengths": torch.tensor([0, 0, 30.0])}, rhyme, torch.tensor([7, 9]), [1, 2, 3, 4], 0.01
    alike = set(combinations((_right, *WRONG_RULES), 2))  # pairs of rules that no case has told apart yet
    while alike:
        vocabulary, memory = int(rng.integers(2, 5)), int(rng.integers(3, 6))
        tokens = torch.from_numpy(rng.integers(0, vocabulary, 40))
        places = torch.from_numpy(np.sort(rng.choice(np.arange(10, 40), 6, replace=False)))
        model = {"vocabulary": vocabulary, "strengths": normal(rng, memory)}
        lengths, tolerance = [1, 2, 3, 5, 8], float(rng.choice([0.1, 0.2]))
        bits = np.array(measure_horizon.reference(Echo(**model), tokens, places, lengths, tolerance)[0])
        still_alike = {pair for pair in alike if len({rule(lengths, bits, tolerance) for rule in pair}) == 1}
        above = bits - bits.min()
        clear = all(abs(above - edge).min() > MARGIN for edge in (tolerance, tolerance * BIT))
        if clear and len(still_alike) < len(alike):
            alike = still_alike
            yield model, tokens, places, lengths, tolerance


@measure_horizon.ask
def _(answer, model, tokens, places, lengths, tolerance):
    given = answer(Echo(**model), tokens, places, lengths, tolerance)
    if given is None:
        return None
    if not isinstance(given, tuple | list) or len(given) != 2:
        return {"instead": type_name(given) if not isinstance(given, tuple | list) else f"{len(given)} values"}
    bits, horizon = given
    if isinstance(bits, list | tuple):
        bits = [float(value) if isinstance(value, Tensor) and value.numel() == 1 else value for value in bits]
    return {"bits": bits, "horizon": horizon}


@measure_horizon.expect
def _(value, *case):
    if "instead" in value:
        return f"It returned {value['instead']}. Expected a pair: a list of bits, one for each length, and the horizon."
    expected = to_plain(measure_horizon.ask_function(measure_horizon.reference, *case))
    if found := difference(expected, value, rtol=1e-3):
        return f"{found}\nexpected {describe(expected)}, got {describe(value)}"
    return None


@measure_horizon.mistake("Your losses are in nats. Divide them by math.log(2); the tolerance is in bits as well.")
def horizon_in_nats(model, tokens, places, lengths, tolerance):
    bits = [BIT * value for value in measure_horizon.reference(model, tokens, places, lengths, tolerance)[0]]
    return bits, _first_within(lengths, bits, min(bits) + tolerance)


def _with_windows(windows: Callable[[Tensor, Tensor, int], Tensor]) -> Callable:
    """An answer that shows the model other characters than it should."""

    def answer(model, tokens, places, lengths, tolerance):
        bits = [_bits(model, windows(tokens, places, k), tokens[places]) for k in lengths]
        return bits, _first_within(lengths, bits, min(bits) + tolerance)

    return answer


@measure_horizon.mistake(
    "The character to predict is the last one of your window: the model has seen the answer. The window for place p ends at p − 1."
)
def answer_in_the_window(model, tokens, places, lengths, tolerance):
    return _with_windows(lambda tokens, places, k: _before(tokens, places + 1, k))(
        model, tokens, places, lengths, tolerance
    )


@measure_horizon.mistake(
    "The model saw one character more than k. The window for place p holds p − k, …, p − 1: k numbers."
)
def one_character_too_many(model, tokens, places, lengths, tolerance):
    return _with_windows(lambda tokens, places, k: _before(tokens, places, k + 1))(
        model, tokens, places, lengths, tolerance
    )


@measure_horizon.mistake(
    "There is a gap: your window ends one character too early, and the character just before the place is missing."
)
def gap_before_the_place(model, tokens, places, lengths, tolerance):
    return _with_windows(lambda tokens, places, k: _before(tokens, places - 1, k))(
        model, tokens, places, lengths, tolerance
    )


@measure_horizon.mistake(
    "All of the text before each place was visible, whatever k. Cut a window of exactly k characters."
)
def everything_visible(model, tokens, places, lengths, tolerance):
    with torch.no_grad():
        scores = torch.stack([model(tokens[None, :place])[0][0, -1] for place in places.tolist()])
    bits = [F.cross_entropy(scores, tokens[places]).item() / BIT] * len(lengths)
    return bits, lengths[0]


def _with_loss(loss: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Callable:
    """An answer that takes another loss of (scores (N, k, V), windows (N, k), targets (N,))."""

    @torch.no_grad()
    def answer(model, tokens, places, lengths, tolerance):
        windows = [_before(tokens, places, k) for k in lengths]
        bits = [loss(model(window)[0], window, tokens[places]).item() / BIT for window in windows]
        return bits, _first_within(lengths, bits, min(bits) + tolerance)

    return answer


def _loss_everywhere(scores: Tensor, window: Tensor, targets: Tensor) -> Tensor:
    following = torch.cat([window[:, 1:], targets[:, None]], 1)
    return _cross_entropy(scores, following)


@measure_horizon.mistake(
    "You averaged over all positions of the window. The first of them see only one or two characters, whatever k: take the scores after the last column alone, scores[:, -1]."
)
def every_position_counted(model, tokens, places, lengths, tolerance):
    return _with_loss(_loss_everywhere)(model, tokens, places, lengths, tolerance)


@measure_horizon.mistake(
    "You took the scores after the first character of the window. After the last one, scores[:, -1], the model has seen all k."
)
def first_position_read(model, tokens, places, lengths, tolerance):
    answer = _with_loss(lambda scores, window, targets: F.cross_entropy(scores[:, 0], targets))
    return answer(model, tokens, places, lengths, tolerance)


@measure_horizon.mistake(
    "The state went on from one length to the next, so the model saw more than k characters. Each length begins with no state."
)
@torch.no_grad()
def state_carried_over(model, tokens, places, lengths, tolerance):
    state, bits = None, []
    for k in lengths:
        scores, state = model(_before(tokens, places, k), state)
        bits.append(F.cross_entropy(scores[:, -1], tokens[places]).item() / BIT)
    return bits, _first_within(lengths, bits, min(bits) + tolerance)


@measure_horizon.mistake("The losses were added up over the places. Take their mean: bits *per character*.")
def bits_summed_over_places(model, tokens, places, lengths, tolerance):
    bits = [value * len(places) for value in measure_horizon.reference(model, tokens, places, lengths, 0.0)[0]]
    return bits, _first_within(lengths, bits, min(bits) + tolerance)


def _with_rule(rule: Callable[[list, np.ndarray, float], int], case: tuple) -> tuple:
    """The right losses, and the horizon that a wrong rule reads off them."""
    bits, _ = measure_horizon.reference(*case)
    return bits, rule(case[3], np.array(bits), case[4])


@measure_horizon.mistake(
    "You returned the place in the list. The horizon is the length that stands there, in characters."
)
def index_in_place_of_length(*case):
    return _with_rule(_index, case)


@measure_horizon.mistake(
    "You returned the length with the lowest loss. The horizon is the *smallest* length that comes within the tolerance of it."
)
def lowest_of_all(*case):
    return _with_rule(_lowest, case)


@measure_horizon.mistake(
    "You took the largest length within the tolerance. The smallest one is the horizon: what comes after it no longer helps."
)
def largest_within(*case):
    return _with_rule(_largest, case)


@measure_horizon.mistake(
    "You compared with the loss at the longest length. Compare with the lowest loss of all lengths: more context can also do harm."
)
def compared_with_the_longest(*case):
    return _with_rule(_against_the_longest, case)


@measure_horizon.mistake(
    "You stopped where the next length gains little. A curve may rest and then fall again: compare each loss with the lowest one."
)
def first_flat_step(*case):
    return _with_rule(_first_rest, case)


@measure_horizon.mistake(
    "You took the tolerance as a fraction of the lowest loss. It is a number of bits: lowest + tolerance."
)
def tolerance_as_a_fraction(*case):
    return _with_rule(_fraction, case)


# --- 8.5 how well a cell tells two kinds of places apart --------------------------------------------------------------


@exercise(
    lesson="08",
    points=2,
    hint="Compare every place that has the property with every place that has not. The share of pairs in which the first has the larger value, ties counted half, is the AUROC. Ranks give the same without all the pairs.",
)
def auroc(cells, flags):
    return _wins(cells, flags, tie=0.5)


def _wins(cells: Tensor, flags: Tensor, tie: float) -> Tensor:
    """For each cell, the share of (flagged, other) pairs in which the flagged value is larger; (cells,)."""
    flagged, others = cells[flags][:, None], cells[~flags][None]
    return ((flagged > others).float() + tie * (flagged == others).float()).mean((0, 1))


@auroc.cases
def _(rng):
    yield torch.tensor([[1.0], [2.0], [3.0], [4.0]]), torch.tensor([False, False, True, True])
    yield torch.tensor([[1.0, 5.0], [1.0, 2.0], [2.0, 3.0]]), torch.tensor([False, True, True])
    for case in range(8):
        count, width = int(rng.integers(7, 15)), int(rng.integers(2, 5))
        flags = torch.from_numpy(rng.permutation(count) < int(rng.integers(2, count // 2)))
        cells = normal(rng, count, width) + 0.7 * flags[:, None]
        yield (cells * 2).round() / 2 if case % 2 else cells, flags


def _ranks(cells: Tensor) -> Tensor:
    return cells.argsort(0).argsort(0).float() + 1


def _from_ranks(ranks: Tensor, flags: Tensor) -> Tensor:
    many, few = (~flags).sum(), flags.sum()
    return (ranks[flags].sum(0) - few * (few + 1) / 2) / (few * many)


@auroc.mistake(
    "You counted a tie as a loss. Two equal values tell nothing: a tie counts one half. With ranks: equal values share the mean of their ranks."
)
def ties_as_losses(cells, flags):
    return _wins(cells, flags, tie=0.0)


@auroc.mistake("You counted a tie as a win. Two equal values tell nothing: a tie counts one half.")
def ties_as_wins(cells, flags):
    return _wins(cells, flags, tie=1.0)


@auroc.mistake("Upside down: you counted the pairs in which the place *without* the property has the larger value.")
def upside_down(cells, flags):
    return 1 - auroc.reference(cells, flags)


@auroc.mistake(
    "You folded the values to at least one half. Leave them: 0.1 says that the cell is *low* where the property holds, which is as good to know."
)
def folded(cells, flags):
    return torch.maximum(auroc.reference(cells, flags), 1 - auroc.reference(cells, flags))


@auroc.mistake(
    "You took argsort for ranks. argsort says who stands at each place; ranks say at which place each one stands. Use argsort twice, or searchsorted, or scipy.stats.rankdata."
)
def argsort_for_ranks(cells, flags):
    return _from_ranks(cells.argsort(0).float() + 1, flags)


@auroc.mistake(
    "Equal values have different ranks, by chance of their order. They share the mean of their ranks: scipy.stats.rankdata does that."
)
def ties_ranked_by_order(cells, flags):
    return _from_ranks(cells.argsort(dim=0, stable=True).argsort(0).float() + 1, flags)


@auroc.mistake(
    "The rank sum was not corrected. Even the lowest flagged places have ranks: take n₁ (n₁ + 1) / 2 off before you divide."
)
def rank_sum_not_corrected(cells, flags):
    few = flags.sum()
    return auroc.reference(cells, flags) + (few + 1) / 2 / (~flags).sum()


@auroc.mistake(
    "You divided by all pairs of places. Only pairs of one flagged and one other place count: n₁ · n₀ of them."
)
def divided_by_all_pairs(cells, flags):
    return auroc.reference(cells, flags) * flags.sum() * (~flags).sum() / len(flags) ** 2


@auroc.mistake("You returned the number of pairs that are won. Divide by the number of pairs, n₁ · n₀.")
def pairs_not_divided(cells, flags):
    return auroc.reference(cells, flags) * flags.sum() * (~flags).sum()


@auroc.mistake(
    "This is the correlation of each cell with the property. AUROC asks for the order only, not for how far the values lie apart."
)
def correlation(cells, flags):
    centred, property_ = cells - cells.mean(0), flags.float() - flags.float().mean()
    return (centred * property_[:, None]).sum(0) / (centred.norm(dim=0) * property_.norm())


@auroc.mistake(
    "This is the accuracy of one threshold, zero. AUROC takes all thresholds together, so that a cell need not be centred."
)
def accuracy_at_zero(cells, flags):
    return ((cells > 0) == flags[:, None]).float().mean(0)


@auroc.mistake(
    "This is one number for all cells together. Keep the cells apart: average over the pairs alone, (cells,) remain."
)
def all_cells_together(cells, flags):
    return auroc.reference(cells, flags).mean()


@auroc.mistake("You compared the means of the two kinds of places. Compare places pair by pair, and count.")
def difference_of_means(cells, flags):
    return cells[flags].mean(0) - cells[~flags].mean(0)
