"""Exercises of lesson 08: streams of batches, a step of truncated BPTT, generation, the horizon, AUROC of cells.

The middle three answers use a model, so they are asked through a function that runs beside them and comes back with
plain values: numbers, weights, tokens. The models there are small ones whose behaviour is known.
"""

import math
from dataclasses import dataclass
from functools import partial
from itertools import chain, pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import vector_to_parameters

from utils.checking import Lesson, normal, steps
from utils.checking.compare import shape_or_type
from utils.checking.describe import describe, number
from utils.text import Streams, encode

lesson = Lesson("08", __name__)
BIT = math.log(2)  # one bit is ln 2 nats

# --- 8.1 streams of batches ---------------------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    hint="Encode the text once. Cut the numbers into `streams` rows of equal length, and the same numbers one character later into the rows of the targets. Then walk along both, `length` columns at a time.",
)
def stream_batches(text, alphabet, streams, length):
    """The batches of a text in order: a list of pairs (inputs, targets), int64, (streams, length) or shorter at last."""
    return list(Streams(encode(text, alphabet), streams, length))


@stream_batches.cases
def _(rng):
    yield dict(text="abcd", alphabet="abcd", streams=1, length=3)
    yield dict(text="noon", alphabet="xon", streams=1, length=3)  # not sorted, and x is not in the text
    yield dict(text="abcd", alphabet="abcd", streams=2, length=1)  # 4 // 2 is not (4 - 1) // 2
    yield dict(text="abcde", alphabet="abcde", streams=2, length=2)
    yield dict(text="abcdefg", alphabet="abcdefg", streams=2, length=2)  # the last batch is shorter
    yield dict(text="abcdefghi", alphabet="abcdefghi", streams=2, length=2)  # two whole batches
    yield dict(text="abcde", alphabet="abcde", streams=2, length=3)  # longer than a stream
    for case in range(6):
        streams, length, steps = int(rng.integers(2, 4)), int(rng.integers(2, 5)), int(rng.integers(2, 4))
        each = steps * length + int(rng.integers(0, length)) * (case % 2)
        letters = "".join(rng.permutation(list("acdeghiklmnoprstuvw.,!")))
        count = streams * each + 1 + int(rng.integers(0, streams))
        yield "".join(rng.choice(list(letters[:12]), count)), letters, streams, length


def _places(text, alphabet):
    return torch.tensor([alphabet.index(character) for character in text])


@stream_batches.recipe
def _(
    text,
    alphabet,
    streams,
    length,
    encoded=_places,
    rows=lambda tokens, streams: tokens.unflatten(0, (streams, -1)),
    following=lambda tokens, cut: cut(tokens.roll(-1)),
    batches=lambda row, length: row.split(length, 1),
    pair=lambda inputs, targets: (inputs, targets),
):
    tokens = encoded(text, alphabet)
    kept = (len(tokens) - 1) // streams * streams

    def cut(tokens):
        return rows(tokens[:kept], streams)

    both = (batches(part, length) for part in (cut(tokens), following(tokens, cut)))
    return [pair(*batch) for batch in zip(*both, strict=True)]


stream_batches.slip("target_not_shifted", following=lambda tokens, cut: cut(tokens)).says(
    "The targets are the inputs themselves. The model is asked for the *next* character: take the text one character later."
)
stream_batches.slip("shifted_the_wrong_way", following=lambda tokens, cut: cut(tokens.roll(1))).says(
    "The targets are the characters *before* the inputs, which the model has just read. Shift the other way."
)
stream_batches.slip("shifted_by_two", following=lambda tokens, cut: cut(tokens.roll(-2))).says(
    "The targets are two characters ahead: one was skipped. After the input at place i comes the target at place i + 1."
)
stream_batches.slip("shifted_inside_the_stream", following=lambda tokens, cut: cut(tokens).roll(-1, 1)).says(
    "The last target of each stream is the stream's own first character: you shifted the rows, and they came round. Shift the text before you cut it into rows."
)
stream_batches.slip("shifted_inside_the_batch", pair=lambda inputs, targets: (inputs, inputs.roll(-1, 1))).says(
    "The last target of each row is the row's own first character: you shifted inside a batch, and it came round. Shift the whole text before you cut it."
)
stream_batches.slip("batch_and_time_swapped", pair=lambda inputs, targets: (inputs.T, targets.T)).says(
    "Batch and time are swapped. A batch has one row for each stream and one column for each step: (streams, length)."
)
stream_batches.slip("dealt_like_cards", rows=lambda tokens, streams: tokens.unflatten(0, (-1, streams)).T).says(
    "Neighbouring characters went to different streams. Each stream is a piece of running text: reshape to (streams, each), not to (each, streams) and then transposed."
)


def _filled_from_top_to_bottom(row: Tensor, length: int) -> Tensor:
    streams, each = row.shape
    whole = each // length
    return row.flatten()[: whole * streams * length].reshape(whole, streams, length)


stream_batches.slip("rows_do_not_continue", batches=_filled_from_top_to_bottom).says(
    "Row b of a batch does not go on in row b of the next one: you filled each batch from top to bottom with running text. Then the state that a row leaves behind belongs to another row's text."
)
stream_batches.slip(
    "windows_overlap", batches=lambda row, length: [row[:, i : i + length] for i in range(row.shape[1] - length + 1)]
).says(
    "Your windows overlap: each begins one character after the one before. The state already stands at the end of a window, so the next one begins where it ended."
)
stream_batches.slip(
    "short_rest_dropped", batches=lambda row, length: [b for b in row.split(length, 1) if b.shape[1] == length]
).says(
    "The rest of the streams is missing: where `length` does not divide them, the last batch is shorter, and it counts too."
)
stream_batches.slip("last_batch_missing", batches=lambda row, length: row.split(length, 1)[:-1]).says(
    "The last batch is missing, though it is a whole one. Your range ends one step too early."
)
stream_batches.slip("code_points", encoded=lambda text, alphabet: torch.tensor(list(map(ord, text)))).says(
    "You took each character's code (ord). The model has one logit for each character of the alphabet: a token is the character's place there, from 0."
)
stream_batches.slip("alphabet_of_its_own", encoded=lambda text, alphabet: _places(text, sorted(set(text)))).says(
    "You made an alphabet of your own from this text. Use the one that is given: it also holds characters that this text does not have."
)
stream_batches.slip("alphabet_sorted", encoded=lambda text, alphabet: _places(text, sorted(alphabet))).says(
    "You sorted the alphabet. A token is the character's place in the alphabet as it is given."
)
stream_batches.slip("counted_from_one", encoded=lambda text, alphabet: _places(text, alphabet) + 1).says(
    "You counted the places in the alphabet from 1. The first one is 0."
)


@stream_batches.mistake(
    "You made one-hot vectors. The model wants the numbers themselves; its embedding does the rest."
)
def one_hot_vectors(text, alphabet, streams, length):
    pairs = stream_batches.reference(text, alphabet, streams, length)
    return [(F.one_hot(inputs, len(alphabet)), targets) for inputs, targets in pairs]


@stream_batches.mistake(
    "You cut rows of N // B characters and took the targets out of the rows, so the last character of a row has no target. Cut rows of (N − 1) // B characters, and the targets from the whole text."
)
def targets_end_with_the_row(text, alphabet, streams, length):
    each = len(text) // streams
    rows = _places(text, alphabet)[: streams * each].reshape(streams, each)
    return [(rows[:, i : i + length], rows[:, i + 1 : i + length + 1]) for i in range(0, each - 1, length)]


def _not_whole(batches, *case) -> str | None:
    parts = [part for pair in batches if isinstance(pair, tuple | list) for part in pair if isinstance(part, Tensor)]
    floats = [part.dtype for part in parts if part.is_floating_point()]
    return f"The tokens are {str(floats[0]).removeprefix('torch.')}. Expected whole numbers, int64." if floats else None


stream_batches.slip("tokens_as_floats", pair=lambda *both: tuple(b.float() for b in both), seen=_not_whole).says(
    "A token is a place in the alphabet, which an embedding looks up: it has to be a whole number."
)


# --- 8.2 a step of truncated backpropagation through time -----------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Facts(steps.Facts):
    """What three steps came to, each from the state that the one before it gave back.

    state: the last one, (h, c). attached: whether any state held its graph. instead: what came back for a pair.
    """

    state: tuple
    attached: bool
    instead: str


@lesson.exercise(
    points=3,
    facts=Facts,
    rtol=1e-3,
    hint="Clear the gradients, run the model on the inputs *and the state*, take the mean loss, backward, step. Hand out the loss in bits, and the state cut off from its past: `.detach()` on each part.",
)
def truncated_step(model, optimizer, inputs, targets, state):
    """One step on inputs and targets (B, T), from `state` (None, or h and c, each (1, B, C)) on: (bits, new state)."""
    logits, state = model(inputs, state)
    loss = -logits.log_softmax(-1).gather(-1, targets[..., None]).mean()
    steps.update(optimizer, loss)
    return loss.item() / BIT, tuple(part.detach() for part in state)


ALL_ELSE = "biases of the last layer, all else 0"


class TinyLSTM(nn.Module):
    """tokens (B, T) in, logits (B, T, V) and the state (h, c) out, with weights that a case gives."""

    def __init__(self, given: dict):
        super().__init__()
        self.vocabulary = given["vocabulary"]
        self.lstm = nn.LSTM(self.vocabulary, given["width"], batch_first=True)
        self.head = nn.Linear(given["width"], self.vocabulary)
        count = sum(weight.numel() for weight in self.parameters())
        last = given.get(ALL_ELSE, torch.zeros(0))
        vector_to_parameters(given.get("weights", F.pad(last, (count - len(last), 0))).clone(), self.parameters())

    def forward(self, tokens: Tensor, state=None):
        hidden, state = self.lstm(F.one_hot(tokens, self.vocabulary).float(), state)
        return self.head(hidden), state


@truncated_step.cases
def _(rng):
    sgd = {"learning rate": 0.5}
    knows_nothing = {"vocabulary": 2, "width": 1, ALL_ELSE: torch.tensor([0.0, 0.0])}
    yield knows_nothing, sgd, torch.tensor([[0, 1]]), torch.tensor([[1, 1]]), None
    surely_wrong = knows_nothing | {ALL_ELSE: torch.tensor([4.0, 0.0])}
    ones = torch.ones(1, 2, dtype=torch.int64)
    yield surely_wrong, sgd, ones, ones, (torch.zeros(1, 1, 1),) * 2  # a gradient so large that some would clip it
    for streams, length in [(2, 3), (3, 2)]:
        vocabulary, width = int(rng.integers(3, 5)), int(rng.integers(2, 4))
        weights = normal(rng, 4 * width * (vocabulary + width + 2) + vocabulary * (width + 1))
        tokens = torch.from_numpy(rng.integers(0, vocabulary, (streams, length + 1)))
        state = tuple(normal(rng, 1, streams, width).tanh() for _ in range(2))
        model = {"vocabulary": vocabulary, "width": width, "weights": weights}
        yield model, sgd | {"momentum": 0.5}, tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous(), state


@truncated_step.ask
def _(answer, model, optimizer, inputs, targets, state):
    tiny = TinyLSTM(model)
    sgd = steps.sgd(tiny, optimizer)
    states, instead = [state], []

    def step():
        given = answer(tiny, sgd, inputs, targets, states[-1])
        if given is None or (found := _not_a_step(given)):
            instead.append(found)
            return given and math.nan
        states.append(given[1])
        return given[0]

    facts = steps.take(step, tiny, sgd, count=3, evaluate_between=False)
    return facts and Facts(
        **vars(facts),
        state=tuple(states[-1] or ()),
        attached=any(part.requires_grad for state in states[1:] for part in state),
        instead=instead[0] if instead else "",
    )


def _not_a_step(given) -> str:
    """What stands in place of (loss, (h, c)); empty where nothing is wrong with the form."""
    if not isinstance(given, tuple | list) or len(given) != 2:
        return shape_or_type(given)
    loss, state = given
    if isinstance(loss, tuple | list):
        return "the state first, or another pair in place of the loss"
    if not isinstance(state, tuple | list) or len(state) != 2 or not all(isinstance(part, Tensor) for part in state):
        return f"{shape_or_type(state)} in place of the state"
    return ""


@truncated_step.finding
def _(facts, *case):
    return facts.instead and f"It returned {facts.instead}. Expected a pair: the loss, and the state (h, c)."


@truncated_step.recipe
def _(
    model,
    optimizer,
    inputs,
    targets,
    state,
    begin=lambda state: state,
    pairs=lambda logits, inputs, targets: (logits, targets),
    loss=F.cross_entropy,
    update=steps.update,
    unit=BIT,
    give=Tensor.item,
    after=False,
    end=lambda new, old: tuple(part.detach() for part in new),
):
    logits, new = model(inputs, begin(state))
    ours, theirs = pairs(logits, inputs, targets)
    value = loss(ours.flatten(0, 1), theirs.flatten())
    update(optimizer, value)
    if after:
        value = loss(model(inputs, state)[0].flatten(0, 1), targets.flatten())
    return give(value) / unit, end(new, state)


steps.usual(
    truncated_step,
    *("graph_returned", "optimizer_of_its_own", "no_step", "no_backward", "step_before_backward"),
    *("cleared_before_the_step", "no_zero_grad", "summed_loss", "softmax_before_cross_entropy", "loss_after_the_step"),
)


def _hangs_on(*errors: str):
    """The state came back with its graph, and a later step raised one of these errors, or came to its end."""

    def seen(facts, *case) -> str | None:
        if not facts.attached or not any(error in facts.error for error in errors):
            return None
        later = f", and a later step raised: {facts.error}" if facts.error else "."
        return f"The state came back with the graph of its step behind it{later}"

    return seen


def _not_detached(new, old):
    return new


truncated_step.slip(
    "graph_retained",
    update=partial(steps.update, retain_graph=True),
    end=_not_detached,
    seen=_hangs_on("inplace"),
).says(
    "You kept the graph of the step before (retain_graph=True) and did not detach the state, so backward went through weights that have changed since. Detach h and c; then nothing needs to be retained."
)
truncated_step.slip("state_not_detached", end=_not_detached, seen=_hangs_on("")).says(
    "The state still hangs on the graph of its step, so a second backward runs into that step, whose graph is gone. Detach every part of the state that you hand back: h and c."
)


@truncated_step.finding
def _(facts, *case):
    return facts.error and f"The second or third step raised: {facts.error}"


truncated_step.slip("state_thrown_away", begin=lambda state: None).says(
    "The state that was handed in was not used: each step began with an empty memory. Call model(inputs, state)."
)
truncated_step.slip("old_state_returned", end=lambda new, old: old).says(
    "You handed back the state that you were given. Hand back the one that the model returned: it stands at the end of this batch."
)
truncated_step.slip("state_set_to_zero", end=lambda new, old: tuple(map(torch.zeros_like, new))).says(
    "The state came back as zeros. To detach is to cut the graph, and to keep the numbers."
)
truncated_step.slip("state_swapped", end=lambda new, old: (new[1].detach(), new[0].detach())).says(
    "You returned h and c in the wrong order. The state is the pair (h, c), as the model returned it."
)
truncated_step.slip("nats_for_bits", unit=1).says(
    "You returned the loss in nats. F.cross_entropy takes the natural logarithm; one bit is ln 2 nats, so divide by math.log(2)."
)
truncated_step.slip("bits_multiplied", unit=1 / BIT).says(
    "You multiplied by ln 2. A bit is smaller than a nat, so there are more of them: divide."
)
truncated_step.slip(
    "stepped_along_bits", loss=lambda logits, targets: F.cross_entropy(logits, targets) / BIT, unit=1
).says(
    "You went along the gradient of the loss in bits, which is 1.44 times as long. Backward on the loss in nats; bits are for people."
)
truncated_step.slip("last_position_only", pairs=lambda logits, inputs, targets: (logits[:, -1:], targets[:, -1:])).says(
    "Only the last character of each row counted. Every position has a target, so every position has a loss."
)
truncated_step.slip(
    "flattened_in_another_order", pairs=lambda logits, inputs, targets: (logits.transpose(0, 1), targets)
).says(
    "Logits and targets were flattened in different orders: one row by row, the other column by column. Flatten both with flatten(0, 1)."
)
truncated_step.slip("inputs_as_targets", pairs=lambda logits, inputs, targets: (logits, inputs)).says(
    "You compared the logits with the inputs. The model then learns to repeat what it has just read. The targets are the next characters."
)


def _update_clipped(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    steps.update(optimizer, loss, order=("zero_grad", "backward"))
    nn.utils.clip_grad_norm_(optimizer.param_groups[0]["params"], 1.0)
    optimizer.step()


truncated_step.slip("gradient_clipped", update=_update_clipped).says(
    "You clipped the gradient. In a long run that is a good habit; this exercise is the plain step, so that the numbers can be compared."
)


# --- 8.3 continue a prompt ------------------------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    compare=False,
    hint="Read the whole prompt once. Then, again and again: divide the last logits by the temperature, softmax, draw one, and let the model read the one that you drew, with the state that it left.",
)
def continue_prompt(model, prompt, count, temperature):
    """`count` new tokens, a list, after the prompt (T,). The model: tokens (B, T) and a state in, logits (B, T, V) and a state out."""
    text = prompt.tolist()
    for _ in range(count):
        logits, _ = model(torch.tensor([text]))
        text.append(_draw(_probabilities(logits[0, -1], temperature)))
    return text[len(prompt) :]


def _draw(probabilities: Tensor, drawn: list | None = None) -> int:
    return int(torch.multinomial(probabilities, 1))


def _probabilities(logits: Tensor, temperature: float) -> Tensor:
    return (logits / temperature).softmax(0)


class Summing(nn.Module):
    """The next token is almost surely (by `gap`) one more than the sum of all so far; else it follows `logits` (V,)."""

    def __init__(self, logits: Tensor, gap: float):
        super().__init__()
        self.logits, self.gap = logits, gap

    def forward(self, tokens: Tensor, state=None):
        total = tokens.cumsum(1) + (0 if state is None else state[0])  # (B, T)
        next_one = F.one_hot((total + 1) % len(self.logits), len(self.logits))  # (B, T, V)
        return self.logits + self.gap * next_one, (total[:, -1:], total[:, -1:])


CALLS = 120  # of one case in which the tokens are left to chance


@continue_prompt.cases
def _(rng):
    by_chance = torch.tensor([3.0, 2, 2, 1, 1, 0, 0, 0])
    yield dict(model={"logits": by_chance, "gap": 0.0}, prompt=torch.tensor([0]), count=10, temperature=0.4)
    flat = torch.tensor(rng.permutation([2.0, 1.5, 1.0, 0.5, 0.0, -0.5, -1.0, -1.5]), dtype=torch.float32)
    yield dict(model={"logits": flat, "gap": 0.0}, prompt=torch.tensor([1, 2]), count=10, temperature=2.0)
    for size, prompt in [(11, [1, 2, 4]), (13, [5, 1, 1]), (17, [3])]:
        no_choice = {"logits": torch.zeros(size), "gap": 90.0}
        yield dict(model=no_choice, prompt=torch.tensor(prompt), count=6, temperature=1.0)


@continue_prompt.ask
def _(answer, model, prompt, count, temperature):
    """The tokens of several calls; for each one a string, where something else came back."""
    runs = []
    for _ in range(2 if model["gap"] else CALLS):
        given = answer(Summing(**model), prompt, count, temperature)
        if given is None:
            return None
        runs.append(_tokens(given))
    return runs


def _tokens(given) -> list | str:
    """Whole numbers, whatever holds them, as a list; of anything else, what it is."""
    if isinstance(given, Tensor | np.ndarray) and given.ndim == 1:
        given = given.tolist()
    if not isinstance(given, list | tuple):
        return shape_or_type(given)
    items = [item.item() if math.prod(getattr(item, "shape", (0,))) == 1 else item for item in given]
    others = [item for item in items if not isinstance(item, int)]
    return f"a list with {describe(others[0])} in it" if others else items


@continue_prompt.finding
def _(runs, model, prompt, count, temperature):
    others = [run for run in runs if isinstance(run, str)]
    return f"It returned {others[0]}. Expected a list of {count} tokens, each a whole number." if others else None


def _begin_with_the_prompt(runs, model, prompt, count, temperature) -> str | None:
    if all(run[: len(prompt)] == prompt.tolist() and len(run) == count + len(prompt) for run in runs):
        return f"Expected {count} new tokens, got {len(runs[0])}; they begin with the prompt, {prompt.tolist()}."
    return None


def _with_the_prompt(model, prompt, count, temperature):
    return prompt.tolist() + continue_prompt.reference(model, prompt, count, temperature)


continue_prompt.wrong("prompt_returned_too", _with_the_prompt, seen=_begin_with_the_prompt).says(
    "The prompt is part of what you returned. Return the new tokens only."
)


@continue_prompt.finding
def _(runs, model, prompt, count, temperature):
    for run in runs:
        if len(run) != count:
            return f"Expected {count} new tokens, got {len(run)}."
        if outside := [token for token in run if not 0 <= token < len(model["logits"])]:
            return f"Tokens are numbers from 0 to {len(model['logits']) - 1}; among yours is {outside[0]}."
    return None


@continue_prompt.recipe
def _(
    model,
    prompt,
    count,
    temperature,
    weights=_probabilities,
    draw=_draw,
    first=lambda prompt: prompt,
    following=lambda prompt, drawn: torch.tensor(drawn[-1:]),
    kept=True,
):
    logits, state = model(first(prompt)[None])
    drawn = []
    for _ in range(count):
        drawn.append(draw(weights(logits[0, -1], temperature), drawn))
        logits, state = model(following(prompt, drawn)[None], state if kept else None)
    return drawn


# What the model reads shows where it leaves no choice.


def _misread(runs, model, prompt, count, temperature) -> str | None:
    expected = continue_prompt.variant(draw=_likeliest)(Summing(**model), prompt, count, temperature)
    if not model["gap"] or runs[0] == expected:
        return None
    return (
        f"This model leaves no choice: the next token is one more than the sum of all before it, modulo {len(model['logits'])}. "
        f"After {prompt.tolist()} expected {expected}, got {runs[0]}."
    )


def _likeliest(probabilities: Tensor, drawn: list) -> int:
    return int(probabilities.argmax())


def _read(name: str, wrong):
    """A mistake that is told by the tokens of this wrong answer, where there is no choice."""

    def seen(runs, model, *rest) -> str | None:
        sentence = _misread(runs, model, *rest)
        return sentence if sentence and runs[0] == wrong(Summing(**model), *rest) else None

    return continue_prompt.wrong(name, wrong, seen=seen)


_read("state_not_passed_on", continue_prompt.variant(kept=False)).says(
    "After the prompt the model saw one character at a time with an empty memory. Pass the state that it returned: model(tokens, state)."
)
_read("last_character_of_the_prompt", continue_prompt.variant(first=lambda prompt: prompt[-1:])).says(
    "The model read the last character of the prompt only. Let it read the whole prompt before you draw."
)
_read("last_character_read_twice", continue_prompt.variant(first=lambda prompt: torch.cat([prompt, prompt[-1:]]))).says(
    "The model read the last character of the prompt twice: once with the prompt, and once more before the first draw. The logits after the prompt are already those for the first new character."
)
_read(
    "text_read_again",
    continue_prompt.variant(following=lambda prompt, drawn: torch.cat([prompt, torch.tensor(drawn)])),
).says(
    "The model read the whole text again at each step, and kept the state as well: it has read the beginning many times over. With a state, feed only the new character."
)
_read("drawn_character_not_fed", continue_prompt.variant(following=lambda prompt, drawn: prompt[-1:])).says(
    "The model never read what you drew: it got the same old character at each step. Feed it the character that you have just drawn."
)


@torch.no_grad()
def _all_drawn_at_once(model, prompt, count, temperature):
    probabilities = (model(prompt[None])[0][0, -1] / temperature).softmax(0)
    return torch.multinomial(probabilities, count, replacement=True).tolist()


_read("nothing_read_after_the_prompt", _all_drawn_at_once).says(
    "All characters were drawn from the logits after the prompt. Let the model read each one, and draw the next from the logits that follow it."
)
continue_prompt.finding(_misread)


# What is drawn shows where it is left to chance.


def _misfit(tokens: list[int], expected: Tensor) -> float:
    """Pearson's statistic of these draws, tame where few are expected. Right draws of 8 tokens are near 7, once in ten
    thousand times above 30, and never, for all practical purposes, above 50."""
    wanted = len(tokens) * expected
    return float(((torch.bincount(torch.tensor(tokens), minlength=len(expected)) - wanted) ** 2 / (wanted + 1)).sum())


def _misdrawn(runs, model, prompt, count, temperature) -> str | None:
    expected = _probabilities(model["logits"], temperature)
    for which, tokens in {"draws": list(chain(*runs)), "first draws": [run[0] for run in runs]}.items():
        if not model["gap"] and _misfit(tokens, expected) > 50:
            shares = torch.bincount(torch.tensor(tokens), minlength=len(expected)) / len(tokens)
            return f"Of {len(tokens)} {which} at temperature {number(temperature)} expected shares of about {_shares(expected)}, got {_shares(shares)}."
    return None


def _shares(values: Tensor) -> str:
    return ", ".join(f"{value:.2f}" for value in values.tolist())


def _all_the_same(runs, model, *rest) -> str | None:
    if model["gap"] or runs[0] != runs[-1] or len(set(runs[0])) == 1:
        return None
    return f"{len(runs)} calls, one after the other, all gave {runs[0]}. Expected other tokens from each."


def _seeded(model, prompt, count, temperature):
    torch.manual_seed(3)
    return continue_prompt.reference(model, prompt, count, temperature)


continue_prompt.wrong("seeded_inside", _seeded, seen=_all_the_same).says(
    "You set the seed inside the function, so that it always writes the same. Whoever calls it sets the seed, once."
)


def _always_the_likeliest(runs, model, *rest) -> str | None:
    likeliest = int(model["logits"].argmax())
    if model["gap"] or set(chain(*runs)) != {likeliest}:
        return None
    return f"All of {len(runs) * len(runs[0])} tokens are {likeliest}, the likeliest one."


continue_prompt.slip("argmax_in_place_of_a_draw", draw=_likeliest, seen=_always_the_likeliest).says(
    "You always took the most likely character (argmax). Draw one by its probability: torch.multinomial(probabilities, 1)."
)


def _first_always_the_same(runs, model, *rest) -> str | None:
    firsts = {run[0] for run in runs}
    if model["gap"] or len(firsts) > 1:
        return None
    return f"The first of the tokens was {firsts.pop()} in all of {len(runs)} calls; those after it vary."


def _first_greedy(probabilities: Tensor, drawn: list) -> int:
    return _draw(probabilities) if drawn else _likeliest(probabilities, drawn)


continue_prompt.slip("first_token_not_drawn", draw=_first_greedy, seen=_first_always_the_same).says(
    "The first character is drawn as well, from the logits after the prompt."
)


def _drawn(name: str, weights):
    """A mistake that is told by the shares of what was drawn: they are those of these weights (V,)."""

    def seen(runs, model, prompt, count, temperature) -> str | None:
        sentence = _misdrawn(runs, model, prompt, count, temperature)
        wrong = weights(model["logits"], temperature).clamp(0)
        return sentence if sentence and _misfit(list(chain(*runs)), wrong / wrong.sum()) < 30 else None

    return continue_prompt.slip(name, weights=weights, seen=seen)


_drawn("temperature_multiplied", lambda logits, temperature: (logits * temperature).softmax(0)).says(
    "You multiplied the logits by the temperature. Divide: a low temperature makes differences larger, and the model bolder about its favourites."
)
_drawn("temperature_without_effect", lambda logits, temperature: logits.softmax(0)).says(
    "The temperature made no difference: it was left out, or applied after the softmax, where multinomial scales it away. Divide the *logits* by it, before the softmax."
)
_drawn("drawn_blindly", lambda logits, temperature: torch.ones_like(logits)).says(
    "Every character was drawn with the same probability. Use the model's logits: torch.multinomial(probabilities, 1)."
)
_drawn("softmax_twice", lambda logits, temperature: (logits / temperature).softmax(0).softmax(0)).says(
    "There are two softmaxes, one after the other. The second one makes all probabilities nearly equal; one is enough."
)
_drawn("logits_as_weights", lambda logits, temperature: logits / temperature).says(
    "You drew with the logits themselves as weights. They are no probabilities: the softmax is missing."
)


def _unlikely_never(runs, model, prompt, count, temperature) -> str | None:
    p = _probabilities(model["logits"], temperature)
    never = set((p > 0.02).nonzero().flatten().tolist()) - set(chain(*runs))
    if model["gap"] or not never:
        return None
    expected = ", ".join(f"{token} about {len(runs) * count * p[token]:.0f} times" for token in sorted(never))
    return f"Of {len(runs) * count} draws at temperature {number(temperature)} expected {expected}; it never came."


def _three_likeliest(logits: Tensor, temperature: float) -> Tensor:
    return _probabilities(logits.where(logits >= logits.topk(3).values[-1], -math.inf), temperature)


continue_prompt.slip("only_the_likeliest", weights=_three_likeliest, seen=_unlikely_never).says(
    "You drew among the likeliest characters alone (top-k). Here every character keeps its probability, however small."
)
continue_prompt.finding(_misdrawn)


@continue_prompt.finding
def _(runs, model, prompt, count, temperature):
    """How often a token equals the one before it, as far as independent draws make that happen (Σp² of all)."""
    two, three = (float((_probabilities(model["logits"], temperature) ** power).sum()) for power in (2, 3))
    pairs, repeats = len(runs) * (count - 1), sum(a == b for run in runs for a, b in pairwise(run))
    deviation = math.sqrt(pairs * (two - two**2 + 2 * (three - two**2)))  # pairs that share a token: Σp³
    if model["gap"] or abs(repeats - pairs * two) < 5 * deviation:
        return None
    return (
        f"{repeats} of these tokens are the same as the one before, expected about {pairs * two:.0f}. "
        "Each is to be drawn anew, whatever the last one was."
    )


# --- 8.4 the horizon ------------------------------------------------------------------------------------------------


@lesson.exercise(
    points=3,
    returns=("bits", "horizon"),
    hint="For each k: gather the k characters before each place, one row a place; run the model without a state; take the logits after the last column. The horizon is the first k whose loss is at most the lowest loss plus the tolerance.",
)
def measure_horizon(model, tokens, places, lengths, tolerance):
    """The bits (a list, one number for each length) with which the tokens (N,) at places (P,) are predicted, and the horizon."""
    bits = []
    for k in lengths:
        logits = torch.stack([model(tokens[None, p - k : p])[0][0, -1] for p in places])
        bits.append(F.cross_entropy(logits, tokens[places]).item() / BIT)
    return bits, min(k for k, value in zip(lengths, bits, strict=True) if value <= min(bits) + tolerance)


class Echo(nn.Module):
    """Its memory is known: what stood j characters ago adds strengths[j - 1] to its own logit, and nothing else does."""

    def __init__(self, vocabulary: int, strengths: Tensor):
        super().__init__()
        self.vocabulary, self.strengths = vocabulary, strengths

    def forward(self, tokens: Tensor, state=None):
        seen = tokens if state is None else torch.cat([state[0], tokens], 1)
        known = F.pad(F.one_hot(seen, self.vocabulary).float(), (0, 0, len(self.strengths) - 1, 0))
        logits = sum(s * known.roll(ago, 1) for ago, s in enumerate(self.strengths.tolist()))
        return logits[:, -tokens.shape[1] :], (seen, seen)


class Rated(nn.Module):
    """Its loss is known: after k characters a 0 costs bits[k - 1], or bits[-1] where k is larger, whatever it has read."""

    def __init__(self, bits: Tensor):
        super().__init__()
        self.bits = bits

    def forward(self, tokens: Tensor, state=None):
        read = tokens.new_full((tokens.shape[0], 1), 0) if state is None else state[0]  # (B, 1)
        read = read + torch.arange(1, tokens.shape[1] + 1)  # (B, T)
        p = (-self.bits[read.clamp(max=len(self.bits)) - 1]).exp2()  # (B, T)
        return torch.stack([p, 1 - p], -1).log(), (read[:, -1:], read[:, -1:])


RATED = "bits of a 0 after 1, 2, … characters"


def _model(given: dict) -> nn.Module:
    return Rated(given[RATED]) if RATED in given else Echo(**given)


@measure_horizon.cases
def _(rng):
    def rated(bits, lengths, tolerance):
        zeros = torch.zeros(max(lengths) + 2, dtype=torch.int64)
        model = {RATED: torch.tensor(bits)}
        return model, zeros, torch.tensor([max(lengths), len(zeros) - 1]), lengths, tolerance

    yield rated([4.0, 3.0, 2.0, 1.0], [1, 2, 4], 0.0)  # the lowest one is within a tolerance of 0
    yield rated([4.0, 3.0, 1.0, 2.0], [1, 3, 4], 0.0)  # the lowest one is not the last
    yield rated([5.0, 3.0, 2.2, 2.0], [2, 3, 4], 0.5)  # the lowest one is not the first within
    yield rated([5.0, 4.0, 2.0, 4.0], [1, 2, 3, 4], 0.5)  # more context harms
    yield rated([5.0, 4.0, 3.9, 1.0], [1, 2, 3, 4], 0.5)  # a rest, and then a fall
    yield rated([5.0, 2.6, 2.0, 3.0], [1, 2, 3, 4], 0.5)  # within 0.5 nats
    yield rated([5.0, 2.4, 2.0, 3.0], [1, 2, 3, 4], 0.5)  # not within 0.5 · ln 2
    rhyme = torch.tensor([0, 1, 2, 0, 1, 2])  # what comes next is what stood three characters ago
    yield {"vocabulary": 3, "strengths": torch.tensor([0, 0, 3.0])}, rhyme, torch.tensor([5, 4]), [1, 2, 3, 4], 0.01
    for _ in range(2):
        tokens, places = (
            torch.from_numpy(rng.integers(0, 3, 30)),
            torch.from_numpy(rng.permutation(np.arange(8, 30))[:6]),
        )
        yield {"vocabulary": 3, "strengths": normal(rng, 5)}, tokens, places, [1, 2, 3, 5, 8], 0.0


@measure_horizon.ask
def _(answer, model, tokens, places, lengths, tolerance):
    return answer(_model(model), tokens, places, lengths, tolerance)


def _before(tokens: Tensor, places: Tensor, k: int) -> Tensor:
    """The k characters before each place, (P, k)."""
    return tokens[places[:, None] + torch.arange(-k, 0)]


def _loss_at_the_end(logits: Tensor, windows: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(logits[:, -1], targets)


def _first(lengths: list, within) -> int:
    return next(k for k, one in zip(lengths, within, strict=True) if one)


@measure_horizon.recipe
@torch.no_grad()
def _(
    model,
    tokens,
    places,
    lengths,
    tolerance,
    windows=_before,
    kept=False,
    loss=_loss_at_the_end,
    unit=BIT,
    horizon=lambda lengths, bits, tolerance: _first(lengths, bits <= bits.min() + tolerance),
):
    bits, state = [], None
    for k in lengths:
        shown = windows(tokens, places, k)
        logits, state = model(shown, state if kept else None)
        bits.append(loss(logits, shown, tokens[places]).item() / unit)
    return bits, horizon(lengths, np.array(bits), tolerance)


measure_horizon.slip("horizon_in_nats", unit=1).says(
    "Your losses are in nats. Divide them by math.log(2); the tolerance is in bits as well."
)
measure_horizon.slip("answer_in_the_window", windows=lambda tokens, places, k: _before(tokens, places + 1, k)).says(
    "The character to predict is the last one of your window: the model has seen the answer. The window for place p ends at p − 1."
)
measure_horizon.slip("one_character_too_many", windows=lambda tokens, places, k: _before(tokens, places, k + 1)).says(
    "The model saw one character more than k. The window for place p holds p − k, …, p − 1: k numbers."
)
measure_horizon.slip("gap_before_the_place", windows=lambda tokens, places, k: _before(tokens, places - 1, k)).says(
    "There is a gap: your window ends one character too early, and the character just before the place is missing."
)


@measure_horizon.mistake(
    "All of the text before each place was visible, whatever k. Cut a window of exactly k characters."
)
def everything_visible(model, tokens, places, lengths, tolerance):
    logits = torch.stack([model(tokens[None, :p])[0][0, -1] for p in places])
    return [F.cross_entropy(logits, tokens[places]).item() / BIT] * len(lengths), lengths[0]


def _loss_everywhere(logits: Tensor, windows: Tensor, targets: Tensor) -> Tensor:
    following = torch.cat([windows[:, 1:], targets[:, None]], 1)
    return F.cross_entropy(logits.flatten(0, 1), following.flatten())


measure_horizon.slip("every_position_counted", loss=_loss_everywhere).says(
    "You averaged over all positions of the window. The first of them see only one or two characters, whatever k: take the logits after the last column alone, logits[:, -1]."
)
measure_horizon.slip(
    "first_position_read", loss=lambda logits, windows, targets: F.cross_entropy(logits[:, 0], targets)
).says(
    "You took the logits after the first character of the window. After the last one, logits[:, -1], the model has seen all k."
)
measure_horizon.slip("state_carried_over", kept=True).says(
    "The state went on from one length to the next, so the model saw more than k characters. Each length begins with no state."
)
measure_horizon.slip(
    "bits_summed_over_places",
    loss=lambda logits, windows, targets: len(targets) * F.cross_entropy(logits[:, -1], targets),
).says("The losses were added up over the places. Take their mean: bits *per character*.")
measure_horizon.slip(
    "index_in_place_of_length", horizon=lambda lengths, bits, tolerance: int(np.argmax(bits <= bits.min() + tolerance))
).says("You returned the place in the list. The horizon is the length that stands there, in characters.")
measure_horizon.slip("lowest_of_all", horizon=lambda lengths, bits, tolerance: lengths[int(bits.argmin())]).says(
    "You returned the length with the lowest loss. The horizon is the *smallest* length that comes within the tolerance of it."
)
measure_horizon.slip(
    "largest_within",
    horizon=lambda lengths, bits, tolerance: _first(lengths[::-1], bits[::-1] <= bits.min() + tolerance),
).says(
    "You took the largest length within the tolerance. The smallest one is the horizon: what comes after it no longer helps."
)
measure_horizon.slip(
    "compared_with_the_longest", horizon=lambda lengths, bits, tolerance: _first(lengths, bits <= bits[-1] + tolerance)
).says(
    "You compared with the loss at the longest length. Compare with the lowest loss of all lengths: more context can also do harm."
)
measure_horizon.slip(
    "first_flat_step", horizon=lambda lengths, bits, tolerance: _first(lengths, [*(-np.diff(bits) <= tolerance), True])
).says(
    "You stopped where the next length gains little. A curve may rest and then fall again: compare each loss with the lowest one."
)
measure_horizon.slip(
    "tolerance_as_a_fraction",
    horizon=lambda lengths, bits, tolerance: _first(lengths, bits <= bits.min() * (1 + tolerance)),
).says("You took the tolerance as a fraction of the lowest loss. It is a number of bits: lowest + tolerance.")
measure_horizon.slip(
    "tolerance_in_nats", horizon=lambda lengths, bits, tolerance: _first(lengths, bits <= bits.min() + tolerance / BIT)
).says("You compared in nats. The tolerance is a number of bits, so compare the losses in bits.")


# --- 8.5 how well a cell tells two kinds of places apart --------------------------------------------------------------


@lesson.exercise(
    points=2,
    hint="Compare every place that has the property with every place that has not. The share of pairs in which the first has the larger value, ties counted half, is the AUROC. Ranks give the same without all the pairs.",
)
def auroc(cells, flags):
    """How often a flagged place has the larger value, for each cell: (N, C) and True or False, (N,), in; (C,) out."""
    above, below = cells[:, None] > cells, cells[:, None] < cells  # (N, N, C)
    mean_ranks = (1 + len(cells) + above.sum(1) - below.sum(1)) / 2  # equal values share theirs
    return _from_ranks(mean_ranks, flags)


def _from_ranks(ranks: Tensor, flags: Tensor) -> Tensor:
    many, few = (~flags).sum(), flags.sum()
    return (ranks[flags].sum(0) - few * (few + 1) / 2) / (few * many)


@auroc.cases
def _(rng):
    def by_hand(cells, flags):
        return dict(cells=torch.tensor(cells, dtype=torch.float32), flags=torch.tensor(flags))

    yield by_hand([[1], [2]], [False, True])
    yield by_hand([[2], [1]], [False, True])
    yield by_hand([[1], [1]], [False, True])
    yield by_hand([[3], [1], [2]], [True, False, True])
    yield by_hand([[1], [2], [2]], [False, True, True])
    yield by_hand([[1, 5], [1, 2], [2, 3]], [False, True, True])
    for case, count in enumerate((8, 9, 12, 12, 40)):
        width = int(rng.integers(2, 5))
        flags = torch.from_numpy(rng.permutation(count) < int(rng.integers(2, count // 2)))
        cells = normal(rng, count, width) + 0.7 * flags[:, None]
        yield (cells * 2).round() / 2 if case % 2 else cells, flags


@auroc.recipe
def _(cells, flags, tie=0.5, average=lambda wins: wins.mean((0, 1)), turn=lambda share: share):
    flagged, others = cells[flags][:, None], cells[~flags]  # (n1, 1, C) and (n0, C)
    wins = (flagged > others).float() + tie * (flagged == others).float()  # (n1, n0, C)
    return turn(average(wins))


auroc.slip("ties_as_losses", tie=0).says(
    "You counted a tie as a loss. Two equal values tell nothing: a tie counts one half. With ranks: equal values share the mean of their ranks."
)
auroc.slip("ties_as_wins", tie=1).says(
    "You counted a tie as a win. Two equal values tell nothing: a tie counts one half."
)
auroc.slip("upside_down", turn=lambda share: 1 - share).says(
    "Upside down: you counted the pairs in which the place *without* the property has the larger value."
)
auroc.slip("folded", turn=lambda share: torch.maximum(share, 1 - share)).says(
    "You folded the values to at least one half. Leave them: 0.1 says that the cell is *low* where the property holds, which is as good to know."
)
auroc.slip("divided_by_all_pairs", average=lambda wins: wins.sum((0, 1)) / sum(wins.shape[:2]) ** 2).says(
    "You divided by all pairs of places. Only pairs of one flagged and one other place count: n₁ · n₀ of them."
)
auroc.slip("pairs_not_divided", average=lambda wins: wins.sum((0, 1))).says(
    "You returned the number of pairs that are won. Divide by the number of pairs, n₁ · n₀."
)
auroc.slip("all_cells_together", turn=torch.mean).says(
    "This is one number for all cells together. Keep the cells apart: average over the pairs alone, (cells,) remain."
)
auroc.wrong("argsort_for_ranks", lambda cells, flags: _from_ranks(cells.argsort(0) + 1, flags)).says(
    "You took argsort for ranks. argsort says who stands at each place; ranks say at which place each one stands. Use argsort twice, or searchsorted, or scipy.stats.rankdata."
)


def _ranked_by_order(cells: Tensor) -> Tensor:
    return cells.argsort(dim=0, stable=True).argsort(0) + 1


auroc.wrong("ties_ranked_by_order", lambda cells, flags: _from_ranks(_ranked_by_order(cells), flags)).says(
    "Equal values have different ranks, by chance of their order. They share the mean of their ranks: scipy.stats.rankdata does that."
)


@auroc.mistake(
    "The rank sum was not corrected. Even the lowest flagged places have ranks: take n₁ (n₁ + 1) / 2 off before you divide."
)
def rank_sum_not_corrected(cells, flags):
    return auroc.reference(cells, flags) + (flags.sum() + 1) / 2 / (~flags).sum()


@auroc.mistake(
    "This is the correlation of each cell with the property. AUROC asks for the order only, not for how far the values lie apart."
)
def correlation(cells, flags):
    centred, property_ = cells - cells.mean(0), flags.float() - flags.float().mean()
    return (centred * property_[:, None]).sum(0) / (centred.norm(dim=0) * property_.norm())


auroc.wrong("accuracy_at_zero", lambda cells, flags: ((cells > 0) == flags[:, None]).float().mean(0)).says(
    "This is the accuracy of one threshold, zero. AUROC takes all thresholds together, so that a cell need not be centred."
)
auroc.wrong("difference_of_means", lambda cells, flags: cells[flags].mean(0) - cells[~flags].mean(0)).says(
    "You compared the means of the two kinds of places. Compare places pair by pair, and count."
)
