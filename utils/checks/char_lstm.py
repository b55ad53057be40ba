"""Exercises of lesson 08: streams of batches, a step of truncated BPTT, generation, top-k and top-p, the horizon, cells.

The answers that use a model are asked through a function that runs beside them and comes back with plain values:
numbers, weights, tokens. The models there are small ones whose behaviour is known.
"""

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils import clip_grad_norm_, clip_grad_value_, vector_to_parameters

from utils.checking import Lesson, draws, normal, steps
from utils.checking.compare import shape_or_type
from utils.checking.language import Echo, Rated, Summing
from utils.models import CharLSTM
from utils.text import encode
from utils.training import Streams, count_parameters

lesson = Lesson("08", __name__)
BIT = math.log(2)  # one bit is ln 2 nats

# --- 8.1 streams of batches ---------------------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    may_use=["utils.text"],
    hint="Encode the text once. Cut the numbers into `streams` rows of equal length, and the same numbers one character later into the rows of the targets. Then walk along both, `length` columns at a time.",
)
def stream_batches(text, alphabet, streams, length):
    """The batches in order: a list of pairs (inputs, targets), each int64, (streams, length); the last may be shorter."""
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
    for rest in (0, 1, 0, 1):
        streams, length = int(rng.integers(2, 4)), int(rng.integers(3, 5))
        letters = "".join(rng.permutation(list("acdeghiklmnoprstuvw.,!")))
        count = streams * (2 * length + rest) + 1 + int(rng.integers(0, streams))
        yield "".join(rng.choice(list(letters[:12]), count)), letters, streams, length


@stream_batches.recipe
def _(
    text, alphabet, streams, length,
    encoded=encode, rows=lambda tokens, streams, kept: tokens[:kept].unflatten(0, (streams, -1)),
    targets=lambda tokens, cut: cut(tokens.roll(-1)),
    batches=lambda row, length: row.split(length, 1), pair=lambda x, y: (x, y),
):  # fmt: skip
    tokens = encoded(text, alphabet)
    cut = partial(rows, streams=streams, kept=(len(tokens) - 1) // streams * streams)
    return list(map(pair, batches(cut(tokens), length), batches(targets(tokens, cut), length)))


stream_batches.slip("target_not_shifted", targets=lambda tokens, cut: cut(tokens)).says(
    "The targets are the inputs themselves. The model is asked for the *next* character: take the text one character later."
)
stream_batches.slip("shifted_the_wrong_way", targets=lambda tokens, cut: cut(tokens.roll(1))).says(
    "The targets are the characters *before* the inputs, which the model has just read. Shift the other way."
)
stream_batches.slip("shifted_by_two", targets=lambda tokens, cut: cut(tokens.roll(-2))).says(
    "The targets are two characters ahead: one was skipped. After the input at place i comes the target at place i + 1."
)
stream_batches.slip("shifted_inside_the_stream", targets=lambda tokens, cut: cut(tokens).roll(-1, 1)).says(
    "The last target of each stream is the stream's own first character: you shifted the rows, and they came round. Shift the text before you cut it into rows."
)
stream_batches.slip("shifted_inside_the_batch", pair=lambda x, y: (x, x.roll(-1, 1))).says(
    "The last target of each row is the row's own first character: you shifted inside a batch, and it came round. Shift the whole text before you cut it."
)
stream_batches.slip("targets_from_inside_the_window", pair=lambda x, y: (x[:, :-1], x[:, 1:])).says(
    "You took inputs and targets out of the same `length` characters, so the last character of each window is never read. Each window has `length` inputs, and its last target is the first input of the next window."
)
stream_batches.slip(
    "shifted_after_the_cut",
    rows=lambda tokens, streams, kept: tokens[: len(tokens) // streams * streams].unflatten(0, (streams, -1)),
    pair=lambda x, y: (x[:, :-1], x[:, 1:]),
).says(
    "You cut the text into batches and took inputs and targets from the same piece, so each batch is one column too narrow, and the pairs at the seams are lost. Cut inputs and targets into rows first, and then both into columns."
)
stream_batches.slip("targets_first", pair=lambda x, y: (y, x)).says(
    "The pair is the wrong way round. The inputs come first, then the targets, which are one character later."
)
stream_batches.slip("batch_and_time_swapped", pair=lambda x, y: (x.T, y.T)).says(
    "Batch and time are swapped. A batch has one row for each stream and one column for each step: (streams, length)."
)
stream_batches.slip("dealt_like_cards", rows=lambda x, streams, kept: x[:kept].unflatten(0, (-1, streams)).T).says(
    "Neighbouring characters went to different streams. Each stream is a piece of running text: reshape to (streams, each), not to (each, streams) and then transposed."
)
stream_batches.slip(
    "rows_do_not_continue",
    batches=lambda row, T: [b.view(-1, T) for b in row.flatten().split(len(row) * T) if len(b) == len(row) * T],
).says(
    "Row b of a batch does not go on in row b of the next one: you filled each batch from top to bottom with running text. Then the state that a row leaves behind belongs to another row's text."
)
stream_batches.slip("windows_overlap", batches=lambda r, T: [r[:, i:][:, :T] for i in range(r.shape[1] - T + 1)]).says(
    "Your windows overlap: each begins one character after the one before. The state already stands at the end of a window, so the next one begins where it ended."
)
stream_batches.slip("short_rest_dropped", batches=lambda row, T: [b for b in row.split(T, 1) if b.shape[1] == T]).says(
    "The rest of the streams is missing: where `length` does not divide them, the last batch is shorter, and it counts too."
)
stream_batches.slip("last_batch_missing", batches=lambda row, T: row.split(T, 1)[:-1]).says(
    "The last batch is missing, though it is a whole one. Your range ends one step too early."
)
stream_batches.slip("code_points", encoded=lambda text, alphabet: torch.tensor(list(map(ord, text)))).says(
    "You took each character's code (ord). The model has one logit for each character of the alphabet: a token is the character's place there, from 0."
)
stream_batches.slip("alphabet_of_its_own", encoded=lambda text, _: encode(text, "".join(sorted(set(text))))).says(
    "You made an alphabet of your own from this text. Use the one that is given: it also holds characters that this text does not have."
)
stream_batches.slip("counted_from_one", encoded=lambda text, alphabet: encode(text, alphabet) + 1).says(
    "You counted the places in the alphabet from 1. The first one is 0."
)


@stream_batches.mistake("You made one-hot vectors. The model wants the numbers; its embedding does the rest.")
def one_hot_vectors(text, alphabet, streams, length):
    return [(F.one_hot(x, len(alphabet)), y) for x, y in stream_batches.reference(text, alphabet, streams, length)]


@stream_batches.mistake(
    "You cut rows of N // B characters and took the targets out of the rows, so the last character of a row has no target. Cut rows of (N − 1) // B characters, and the targets from the whole text."
)
def targets_end_with_the_row(text, alphabet, streams, length):
    rows = encode(text, alphabet)[: len(text) // streams * streams].reshape(streams, -1)
    return [(rows[:, i : i + length], rows[:, 1:][:, i : i + length]) for i in range(0, rows.shape[1] - 1, length)]


@stream_batches.mistake(
    "You cut rows of N // B characters and took inputs and targets out of the same row. So the last character of each row is never read, and the next row begins too late. A row has (N − 1) // B inputs, and its last target is the first character of the next row."
)
def targets_from_the_same_row(text, alphabet, streams, length):
    rows = encode(text, alphabet)[: len(text) // streams * streams].reshape(streams, -1)
    return list(zip(rows[:, :-1].split(length, 1), rows[:, 1:].split(length, 1), strict=True))


@stream_batches.mistake(
    "You cut rows of N // B characters. Where B divides N, the last character of the text is then an input, and it has no next one, so one target is missing. A row has (N − 1) // B."
)
def rows_too_long(text, alphabet, streams, length):
    tokens, kept = encode(text, alphabet), len(text) // streams * streams
    rows = (tokens[by:][:kept].reshape(streams, kept // streams).split(length, 1) for by in (0, 1))
    return list(zip(*rows, strict=True))


@stream_batches.finding
def _(batches, *case):
    parts = [part for pair in batches if isinstance(pair, tuple | list) for part in pair if isinstance(part, Tensor)]
    floats = any(part.is_floating_point() for part in parts)
    return "The tokens are floats. They are places in the alphabet: whole numbers, int64." if floats else None


# --- 8.2 a step of truncated backpropagation through time -----------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Facts(steps.Facts):
    """What three steps came to: the last state, whether one held its graph, what came back instead of a pair."""

    state: tuple | None
    attached: bool
    instead: str


@lesson.exercise(
    points=3,
    facts=Facts,
    rtol=1e-3,
    hint="Clear the gradients, run the model on the inputs *and the state*, take the mean loss, backward, clip, step. Hand out the loss in bits, and the state cut off from its past: `.detach()` on each part.",
)
def truncated_step(model, optimizer, inputs, targets, state):
    """One step on inputs and targets (B, T), from `state` (None, or h and c, each (1, B, H)) on: (bits, new state).

    The gradient of all weights together has at most norm 1.
    """
    logits, state = model(inputs, state)
    loss = -logits.log_softmax(-1).gather(-1, targets[..., None]).mean()
    _update(optimizer, loss)
    return loss.item() / BIT, tuple(part.detach() for part in state)


ORDER = ("zero_grad", "backward", "clip", "step")


def _norm_to_one(weights: list[Tensor], limit: float) -> None:
    length = torch.cat([weight.grad.flatten() for weight in weights if weight.grad is not None]).norm()
    for weight in weights:
        if weight.grad is not None:
            weight.grad *= limit / length


def _each_clipped(weights: list[Tensor], limit: float) -> None:
    for weight in weights:
        clip_grad_norm_([weight], limit)


def _update(
    optimizer: torch.optim.Optimizer, loss: Tensor, order: tuple[str, ...] = ORDER, clip=clip_grad_norm_, **options
) -> None:
    """What turns a loss into a step. `order` says what is done, and when; `options` are those of backward."""
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    does = {
        "zero_grad": optimizer.zero_grad,
        "backward": lambda: loss.backward(**options),
        "clip": lambda: clip(weights, 1.0),
        "step": optimizer.step,
    }
    for name in order:
        does[name]()


def _lstm(vocabulary: int, width: int, all_0_but_the_last: Tensor) -> CharLSTM:
    """One whose last weights are given; the others are 0."""
    model = CharLSTM(vocabulary, width)
    zeros = count_parameters(model) - len(all_0_but_the_last)
    vector_to_parameters(F.pad(all_0_but_the_last, (zeros, 0)), model.parameters())
    return model


@truncated_step.cases
def _(rng):
    # More steps than classes, so that logits that were not flattened cannot be taken for (B, V, T).
    sgd, ones = {"learning rate": 0.5}, torch.ones(1, 3, dtype=torch.int64)
    tiny = {"vocabulary": 2, "width": 1, "all_0_but_the_last": torch.tensor([0.0, 0.0])}
    yield tiny, sgd, 0 * ones, ones, None
    steep = tiny | {"all_0_but_the_last": torch.tensor([4.0, 0.0])}  # so surely wrong that its gradient is long
    yield steep, sgd, ones, ones, (torch.zeros(1, 1, 1),) * 2
    # A large weight of the head lets single numbers of the gradient, and those of several tensors, be larger than 1.
    loud = tiny | {"all_0_but_the_last": torch.tensor([4.0, -4.0, 0.0, 0.0])}
    yield loud, sgd, 0 * ones, ones, (torch.zeros(1, 1, 1), torch.full((1, 1, 1), 4.0))
    for B, T, H, V in [(2, 3, 2, 4), (3, 2, 3, 3)]:
        weights = normal(rng, count_parameters(CharLSTM(V, H)))
        text = torch.from_numpy(rng.integers(0, V, (B, T + 1)))
        model = {"vocabulary": V, "width": H, "all_0_but_the_last": weights}
        state = normal(rng, 1, B, H).tanh(), normal(rng, 1, B, H)
        yield model, sgd | {"momentum": 0.5}, text[:, :-1].contiguous(), text[:, 1:].contiguous(), state


@truncated_step.ask
def _(answer, model, optimizer, inputs, targets, state):
    tiny = _lstm(**model)
    sgd = steps.sgd(tiny, optimizer)
    states, instead = [state], []

    def step():
        given = answer(tiny, sgd, inputs, targets, states[-1])
        match given:
            case [loss, [Tensor(), Tensor()] as state]:
                states.append(state)
                return loss
        instead.append(_in_place_of_a_pair(given))
        return None if given is None else 0.0

    facts = steps.take(step, tiny, sgd, count=3, evaluate_between=False)
    attached = any(part.requires_grad for state in states[1:] for part in state)
    return facts and Facts(**vars(facts), state=states[-1], attached=attached, instead=" ".join(instead[:1]))


def _in_place_of_a_pair(given: object) -> str:
    match given:
        case [_, [first, second]]:
            return f"Its second item holds {shape_or_type(first)} and {shape_or_type(second)}. Expected the state there, a pair of tensors (h, c)."
        case [_, second]:
            return f"Its second item is {shape_or_type(second)}. Expected the state there, itself a pair (h, c)."
    return (
        f"It returned {shape_or_type(given)}. Expected a pair: the loss, and the state, which is itself a pair (h, c)."
    )


@truncated_step.finding
def _(facts, *case):
    return facts.instead


@truncated_step.recipe
def _(
    model, optimizer, inputs, targets, state,
    begin=lambda state: state, pairs=lambda logits, inputs, targets: (logits, targets),
    loss=F.cross_entropy, update=_update, after=False, unit=BIT, give=Tensor.item,
    end=lambda new, old: tuple(part.detach() for part in new),
):  # fmt: skip
    def value():
        logits, new = model(inputs, begin(state))
        ours, theirs = pairs(logits, inputs, targets)
        return loss(ours.flatten(0, 1), theirs.flatten()), new

    before, new = value()
    update(optimizer, before)
    return give(value()[0] if after else before) / unit, end(new, state)


def _still_attached(facts, *case, error: str = "") -> str | None:
    later = f" A later step raised: {facts.error.split('.')[0]}." if facts.error else ""
    return f"The state came back with a graph behind it.{later}" if facts.attached and error in facts.error else None


truncated_step.slip(
    "graph_retained",
    update=partial(_update, retain_graph=True),
    end=lambda new, old: new,
    seen=partial(_still_attached, error="inplace"),
).says(
    "You kept the graph of the step before (retain_graph=True) and did not detach the state, so backward went through weights that have changed since. Detach h and c; then nothing needs to be retained."
)
truncated_step.slip("state_not_detached", end=lambda new, old: new, seen=_still_attached).says(
    "The state still hangs on the graph of its step, so a second backward runs into that step, whose graph is gone. Detach every part of the state that you hand back: h and c."
)
steps.usual(
    truncated_step,
    *("graph_returned", "optimizer_of_its_own", "no_step", "no_backward", "step_before_backward"),
    "cleared_before_the_step",
)
truncated_step.slip("no_zero_grad", update=partial(_update, order=ORDER[1:])).says(
    steps.USUAL["no_zero_grad"].explanation
)
truncated_step.slip("gradient_not_clipped", update=steps.update).says(
    "The gradient went into the step at its full length. Clip it between backward and step, all weights together, to a norm of 1.0: before backward there is nothing to clip, and after the step it is too late."
)
truncated_step.slip("clipped_by_value", update=partial(_update, clip=clip_grad_value_)).says(
    "You clipped each number of the gradient (clip_grad_value_). That turns the gradient. Shorten it as a whole: clip_grad_norm_."
)
truncated_step.slip("each_weight_clipped", update=partial(_update, clip=_each_clipped)).says(
    "You clipped the gradient of each tensor on its own. The norm is that of all of them together: clip_grad_norm_(model.parameters(), 1.0), once."
)
truncated_step.slip("always_norm_one", update=partial(_update, clip=_norm_to_one)).says(
    "You made every gradient as long as 1. Only those that are longer are shortened; a short one stays as it is."
)
steps.usual(truncated_step, "summed_loss", "softmax_before_cross_entropy", "loss_after_the_step")


@truncated_step.mistake(
    "You returned the mean loss, but went along the gradient of the sum, which grows with the batch. Backward on the mean."
)
def stepped_along_the_sum(model, optimizer, inputs, targets, state):
    logits, new = model(inputs, state)
    loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="sum")
    _update(optimizer, loss)
    return loss.item() / targets.numel() / BIT, tuple(part.detach() for part in new)


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
truncated_step.slip("stepped_along_bits", loss=lambda z, y: F.cross_entropy(z, y) / BIT, unit=1).says(
    "You went along the gradient of the loss in bits, which is 1.44 times as long. Backward on the loss in nats; bits are for people."
)
truncated_step.slip("last_position_only", pairs=lambda z, x, y: (z[:, -1:], y[:, -1:])).says(
    "Only the last character of each row counted. Every position has a target, so every position has a loss."
)
truncated_step.slip("flattened_in_another_order", pairs=lambda z, x, y: (z.transpose(0, 1), y)).says(
    "Logits and targets were flattened in different orders: one row by row, the other column by column. Flatten both with flatten(0, 1)."
)
truncated_step.slip("inputs_as_targets", pairs=lambda z, x, y: (z, x)).says(
    "You compared the logits with the inputs. The model then learns to repeat what it has just read. The targets are the next characters."
)


# --- 8.3 continue a prompt ------------------------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    compare=False,
    hint="Read the whole prompt once. Then, again and again: divide the last logits by the temperature, softmax, draw one, and let the model read the one that you drew, with the state that it left.",
)
def continue_prompt(model, prompt, count, temperature):
    """A list of `count` new tokens after the prompt (T,). The model reads tokens (B, T) and gives logits (B, T, V)."""
    text = prompt.tolist()
    for _ in range(count):
        logits, _ = model(torch.tensor([text]))
        text.append(int(torch.multinomial(_probabilities(logits[0, -1], temperature), 1)))
    return text[len(prompt) :]


def _probabilities(logits: Tensor, temperature: float) -> Tensor:
    return (logits / temperature).softmax(0)


@continue_prompt.cases
def _(rng):
    steep, flat = torch.tensor([4.0, 3.5, 2, 2, 1, 1, 0, 0]), torch.tensor([2.0, 1.5, 1, 0.5, 0, -0.5, -1, -1.5])
    yield {"logits": steep, "gap": 0.0}, torch.tensor([0]), 12, 0.4
    yield {"logits": flat[torch.from_numpy(rng.permutation(8))], "gap": 0.0}, torch.tensor([1, 2]), 5, 2.0
    for size, prompt in [(17, [1, 2, 4]), (19, [5, 1, 1]), (23, [3])]:
        yield {"logits": torch.zeros(size), "gap": 90.0}, torch.tensor(prompt), 6, 1.0
    # Two tokens are as likely: whether the one that is drawn is the one that is read.
    yield {"logits": torch.zeros(17), "gap": 90.0, "choices": 2}, torch.tensor([1, 2, 4]), 6, 1.0


@continue_prompt.ask
def _(answer, model, prompt, count, temperature):
    calls = 20 if model["gap"] else 300
    return draws.ask(lambda: answer(Summing(**model), prompt, count, temperature), calls)


@continue_prompt.recipe
def _(
    model, prompt, count, temperature,
    first=lambda prompt: prompt, weights=_probabilities, draw=lambda p: torch.multinomial(p, 1),
    following=lambda prompt, drawn, p: torch.tensor(drawn[-1:]), passed=lambda early, late: late,
):  # fmt: skip
    logits, early = model(first(prompt)[None])
    drawn, late = [], early
    for _ in range(count):
        p = weights(logits[0, -1], temperature)
        drawn.append(int(draw(p)))
        logits, late = model(following(prompt, drawn, p)[None], passed(early, late))
    return drawn


def _begin_with_the_prompt(runs, model, prompt, count, temperature) -> str | None:
    long = all(list(run[: len(prompt)]) == prompt.tolist() and len(run) == count + len(prompt) for run in runs)
    return f"Expected {count} new tokens; got {len(runs[0])}, the first of which are the prompt." if long else None


continue_prompt.wrong(
    "prompt_returned_too",
    lambda model, prompt, *rest: prompt.tolist() + continue_prompt.reference(model, prompt, *rest),
    seen=_begin_with_the_prompt,
).says("The prompt is part of what you returned. Return the new tokens only.")


@continue_prompt.finding
def _(runs, model, prompt, count, temperature):
    return draws.malformed(runs, count, len(model["logits"]))


def _fitting(run, model, prompt, read=lambda choices, token: [token]) -> int:
    """How many tokens of a run can come from a model that reads one of `read(choices, token)` after each token."""
    size, totals = len(model["logits"]), {int(prompt.sum())}
    for at, token in enumerate(run):
        after = {total: [(total + 1 + more) % size for more in range(model.get("choices", 1))] for total in totals}
        totals = {total + new for total, choices in after.items() if token in choices for new in read(choices, token)}
        if not totals:
            return at
    return len(run)


def _misread(runs, model, prompt, count, temperature) -> str | None:
    """What the model reads shows where it leaves little choice."""
    if not model["gap"]:
        return None
    size, choices = len(model["logits"]), model.get("choices", 1)
    leaves, more = ("no", "one") if choices == 1 else ("little", "one or two")
    said = f"This model leaves {leaves} choice: the next token is {more} more than the sum of all before it, modulo {size}."
    for run in runs:
        if (at := _fitting(run, model, prompt)) < len(run):
            text = prompt.tolist() + run[:at]
            expected = " or ".join(str((sum(text) + 1 + further) % size) for further in range(choices))
            return f"{said} After {text} expected {expected}, got {run[at]}."
    return None


def _reads(name: str, answer=None, **switches):
    """A slip, or an answer, that is told by the tokens that it gives where there is no choice."""
    wrong = answer or continue_prompt.variant(**switches)

    def seen(runs, model, *rest) -> str | None:
        found = "choices" not in model and _misread(runs, model, *rest)
        return found if found and runs[0] == wrong(Summing(**model), *rest) else None

    return continue_prompt.wrong(name, wrong, seen=seen)


def _reads_another(name: str, following, read):
    """A slip whose every run fits a model that reads one of `read(choices, token)` after each token."""

    def seen(runs, model, prompt, *rest) -> str | None:
        found = "choices" in model and _misread(runs, model, prompt, *rest)
        return found if found and all(_fitting(run, model, prompt, read) == len(run) for run in runs) else None

    return continue_prompt.slip(name, following=following, seen=seen)


_reads("state_not_passed_on", passed=lambda early, late: None).says(
    "After the prompt the model saw one character at a time with an empty memory. Pass the state that it returned: model(tokens, state)."
)
_reads("last_character_of_the_prompt", first=lambda prompt: prompt[-1:]).says(
    "The model read the last character of the prompt only. Let it read the whole prompt before you draw."
)
_reads("last_character_read_twice", first=lambda prompt: torch.cat([prompt, prompt[-1:]])).says(
    "The model read the last character of the prompt twice: once with the prompt, and once more before the first draw. The logits after the prompt are already those for the first new character."
)
_reads("text_read_again", following=lambda prompt, drawn, p: torch.cat([prompt, torch.tensor(drawn)])).says(
    "The model read the whole text again at each step, and kept the state as well: it has read the beginning many times over. With a state, feed only the new character."
)
_reads("drawn_character_not_fed", following=lambda prompt, drawn, p: prompt[-1:]).says(
    "The model never read what you drew: it got the same old character at each step. Feed it the character that you have just drawn."
)
_reads("state_of_the_prompt_kept", passed=lambda early, late: early).says(
    "Each new character was read with the state that stood after the prompt, as if none had come between. Keep the state that the model returns each time."
)
_reads(
    "all_from_the_same_logits",
    lambda model, prompt, count, temperature: torch.multinomial(
        _probabilities(model(prompt[None])[0][0, -1], temperature), count, replacement=True
    ).tolist(),
).says(
    "All characters were drawn from the logits after the prompt. Let the model read each one, and draw the next from its new logits."
)
_reads_another(
    "most_likely_one_read", lambda prompt, drawn, p: p.argmax()[None], lambda choices, token: [min(choices)]
).says(
    "You keep what you draw, but the model reads the most likely character instead. Let it read the one that you keep."
)
_reads_another(
    "another_draw_read", lambda prompt, drawn, p: torch.multinomial(p, 1), lambda choices, token: choices
).says("What you keep and what the model reads are two draws. Draw once, keep it, and let the model read the same.")
continue_prompt.finding(_misread)


def _misdrawn(runs, model, prompt, count, temperature) -> str | None:
    """What is drawn shows where it is left to chance."""
    return None if model["gap"] else draws.misdrawn(runs, _probabilities(model["logits"], temperature))


# What draws may follow, (logits, temperature) -> weights of the first one and of the rest. Two that have no name are
# nearly like some that have one.
FOLLOWED = {
    "multiplied after a softmax": lambda z, t: ((z.softmax(0) * t).softmax(0),) * 2,
    "two softmaxes and no temperature": lambda z, t: (z.softmax(0).softmax(0),) * 2,
}


def _draws(name: str, weights, answer=None, first=None, **switches):
    """A slip, or an answer, that is told by the shares of its draws, `weights(logits, temperature)`, where the first
    case fails; `first` gives those of the first draw, if they are others."""
    FOLLOWED[name] = lambda z, t: ((first or weights)(z, t).clamp(0), weights(z, t).clamp(0))

    def seen(runs, model, prompt, count, temperature) -> str | None:
        found = temperature < 1 and _misdrawn(runs, model, prompt, count, temperature)
        followed = {one: pair(model["logits"], temperature) for one, pair in FOLLOWED.items() if found}
        return found if found and draws.likest(runs, followed) == name else None

    return continue_prompt.wrong(name, answer or continue_prompt.variant(**switches or {"weights": weights}), seen=seen)


_draws("argmax_in_place_of_a_draw", lambda z, t: (z == z.max()).float(), draw=torch.argmax).says(
    "You always took the most likely character (argmax). Draw one by its probability: torch.multinomial(probabilities, 1)."
)
_draws("temperature_multiplied", lambda z, t: (z * t).softmax(0)).says(
    "You multiplied the logits by the temperature. Divide: a low temperature makes differences larger, and the model bolder about its favourites."
)
_draws("temperature_without_effect", lambda z, t: z.softmax(0)).says(
    "The temperature made no difference: it was left out, or applied after the softmax, where multinomial scales it away. Divide the *logits* by it, before the softmax."
)


def temperature_once(model, prompt, count, temperature):
    divided = iter([temperature])
    slipped = continue_prompt.variant(weights=lambda z, t: _probabilities(z, next(divided, 1.0)))
    return slipped(model, prompt, count, temperature)


_draws("temperature_once", lambda z, t: z.softmax(0), temperature_once, _probabilities).says(
    "Only the first draw follows the temperature. Divide the logits by it anew before each draw, inside the loop."
)
_draws("softmax_before_the_temperature", lambda z, t: (z.softmax(0) / t).softmax(0)).says(
    "You took a softmax, divided that by the temperature, and took a softmax again. Divide the *logits* by it, then take one softmax."
)
_draws("drawn_blindly", lambda z, t: torch.ones_like(z)).says(
    "Every character was drawn with the same probability. Use the model's logits: torch.multinomial(probabilities, 1)."
)
_draws("softmax_twice", lambda z, t: (z / t).softmax(0).softmax(0)).says(
    "There are two softmaxes, one after the other. The second one makes all probabilities nearly equal; one is enough."
)
_draws("logits_as_weights", lambda z, t: z / t).says(
    "You drew with the logits themselves as weights. They are no probabilities: the softmax is missing."
)
continue_prompt.finding(_misdrawn)


# --- 8.4 top-k and top-p ---------------------------------------------------------------------------------------------


@lesson.exercise(
    points=2,
    hint="Sort from the likeliest down, and remember who stood where. Cut after k, rescale, cut where the sum reaches p, rescale, and put what is left back into its places.",
)
def keep_likely(probabilities, k, p):
    """Of probabilities (V,) keep the k largest, then the fewest of these that make up a share of at least p: (V,)."""
    ranked = sorted(range(len(probabilities)), key=lambda token: -probabilities[token].item())[:k]
    total, kept, so_far = sum(probabilities[token].item() for token in ranked), [], 0.0
    for token in ranked:
        if kept and so_far >= p * total * (1 - 1e-6):
            break
        kept.append(token)
        so_far += probabilities[token].item()
    result = torch.zeros_like(probabilities)
    result[kept] = probabilities[kept] / so_far
    return result


@keep_likely.cases
def _(rng):
    eighths = torch.tensor([4.0, 2, 1, 1]) / 8
    yield dict(probabilities=eighths, k=1, p=1.0)
    yield dict(probabilities=eighths, k=2, p=1.0)
    yield dict(probabilities=eighths, k=4, p=0.5)  # exactly reached by the first
    yield dict(probabilities=eighths, k=4, p=0.25)  # the second has it too, but is not needed
    yield dict(probabilities=eighths, k=4, p=0.7)  # reached by the second, and passed
    yield dict(probabilities=eighths[[2, 0, 1, 3]], k=4, p=0.7)  # not sorted
    yield dict(probabilities=eighths, k=2, p=0.6)  # of the two that are left, the first has 2/3
    yield dict(probabilities=torch.tensor([5.0, 4, 4.5, 2.5]) / 16, k=3, p=0.65)
    for size, k, p in [(6, 3, 0.8), (7, 7, 0.55), (8, 5, 0.9), (9, 4, 0.3)]:
        weights = torch.from_numpy(rng.permutation(np.arange(1, size + 1) ** 1.3)).float()
        yield dict(probabilities=weights / weights.sum(), k=k, p=p)


@keep_likely.recipe
def _(
    probabilities, k, p, largest=True, narrow=lambda ranked, k: ranked[:k], between=True, scale=lambda x: x / x.sum(),
    reached=lambda sums, ranked, p: sums - ranked < p * (1 - 1e-6), kept_of=lambda ranked, shares: ranked,
    back=lambda full, places: torch.zeros_like(full).scatter(0, places, full),
):  # fmt: skip
    ranked, places = probabilities.sort(descending=largest)
    ranked = narrow(ranked, k)
    shares = ranked / ranked.sum() if between else ranked
    kept = reached(shares.cumsum(0), shares, p)
    ranked = scale(kept_of(ranked, shares).where(kept, torch.tensor(0.0)))
    return back(F.pad(ranked, (0, len(places) - len(ranked))), places)


keep_likely.slip("k_ignored", narrow=lambda ranked, k: ranked).says(
    "More than k characters are left: the cut after the k likeliest is missing."
)
keep_likely.slip("p_ignored", reached=lambda sums, ranked, p: sums < 9).says(
    "You kept all k. Of these, keep only the fewest that together make up a share of at least p."
)
keep_likely.slip("not_rescaled", scale=lambda x: x).says(
    "What is left no longer adds up to 1. Divide it by its sum, so that it is a distribution again."
)
keep_likely.slip("second_rescale_missing", scale=lambda x: x, kept_of=lambda ranked, shares: shares).says(
    "After the second cut the sum is below 1 again. Rescale once more."
)
keep_likely.slip("never_rescaled", scale=lambda x: x, between=False).says(
    "You never rescaled. After each of the two cuts, divide what is left by its sum."
)
keep_likely.slip("rescaled_by_softmax", scale=lambda x: x.softmax(0)).says(
    "You rescaled with a softmax. That belongs to logits; these are probabilities already: divide by their sum."
)
keep_likely.slip("last_one_missing", reached=lambda sums, ranked, p: (sums <= p) | (ranked == ranked.max())).says(
    "The character with which the sum reaches p is missing. It still belongs to those that are kept, so that they have *at least* p."
)
for name, reached in {
    "at_most_p": lambda sums, ranked, p: sums <= p * (1 + 1e-6),
    "less_than_p": lambda sums, ranked, p: sums < p * (1 - 1e-6),
}.items():
    keep_likely.slip(name, reached=reached).says(
        "You kept the characters whose running sum stays below p, so the one with which it reaches p is missing, and sometimes nothing is left. Keep a character if the sum of those *before* it has not reached p yet."
    )
keep_likely.slip("one_too_many", reached=lambda sums, ranked, p: sums - ranked <= p * (1 + 1e-6)).says(
    "One character too many where the sum is exactly p: it has been reached already."
)
keep_likely.slip("p_as_a_threshold", reached=lambda s, x, p: (x >= p) | (x == x.max())).says(
    "You kept the characters whose own probability is at least p. p is a share for all that are kept together: add them up from the likeliest down."
)
keep_likely.slip("sum_not_rescaled", between=False).says(
    "You compared p with sums of the probabilities as they came. Cut to k first, and rescale: p is a share of what is left."
)
keep_likely.slip("least_likely_kept", largest=False).says(
    "You kept the *least* likely ones: the order is upside down. Sort with descending=True."
)
keep_likely.slip("read_instead_of_put", back=lambda full, places: full[places]).says(
    "You read from the places, `ranked[places]`, instead of putting into them. The number at rank i belongs to character places[i]: write `kept[places] = ranked`."
)
keep_likely.slip("returned_in_order", back=lambda full, places: full).says(
    "The numbers are right and stand in the wrong places: you returned them sorted. Each belongs to its own character, so put them back: the indices of sort say where."
)


@keep_likely.finding
def _(kept, *case):
    empty = isinstance(kept, Tensor) and bool(kept.isnan().any())
    why = "There is a nan: nothing was left to rescale, and its sum is 0. The character with which the sum reaches p still belongs to those that are kept: ask whether the sum of those *before* it has reached p."
    return why if empty else None


@keep_likely.mistake("Only the likeliest was kept, whatever k and p are. That leaves nothing to draw.")
def only_the_likeliest(probabilities, k, p):
    return F.one_hot(probabilities.argmax(), len(probabilities)).float()


# --- 8.5 the horizon ------------------------------------------------------------------------------------------------


@lesson.exercise(
    points=3,
    returns=("bits", "horizon"),
    hint="For each k: gather the k characters before each place, one row a place; run the model without a state; take the logits after the last column. The horizon is the first k whose loss is at most the lowest loss plus the tolerance.",
)
def measure_horizon(model, tokens, places, lengths, tolerance):
    """The loss of the tokens (N,) at the places (P,), in bits, as a list with one number for each length; the horizon."""
    bits = []
    for k in lengths:
        logits = torch.stack([model(tokens[None, p - k : p])[0][0, -1] for p in places])  # (P, V)
        bits.append(F.cross_entropy(logits, tokens[places]).item() / BIT)
    return bits, min(k for k, value in zip(lengths, bits, strict=True) if value <= min(bits) + tolerance)


@measure_horizon.cases
def _(rng):
    for bits, lengths, tolerance in [
        ([4.0, 3.0, 2.0, 1.0], [1, 2, 4], 0.0),  # the lowest one is within a tolerance of 0
        ([4.0, 3.0, 1.0, 2.0], [1, 3, 4], 0.0),
        ([5.0, 3.0, 2.2, 2.0], [2, 3, 4], 0.5),  # a shorter one is within
        ([3.0, 2.6, 2.2], [1, 2, 3], 0.5),  # a step down by less than the tolerance
        ([5.0, 4.0, 2.0, 4.0], [1, 2, 3, 4], 0.5),  # more context harms
        ([5.0, 4.0, 3.9, 1.0], [1, 2, 3, 4], 0.5),  # a rest, and then a fall
        ([5.0, 2.6, 2.0, 3.0], [1, 2, 3, 4], 0.5),  # 0.6 bits are within 0.5 nats
        ([5.0, 2.4, 2.0, 3.0], [1, 2, 3, 4], 0.5),
    ]:
        rated = {"bits_after_reading": torch.tensor(bits)}
        yield rated, torch.zeros(6, dtype=torch.int64), torch.tensor([4, 5]), lengths, tolerance
    rhyme = torch.tensor([0, 1, 2, 0, 1, 2])  # what comes next is what stood three characters ago
    yield {"vocabulary": 3, "strengths": torch.tensor([0, 0, 3.0])}, rhyme, torch.tensor([5, 4]), [1, 2, 3, 4], 0.01
    for _ in range(2):
        tokens, places = (
            torch.from_numpy(rng.integers(0, 3, 30)),
            torch.from_numpy(rng.permutation(np.arange(8, 30, dtype=np.int64))),
        )
        yield {"vocabulary": 3, "strengths": normal(rng, 5)}, tokens, places[:6], [1, 2, 3, 5, 8], 0.0


@measure_horizon.ask
def _(answer, model, tokens, places, lengths, tolerance):
    return answer((Echo if "strengths" in model else Rated)(**model), tokens, places, lengths, tolerance)


def _before(tokens: Tensor, places: Tensor, k: int) -> Tensor:
    """The k characters before each place, (P, k)."""
    return tokens[places[:, None] + torch.arange(-k, 0)]


@measure_horizon.recipe
@torch.no_grad()
def _(
    model, tokens, places, lengths, tolerance,
    windows=_before, kept=False, unit=BIT,
    loss=lambda logits, windows, targets: F.cross_entropy(logits[:, -1], targets),
    within=lambda bits, tolerance: bits <= bits.min() + tolerance,
    pick=lambda lengths, within: next(k for k, one in zip(lengths, within, strict=True) if one),
):  # fmt: skip
    bits, state = [], None
    for k in lengths:
        shown = windows(tokens, places, k)
        logits, state = model(shown, state if kept else None)
        bits.append(loss(logits, shown, tokens[places]).item() / unit)
    return bits, pick(lengths, within(np.array(bits), tolerance))


measure_horizon.slip("horizon_in_nats", unit=1).says(
    "Your losses are in nats. Divide them by math.log(2); the tolerance is in bits as well."
)
measure_horizon.slip("answer_in_the_window", windows=lambda x, p, k: _before(x, p + 1, k)).says(
    "The character to predict is the last one of your window: the model has seen the answer. The window for place p ends at p − 1."
)
measure_horizon.slip("one_character_too_many", windows=lambda x, p, k: _before(x, p, k + 1)).says(
    "The model saw one character more than k. The window for place p holds p − k, …, p − 1: k numbers."
)
measure_horizon.slip("gap_before_the_place", windows=lambda x, p, k: _before(x, p - 1, k)).says(
    "There is a gap: your window ends one character too early, and the character just before the place is missing."
)


@measure_horizon.mistake("All of the text before each place was visible, whatever k. Cut windows of k characters.")
def everything_visible(model, tokens, places, lengths, tolerance):
    logits = torch.stack([model(tokens[None, :p])[0][0, -1] for p in places])
    return [F.cross_entropy(logits, tokens[places]).item() / BIT] * len(lengths), lengths[0]


def _loss_everywhere(logits: Tensor, windows: Tensor, targets: Tensor) -> Tensor:
    following = torch.cat([windows[:, 1:], targets[:, None]], 1)
    return F.cross_entropy(logits.flatten(0, 1), following.flatten())


measure_horizon.slip("every_position_counted", loss=_loss_everywhere).says(
    "You averaged over all positions of the window. The first of them see only one or two characters, whatever k: take the logits after the last column alone, logits[:, -1]."
)
measure_horizon.slip("first_position_read", loss=lambda z, x, y: F.cross_entropy(z[:, 0], y)).says(
    "You took the logits after the first character of the window. After the last one, logits[:, -1], the model has seen all k."
)
measure_horizon.slip("bits_summed_over_places", loss=lambda z, x, y: len(y) * F.cross_entropy(z[:, -1], y)).says(
    "The losses were added up over the places. Take their mean: bits *per character*."
)
measure_horizon.slip("state_carried_over", kept=True).says(
    "The state went on from one length to the next, so the model saw more than k characters. Each length begins with no state."
)
measure_horizon.slip("index_in_place_of_length", pick=lambda lengths, within: int(within.argmax())).says(
    "You returned the place in the list. The horizon is the length that stands there, in characters."
)
measure_horizon.slip("lowest_of_all", within=lambda bits, eps: bits == bits.min()).says(
    "You returned the length with the lowest loss. The horizon is the *smallest* length that comes within the tolerance of it."
)
measure_horizon.slip("less_than_the_tolerance", within=lambda bits, eps: bits < bits.min() + eps).says(
    "You asked for *less* than lowest + tolerance. The horizon has at most that, <=: with a tolerance of 0, the lowest loss itself would not be less."
)


def _last_gain(bits: np.ndarray, tolerance: float) -> np.ndarray:
    """True where the loss was lower than the best one before, by more than the tolerance, for the last time."""
    best, last = math.inf, 0
    for at, value in enumerate(bits):
        if value < best - tolerance:
            best, last = value, at
    return np.arange(len(bits)) == last


measure_horizon.slip("best_so_far", within=_last_gain).says(
    "You compared each loss with the best one so far, and looked for the last clear gain. Compare with the lowest loss of all lengths, once all are known."
)
measure_horizon.slip("largest_within", pick=lambda lengths, within: max(np.array(lengths)[within])).says(
    "You took the largest length within the tolerance. The smallest one is the horizon: what comes after it no longer helps."
)
measure_horizon.slip("compared_with_the_longest", within=lambda bits, eps: bits <= bits[-1] + eps).says(
    "You compared with the loss at the longest length. Compare with the lowest loss of all lengths: more context can also do harm."
)
measure_horizon.slip("first_flat_step", within=lambda bits, eps: np.append(-np.diff(bits) <= eps, True)).says(
    "You stopped where the next length gains little. A curve may rest and then fall again: compare each loss with the lowest one."
)
measure_horizon.slip("tolerance_as_a_fraction", within=lambda bits, eps: bits <= bits.min() * (1 + eps)).says(
    "You took the tolerance as a fraction of the lowest loss. It is a number of bits: lowest + tolerance."
)
measure_horizon.slip("tolerance_in_nats", within=lambda bits, eps: bits <= bits.min() + eps / BIT).says(
    "You took the tolerance as a number of nats. It is in bits, as the losses are."
)


# --- 8.6 the cell that tells two kinds of places apart -----------------------------------------------------------------


@lesson.exercise(
    points=3,
    returns=("cell", "auroc"),
    hint="The AUROC of a cell is the share of pairs, one flagged place and one other, in which the flagged one has the larger value, ties counted half. Take it for every cell in the first half; pick the one that is farthest from ½; take that cell's AUROC in the second half.",
)
def find_cell(cells, flags):
    """The cell that tells the flags best in the first half, and its AUROC in the second: (2, N, H) and (2, N) in."""
    first = _auroc(cells[0], flags[0])
    cell = int((first - 0.5).abs().argmax())
    return cell, _auroc(cells[1], flags[1])[cell].item()


def _auroc(cells: Tensor, flags: Tensor) -> Tensor:
    """How often a flagged place has the larger value, for each cell: (N, H) and (N,) in, (H,) out."""
    above, below = cells[:, None] > cells, cells[:, None] < cells  # (N, N, H)
    return _from_ranks((1 + len(cells) + above.sum(1) - below.sum(1)) / 2, flags)  # equal values share their ranks


def _from_ranks(ranks: Tensor, flags: Tensor) -> Tensor:
    many, few = (~flags).sum(), flags.sum()
    return (ranks[flags].sum(0) - few * (few + 1) / 2) / (few * many)


@find_cell.cases
def _(rng):
    for cells, flags in [
        ([[[1], [2]], [[1], [2]]], [[False, True]] * 2),
        ([[[1], [2]], [[2], [1]]], [[False, True]] * 2),
        ([[[1], [2]], [[1], [1]]], [[False, True]] * 2),
        ([[[1, 1], [1, 2]], [[1, 2], [2, 1]]], [[False, True]] * 2),  # the second one, and its own value
        ([[[2, 1, 2], [1, 2, 2], [2, 3, 2]], [[1, 2, 2], [2, 1, 1], [2, 1, 3]]], [[True, False, False]] * 2),
        ([[[3, 1], [1, 2], [2, 2]], [[1, 3], [2, 1], [2, 2]]], [[True, False, True], [False, True, True]]),
    ]:
        yield torch.tensor(cells, dtype=torch.float32), torch.tensor(flags)
    drawn = 0
    while drawn < 6:
        count, width = int(rng.integers(6, 13)), int(rng.integers(3, 5))
        flags = torch.from_numpy(np.stack([rng.permutation(count) < int(rng.integers(2, count // 2)) for _ in "12"]))
        tells = torch.from_numpy(rng.choice([-2.0, 0.0, 1.0], width)).float()
        cells = normal(rng, 2, count, width) + flags[..., None] * tells + 0.7
        cells = (cells * 2).round() / 2 if drawn % 2 else cells
        if _clear(cells, flags):
            drawn += 1
            yield cells, flags


def _clear(cells: Tensor, flags: Tensor) -> bool:
    """Whether one cell is the best of the first half, and by more than rounding."""
    best = (_auroc(cells[0], flags[0]) - 0.5).abs().sort(descending=True).values
    return bool(best[0] > best[1] + 0.01)


def _wins(cells: Tensor, flags: Tensor, tie: float) -> Tensor:
    flagged, others = cells[flags][:, None], cells[~flags]  # (n1, 1, H) and (n0, H)
    return (flagged > others).float() + tie * (flagged == others).float()  # (n1, n0, H)


@find_cell.recipe
def _(
    cells, flags, tie=0.5, average=lambda wins: wins.mean((0, 1)), turn=lambda share: share, area=None,
    search=lambda x: x[0], report=lambda x: x[1], distance=lambda share: (share - 0.5).abs(),
):  # fmt: skip
    def measured(x: Tensor, f: Tensor) -> Tensor:
        return turn(area(x, f) if area else average(_wins(x, f, tie)))

    cell = int(distance(measured(search(cells), search(flags))).argmax())
    return cell, measured(report(cells), report(flags))[cell].item()


def _both(halves: Tensor) -> Tensor:
    return halves.flatten(0, 1)


find_cell.slip("picked_where_it_is_tested", search=lambda x: x[1]).says(
    "You picked the cell on the second half, where you also report it. Of many cells the best one looks good by luck: pick it on the first half."
)
find_cell.slip("reported_where_it_was_picked", report=lambda x: x[0]).says(
    "You report the AUROC of the first half, on which the cell was picked. Of many cells the best one looks good by luck there: report the second half."
)
find_cell.slip("picked_on_both_halves", search=_both).says(
    "You picked the cell on both halves together, so the second one is no test any more. Pick on the first half alone."
)
find_cell.slip("reported_on_both_halves", report=_both).says(
    "You report both halves together. The first one helped to pick the cell; report the second alone."
)
find_cell.slip("halves_swapped", search=lambda x: x[1], report=lambda x: x[0]).says(
    "The halves are swapped: pick on cells[0], report on cells[1]."
)
find_cell.slip("high_cells_only", distance=lambda share: share).says(
    "You picked the largest AUROC. A cell that is *low* where the property holds tells as much: look for the one that is farthest from one half."
)
find_cell.slip("low_cells_only", distance=lambda share: -share).says(
    "You picked the smallest AUROC. Look for the one that is farthest from one half, on either side."
)
find_cell.slip("nearest_to_chance", distance=lambda share: -(share - 0.5).abs()).says(
    "You picked the cell that is nearest to one half, which tells least. Take the farthest."
)
find_cell.slip("ties_as_losses", tie=0).says(
    "You counted a tie as a loss. Two equal values tell nothing: a tie counts one half. With ranks: equal values share the mean of their ranks."
)
find_cell.slip("ties_as_wins", tie=1).says(
    "You counted a tie as a win. Equal values tell nothing: a tie counts one half."
)
find_cell.slip("upside_down", turn=lambda share: 1 - share).says(
    "Upside down: you counted the pairs in which the place *without* the property has the larger value."
)
find_cell.slip("folded", turn=lambda share: torch.maximum(share, 1 - share)).says(
    "You folded the AUROC to at least one half. Return it as it is: 0.1 says that the cell is *low* where the property holds."
)
find_cell.slip("strength_returned", turn=lambda share: 2 * (share - 0.5).abs(), distance=lambda x: x).says(
    "You returned the strength 2 · |AUROC − ½|. Return the AUROC itself, whose side of one half says whether the cell is high or low."
)
find_cell.slip("signed_strength_returned", turn=lambda share: 2 * share - 1, distance=torch.abs).says(
    "You returned the strength 2 · AUROC − 1. Return the AUROC itself, which is one half at chance."
)
find_cell.slip("divided_by_all_pairs", average=lambda wins: wins.sum((0, 1)) / sum(wins.shape[:2]) ** 2).says(
    "You divided by all pairs of places. Only pairs of one flagged and one other place count: n₁ · n₀ of them."
)
find_cell.slip("pairs_not_divided", average=lambda wins: wins.sum((0, 1))).says(
    "You counted the pairs that are won. Divide by the number of pairs, n₁ · n₀."
)
find_cell.slip("argsort_for_ranks", area=lambda x, f: _from_ranks(x.argsort(dim=0, stable=True) + 1, f)).says(
    "You took argsort for ranks. argsort says who stands at each place; ranks say at which place each one stands. Use argsort twice, or searchsorted, or scipy.stats.rankdata."
)
find_cell.slip(
    "ties_ranked_by_order", area=lambda x, f: _from_ranks(x.argsort(dim=0, stable=True).argsort(0) + 1, f)
).says(
    "Equal values have different ranks, by chance of their order. They share the mean of their ranks: scipy.stats.rankdata does that."
)
find_cell.slip("rank_sum_not_corrected", area=lambda x, f: _auroc(x, f) + (f.sum() + 1) / 2 / (~f).sum()).says(
    "The rank sum was not corrected. Even the lowest flagged places have ranks: take n₁ (n₁ + 1) / 2 off before you divide."
)
find_cell.slip(
    "correlation",
    area=lambda x, f: torch.corrcoef(torch.cat([x.T, f[None].float()]))[-1, :-1].nan_to_num(),
    distance=torch.abs,
).says("This is a correlation. AUROC asks for the order only, not for how far the values lie apart.")
find_cell.slip("accuracy_at_zero", area=lambda x, f: ((x > 0) == f[:, None]).float().mean(0)).says(
    "This is the accuracy of one threshold, zero. AUROC takes all thresholds together, so that a cell need not be centred."
)
find_cell.slip("difference_of_means", area=lambda x, f: x[f].mean(0) - x[~f].mean(0), distance=torch.abs).says(
    "You compared the means of the two kinds of places. Compare places pair by pair, and count."
)
