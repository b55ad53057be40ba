"""Lesson 08: right answers of other styles, wrong ones without a name, the figures, the source reader, the widget."""

import json
import math
import random

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from matplotlib.collections import LineCollection
from torch import nn

from bench import record_horizon
from utils.checks import char_lstm as check
from utils.data import Corpus
from utils.models import CharLSTM, generate
from utils.neurons import Search, cells_of, probe
from utils.plotting import curves, horizons, runs
from utils.plotting import text as text_plots
from utils.reach import Excess, Horizon, context_excess, losses
from utils.source_code import (
    indentation,
    inside_quotes,
    line_position,
    open_brackets,
    open_parentheses,
    whole_definitions,
)
from utils.text import encode
from utils.training import LearningCurve, Streams, in_parallel
from utils.widgets import char_sampler as sampler


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


# --- right answers in other styles ----------------------------------------------------------------------------------


def streams_by_loops(text, alphabet, streams, length):
    numbers = {character: number for number, character in enumerate(alphabet)}
    each = (len(text) - 1) // streams
    batches = []
    for start in range(0, each, length):
        end = min(start + length, each)
        rows = [[numbers[text[b * each + t]] for t in range(start, end)] for b in range(streams)]
        after = [[numbers[text[b * each + t + 1]] for t in range(start, end)] for b in range(streams)]
        batches.append((np.array(rows), np.array(after)))
    return batches


def streams_of_the_package(text, alphabet, streams, length):
    return [[x.to(torch.int32), y] for x, y in Streams(encode(text, alphabet), streams, length)]


def streams_by_strides(text, alphabet, streams, length):
    tokens = torch.tensor(list(map(alphabet.index, text)))
    each = (len(tokens) - 1) // streams
    rows = tokens.as_strided((streams, each + 1), (each, 1))  # rows overlap by one
    pairs = tuple(
        (rows[:, t : t + length + 1][:, :-1], rows[:, t + 1 : t + length + 1]) for t in range(0, each, length)
    )
    return pairs


def streams_of_numpy(text, alphabet, streams, length):
    tokens = np.array([np.uint8(alphabet.find(character)) for character in text])
    each = (len(tokens) - 1) // streams
    cuts = range(length, each, length)
    inputs, targets = (
        np.stack(np.split(part, streams)) for part in (tokens[: streams * each], tokens[1:][: streams * each])
    )
    return list(zip(np.split(inputs, cuts, axis=1), np.split(targets, cuts, axis=1), strict=True))


def channels_second(model, optimizer, inputs, targets, state):
    optimizer.zero_grad(set_to_none=False)
    logits, (h, c) = model(inputs, state)
    loss = F.cross_entropy(logits.transpose(1, 2), targets)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
    optimizer.step()
    return np.float64(loss.item() / math.log(2)), (h.detach_(), c.detach_())


def by_log_softmax(model, optimizer, inputs, targets, state):
    logits, (h, c) = model(inputs, state) if state is not None else model(inputs)
    loss = -logits.log_softmax(-1).gather(2, targets[..., None]).mean()
    loss.backward()
    length = sum(float(weight.grad.square().sum()) for weight in model.parameters()) ** 0.5
    for weight in model.parameters():
        weight.grad /= max(1.0, length)
    optimizer.step()
    optimizer.zero_grad()
    return torch.log2(torch.exp(loss.detach())), [h.clone().detach(), c.data]


def by_closure(model, optimizer, inputs, targets, state):
    after = None

    def closure():
        nonlocal after
        optimizer.zero_grad()
        logits, after = model(inputs, state)
        loss = nn.CrossEntropyLoss()(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1))
        loss.backward()
        nn.utils.clip_grad_norm_(list(model.parameters()), 1)
        return loss

    loss = optimizer.step(closure)
    return float(loss) * math.log2(math.e), tuple(s.detach().clone() for s in after)


def by_autograd(model, optimizer, inputs, targets, state):
    logits, state = model(inputs, state)
    loss = F.nll_loss(F.log_softmax(logits, 2).permute(0, 2, 1), targets)
    weights = list(model.parameters())
    gradients = torch.autograd.grad(loss, weights)
    length = torch.stack([gradient.norm() for gradient in gradients]).norm()
    for weight, gradient in zip(weights, gradients, strict=True):
        weight.grad = gradient / length if length > 1 else gradient
    optimizer.step()
    with torch.no_grad():
        return (loss / math.log(2)).item(), tuple(part + 0 for part in state)


def by_torch_func(model, optimizer, inputs, targets, state):
    def loss(weights):
        logits, new = torch.func.functional_call(model, weights, (inputs, state))
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten()), new

    weights = {name: weight.detach() for name, weight in model.named_parameters()}
    gradients, (value, new) = torch.func.grad_and_value(loss, has_aux=True)(weights)
    length = torch.cat([gradient.flatten() for gradient in gradients.values()]).norm()
    for name, weight in model.named_parameters():
        weight.grad = gradients[name] / length.clamp(min=1)
    optimizer.step()
    return value.item() / math.log(2), new


class Step(nn.Module):
    def forward(self, model, optimizer, inputs, targets, state):
        model.train()
        with torch.enable_grad():
            logits, state = model(inputs, state)
            loss = nn.CrossEntropyLoss(reduction="none")(logits.mT, targets).mean()
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_([w for group in optimizer.param_groups for w in group["params"]], 1.0, foreach=False)
        optimizer.step()
        return loss.detach().numpy() / np.log(2), tuple(torch.from_numpy(s.detach().numpy().copy()) for s in state)


def bits_of_the_probabilities(model, optimizer, inputs, targets, state):
    """In a helper class, one character at a time, with the graph kept for no reason."""
    logits = []
    for column in inputs.T:
        z, state = model(column[:, None], state)
        logits.append(z[:, 0])
    p = torch.stack(logits, 1).double().softmax(-1)
    bits = -torch.log2(p[torch.arange(len(inputs))[:, None], torch.arange(inputs.shape[1]), targets]).mean()
    model.zero_grad()
    (bits * math.log(2)).backward(retain_graph=True)
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return bits.item(), tuple(part.detach() for part in state)


def whole_text_anew(model, prompt, count, temperature):
    text = prompt.clone()
    for _ in range(count):
        with torch.no_grad():
            p = F.softmax(model(text[None])[0][0, -1].double() / temperature, dim=0)
        text = torch.cat([text, torch.multinomial(p, 1)])
    return text[len(prompt) :]


def with_numpy(model, prompt, count, temperature):
    rng = np.random.default_rng(int(torch.randint(1000, (1,))))
    tokens, state = prompt.tolist(), None
    unread = tokens
    for _ in range(count):
        logits, state = model(torch.tensor([unread]), state)
        z = logits[0, -1].detach().numpy() / temperature
        p = np.exp(z - z.max())
        unread = [rng.choice(len(p), p=p / p.sum())]
        tokens += unread
    return tuple(tokens[-count:])


def gumbel(model, prompt, count, temperature):
    out = []
    with torch.inference_mode():
        logits, state = model(prompt.unsqueeze(0))
        while len(out) < count:
            noise = -torch.empty_like(logits[0, -1]).exponential_().log()
            out.append((logits[0, -1] / temperature + noise).argmax())
            logits, state = model(out[-1].reshape(1, 1), state)
    return out


def one_character_at_a_time(model, prompt, count, temperature):
    state, new = None, []
    for token in prompt:
        logits, state = model(token.view(1, 1), state)
    for _ in range(count):
        token = torch.distributions.Categorical(logits=logits[0, 0] / temperature).sample()
        new.append(token[None])
        logits, state = model(token.view(1, 1), state)
    return torch.cat(new).numpy()


def with_python_alone(model, prompt, count, temperature):
    def rest(tokens, state, left):
        if not left:
            return []
        logits, state = model(torch.tensor([tokens]), state)
        weights = [math.exp(z / temperature - 90 / temperature) for z in logits[0, -1].tolist()]
        token = random.choices(range(len(weights)), weights)[0]
        return [token, *rest([token], state, left - 1)]

    return rest(prompt.tolist(), None, count)


def by_cumulated_shares(model, prompt, count, temperature):
    logits, state = model(prompt[None])
    tokens = torch.empty(0, dtype=torch.int64)
    for _ in range(count):
        below = (logits[:, -1] / temperature).softmax(-1).cumsum(-1)
        token = torch.searchsorted(below, torch.rand(1, 1) * below[:, -1:]).clamp(max=below.shape[1] - 1)
        tokens = torch.cat([tokens, token[0]])
        logits, state = model(token, state)
    return tokens.tolist()


def place_by_place(model, tokens, places, lengths, tolerance):
    curve = []
    for k in lengths:
        total = 0.0
        for p in places.tolist():
            logits, _ = model(tokens[p - k : p].unsqueeze(0))
            total -= logits[0, -1].log_softmax(0)[tokens[p]].item() / math.log(2)
        curve.append(total / len(places))
    for k, value in zip(lengths, curve, strict=True):
        if value - min(curve) <= tolerance:
            return curve, np.int64(k)


def with_unfold(model, tokens, places, lengths, tolerance):
    bits = torch.stack(
        [
            F.cross_entropy(model(tokens.unfold(0, k, 1)[places - k])[0][:, -1], tokens[places]) / math.log(2)
            for k in lengths
        ]
    )
    return bits.detach(), torch.tensor(lengths)[(bits <= bits.min() + tolerance)][0]


def column_by_column(model, tokens, places, lengths, tolerance):
    bits = np.zeros(len(lengths))
    for i, k in enumerate(lengths):
        state = None
        for ago in range(k, 0, -1):
            logits, state = model(tokens[places - ago].view(-1, 1), state)
        p = logits[:, 0].double().softmax(-1).gather(1, tokens[places][:, None])
        bits[i] = p.log2().neg().mean()
    within = [k for k, b in zip(lengths, bits, strict=True) if b <= bits.min() + tolerance]
    return list(bits), min(within)


def in_double_precision(model, tokens, places, lengths, tolerance):
    windows = {k: torch.stack([tokens[p - k : p] for p in places]) for k in lengths}
    bits = {k: F.cross_entropy(model(w)[0][:, -1].double(), tokens[places]) / math.log(2) for k, w in windows.items()}
    return [*bits.values()], next(k for k in bits if not bits[k] > min(bits.values()) + tolerance)


def likely_by_python(probabilities, k, p):
    order = sorted(range(len(probabilities)), key=lambda i: float(probabilities[i]), reverse=True)[:k]
    values, total = [float(probabilities[i]) for i in order], sum(float(probabilities[i]) for i in order)
    kept, reached = {}, 0.0
    for i, value in zip(order, values, strict=True):
        kept[i] = value
        reached += value / total
        if reached > p - 1e-6:
            break
    return torch.tensor([kept.get(i, 0.0) / sum(kept.values()) for i in range(len(probabilities))])


def likely_by_thresholds(probabilities, k, p):
    p_k = probabilities.where(probabilities >= probabilities.topk(k).values[-1], 0 * probabilities)
    if int((p_k > 0).sum()) > k:  # a tie at the border
        return likely_by_python(probabilities, k, p)
    p_k = p_k / p_k.sum()
    larger = (p_k[None] * (p_k[None] > p_k[:, None])).sum(1)  # what stands before each
    kept = p_k * (larger < p - 1e-6)
    return kept / kept.sum()


def likely_by_logits(probabilities, k, p):
    values, places = probabilities.double().topk(k)
    running = torch.cumsum(values / values.sum(), 0)
    last = int((running < p - 1e-6).sum())
    logits = torch.full_like(probabilities.double(), -math.inf)
    logits[places[: last + 1]] = values[: last + 1].log()
    return logits.softmax(0)


def likely_with_numpy(probabilities, k, p):
    x = probabilities.numpy()
    order = np.argsort(-x, kind="stable")[:k]
    count = np.searchsorted(np.cumsum(x[order]) / x[order].sum(), p - 1e-6) + 1
    kept = np.zeros_like(x)
    kept[order[:count]] = x[order[:count]]
    return kept / kept.sum()


def with_areas(areas):
    """An answer that takes the AUROC of each cell of one half, (N, C) and (N,), by `areas`."""

    def find(cells, flags):
        first, second = (torch.as_tensor(np.asarray(areas(cells[half], flags[half]))) for half in (0, 1))
        cell = int(abs(first - 0.5).argmax())
        return cell, float(second[cell])

    return find


def by_ranks(cells, flags):
    from scipy.stats import rankdata

    ranks = rankdata(cells.numpy(), axis=0)
    n1, n0 = int(flags.sum()), int((~flags).sum())
    return (ranks[flags.numpy()].sum(0) - n1 * (n1 + 1) / 2) / (n1 * n0)


def by_sklearn(cells, flags):
    from sklearn.metrics import roc_auc_score

    return [roc_auc_score(flags, column) for column in cells.T.numpy()]


def by_signs(cells, flags):
    pairs = torch.einsum("ic,j->ijc", cells[flags], torch.ones(int((~flags).sum()))) - cells[~flags]
    return pairs.sign().double().add(1).div(2).mean(dim=(0, 1))


def by_searchsorted(cells, flags):
    others, flagged = cells[~flags].T.sort().values, cells[flags].T.contiguous()
    below = torch.searchsorted(others, flagged) + torch.searchsorted(others, flagged, right=True)
    return below.double().mean(1) / (2 * others.shape[1])


def cell_by_python(cells, flags):
    def area(half, cell):
        column = [float(row[cell]) for row in cells[half]]
        high = [a for a, flag in zip(column, flags[half], strict=True) if flag]
        low = [a for a, flag in zip(column, flags[half], strict=True) if not flag]
        return sum((a > b) + (a == b) / 2 for a in high for b in low) / (len(high) * len(low))

    cell = max(range(cells.shape[2]), key=lambda cell: abs(area(0, cell) - 0.5))
    return np.int64(cell), torch.tensor(area(1, cell))


RIGHT = {
    "stream_batches": {
        "loops": streams_by_loops,
        "the package's": streams_of_the_package,
        "strides": streams_by_strides,
        "numpy": streams_of_numpy,
    },
    "truncated_step": {
        "classes second": channels_second,
        "log_softmax": by_log_softmax,
        "a closure": by_closure,
        "autograd.grad": by_autograd,
        "torch.func": by_torch_func,
        "a module": Step(),
        "bits of probabilities": bits_of_the_probabilities,
    },
    "continue_prompt": {
        "whole text anew": whole_text_anew,
        "numpy": with_numpy,
        "Gumbel noise": gumbel,
        "one character at a time": one_character_at_a_time,
        "Python alone": with_python_alone,
        "cumulated shares": by_cumulated_shares,
    },
    "measure_horizon": {
        "place by place": place_by_place,
        "unfold": with_unfold,
        "column by column": column_by_column,
        "double precision": in_double_precision,
    },
    "keep_likely": {
        "Python": likely_by_python,
        "thresholds": likely_by_thresholds,
        "logits": likely_by_logits,
        "numpy": likely_with_numpy,
    },
    "find_cell": {
        "ranks": with_areas(by_ranks),
        "scikit-learn": with_areas(by_sklearn),
        "signs": with_areas(by_signs),
        "searchsorted": with_areas(by_searchsorted),
        "Python": cell_by_python,
    },
}


# --- wrong answers that are not on the list -------------------------------------------------------------------------


def batches_with(change):
    """The right batches of streams, changed."""
    return lambda *case: change(check.stream_batches.reference(*case))


def streams_of_whole_rows(text, alphabet, streams, length):
    """Each row has all that N // B gives, the target of the last one included."""
    tokens = F.pad(encode(text, alphabet), (0, 1))
    each = len(text) // streams
    rows = [tokens[by:][: streams * each].view(streams, each) for by in (0, 1)]
    return list(zip(*(row.split(length, 1) for row in rows), strict=True))


def streams_cut_too_long(text, alphabet, streams, length):
    tokens = torch.tensor([alphabet.index(character) for character in text])
    each = len(tokens) // streams
    inputs, targets = (part[: streams * each].reshape(streams, each) for part in (tokens, tokens[1:]))
    return [(inputs[:, i : i + length], targets[:, i : i + length]) for i in range(0, each, length)]


def rest_dropped_where_alone(text, alphabet, streams, length):
    pairs = check.stream_batches.reference(text, alphabet, streams, length)
    return pairs if len(pairs) > 1 else [pair for pair in pairs if pair[0].shape[1] == length]


def step_like(**switches):
    return check.truncated_step.variant(**switches)


def only_h_detached(model, optimizer, inputs, targets, state):
    logits, (h, c) = model(inputs, state)
    loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item() / math.log(2), (h.detach(), c)


def detached_on_entry_alone(model, optimizer, inputs, targets, state):
    logits, new = model(inputs, state and tuple(part.detach() for part in state))
    loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item() / math.log(2), new


def clipped_with(clip):
    """A right step but for what `clip(model)` does to the gradient."""

    def step(model, optimizer, inputs, targets, state):
        optimizer.zero_grad()
        logits, state = model(inputs, state)
        loss = F.cross_entropy(logits.transpose(1, 2), targets)
        loss.backward()
        clip(model)
        optimizer.step()
        return loss.item() / math.log(2), tuple(part.detach() for part in state)

    return step


def logits_detached(model, optimizer, inputs, targets, state):
    logits, state = model(inputs, state)
    loss = F.cross_entropy(logits.detach().flatten(0, 1), targets.flatten()).requires_grad_()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item() / math.log(2), tuple(part.detach() for part in state)


def loss_alone(*case):
    return check.truncated_step.reference(*case)[0]


def state_first(*case):
    return check.truncated_step.reference(*case)[::-1]


def three_values(*case):
    bits, (h, c) = check.truncated_step.reference(*case)
    return bits, h, c


def h_alone(*case):
    bits, (h, _) = check.truncated_step.reference(*case)
    return bits, h


def two_steps(model, optimizer, inputs, targets, state):
    check.truncated_step.reference(model, optimizer, inputs, targets, state)
    return check.truncated_step.reference(model, optimizer, inputs, targets, state)


def clipped_by_value(model, optimizer, inputs, targets, state):
    logits, state = model(inputs, state)
    loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_value_(model.parameters(), 0.1)
    optimizer.step()
    return loss.item() / math.log(2), tuple(part.detach() for part in state)


def clipped_before_backward(model, optimizer, inputs, targets, state):
    optimizer.zero_grad(set_to_none=False)
    logits, state = model(inputs, state)
    loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    loss.backward()
    optimizer.step()
    return loss.item() / math.log(2), tuple(part.detach() for part in state)


def clipped_to_a_tenth(model, optimizer, inputs, targets, state):
    optimizer.zero_grad()
    logits, state = model(inputs, state)
    loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 0.1)
    optimizer.step()
    return loss.item() / math.log(2), tuple(part.detach() for part in state)


def summed_over_time(logits, targets):
    return F.cross_entropy(logits, targets, reduction="sum") / 2


def drawn_with(**switches):
    return check.continue_prompt.variant(**switches)


def most_likely(k):
    def weights(z, t):
        kept = z >= z.topk(min(k, len(z))).values[-1]
        return (z / t).where(kept, torch.tensor(-math.inf)).softmax(0)

    return drawn_with(weights=weights)


def first_one_greedy(model, prompt, count, temperature):
    logits, state = model(prompt[None])
    drawn = [int(logits[0, -1].argmax())]
    while len(drawn) < count:
        logits, state = model(torch.tensor([drawn[-1:]]), state)
        drawn.append(int(torch.multinomial((logits[0, -1] / temperature).softmax(0), 1)))
    return drawn


def seeded(model, prompt, count, temperature):
    torch.manual_seed(0)
    return check.continue_prompt.reference(model, prompt, count, temperature)


def generator_of_its_own(model, prompt, count, temperature):
    draws = torch.Generator().manual_seed(1)
    weigh = check.continue_prompt.variant(draw=lambda p: int(torch.multinomial(p, 1, generator=draws)))
    return weigh(model, prompt, count, temperature)


def chars_by(step, once=False, before=lambda z, t: z / t):
    """One character at a time: `step(p, first, state)` gives what is kept, what is read, and with which state."""

    def continued(model, prompt, count, temperature):
        with torch.no_grad():
            logits, state = model(prompt[None])
            first, out = state, []
            for _ in range(count):
                p = before(logits[0, -1], 1.0 if once and out else temperature).softmax(0)
                kept, read, state = step(p, first, state)
                out.append(int(kept))
                logits, state = model(torch.as_tensor(read).reshape(1, 1), state)
        return out

    return continued


def one_draw(p, first, state):
    token = torch.multinomial(p, 1)
    return token, token, state


def two_draws(p, first, state):
    return torch.multinomial(p, 1), torch.multinomial(p, 1), state


def likeliest_read(p, first, state):
    return torch.multinomial(p, 1), p.argmax(), state


def draw_before_read(model, prompt, count, temperature):
    """Read is the character that was drawn one step ago."""
    (logits, state), out = model(prompt[None]), []
    for _ in range(count):
        out.append(int(torch.multinomial((logits[0, -1] / temperature).softmax(0), 1)))
        logits, state = model(torch.tensor([out[-2:][:1]]), state)
    return out


def all_at_once(model, prompt, count, temperature):
    p = (model(prompt[None])[0][0, -1] / temperature).softmax(0)
    return torch.multinomial(p, count, replacement=True).tolist()


def all_different(model, prompt, count, temperature):
    p = (model(prompt[None])[0][0, -1] / temperature).softmax(0)
    return torch.multinomial(p, count).tolist()


def never_twice_running(model, prompt, count, temperature):
    drawn, (logits, state) = [], model(prompt[None])
    for _ in range(count):
        z = (logits[0, -1] / temperature).clone()
        z[drawn[-1:]] = -math.inf
        drawn.append(int(torch.multinomial(z.softmax(0), 1)))
        logits, state = model(torch.tensor([drawn[-1:]]), state)
    return drawn


def none_but_the_last_fed(model, prompt, count, temperature):
    """Without a state and with the last two characters: right for a model that looks two characters back."""
    text = prompt.tolist()
    for _ in range(count):
        logits, _ = model(torch.tensor([text[-2:]]))
        text.append(int(torch.multinomial((logits[0, -1] / temperature).softmax(0), 1)))
    return text[len(prompt) :]


def the_curve_alone(*case):
    return check.measure_horizon.reference(*case)[0]


def the_horizon_first(*case):
    return check.measure_horizon.reference(*case)[::-1]


def horizon_like(**switches):
    return check.measure_horizon.variant(**switches)


def strictly_within(model, tokens, places, lengths, tolerance):
    bits, _ = check.measure_horizon.reference(model, tokens, places, lengths, tolerance)
    return bits, next((k for k, value in zip(lengths, bits, strict=True) if value < min(bits) + tolerance), lengths[-1])


def last_clear_gain(model, tokens, places, lengths, tolerance):
    bits, _ = check.measure_horizon.reference(model, tokens, places, lengths, tolerance)
    best = math.inf
    for k, v in zip(lengths, bits, strict=True):
        if v < best - tolerance:
            best, horizon = v, k
    return bits, horizon


def less_than_the_tolerance(model, tokens, places, lengths, tolerance):
    bits, _ = check.measure_horizon.reference(model, tokens, places, lengths, tolerance)
    return bits, [k for k, value in zip(lengths, bits, strict=True) if value < min(bits) + tolerance][0]


def one_place_alone(model, tokens, places, lengths, tolerance):
    return check.measure_horizon.reference(model, tokens, places[:1], lengths, tolerance)


def likely_like(**switches):
    return check.keep_likely.variant(**switches)


def ranks_read(probabilities, k, p):
    ranked, places = probabilities.sort(descending=True)
    ranked[k:] = 0
    ranked /= ranked.sum()
    ranked[ranked.cumsum(0) - ranked >= p * (1 - 1e-6)] = 0
    return (ranked / ranked.sum())[places]


def likely_in_place_of_none(probabilities, k, p):
    return probabilities


def cell_like(**switches):
    return check.find_cell.variant(**switches)


def the_area_alone(cells, flags):
    return check.find_cell.reference(cells, flags)[1]


def the_area_first(cells, flags):
    return check.find_cell.reference(cells, flags)[::-1]


WRONG = {
    "stream_batches": {
        "nothing": lambda text, alphabet, streams, length: [],
        "the reverse order": batches_with(lambda pairs: pairs[::-1]),
        "inputs alone": batches_with(lambda pairs: [x for x, _ in pairs]),
        "targets first": (batches_with(lambda pairs: [(y, x) for x, y in pairs]), "targets_first"),
        "targets inside the window": (
            batches_with(lambda pairs: [(x[:, :-1], x[:, 1:]) for x, _ in pairs]),
            "targets_from_inside_the_window",
        ),
        "rows of N // B, which break": (streams_cut_too_long, "rows_too_long", "is invalid for input of size"),
        "a tensor for a pair": batches_with(lambda pairs: [torch.stack(pair) for pair in pairs]),
        "one pair": batches_with(lambda pairs: tuple(torch.cat(part, 1) for part in zip(*pairs, strict=True))),
        "floats": (batches_with(lambda pairs: [(x.float(), y.float()) for x, y in pairs]), "", "whole numbers"),
        "rows of N // B": streams_of_whole_rows,
        "a sorted alphabet": lambda text, alphabet, streams, length: check.stream_batches.reference(
            text, "".join(sorted(alphabet)), streams, length
        ),
        "a single short batch dropped": rest_dropped_where_alone,
    },
    "truncated_step": {
        "only h detached": (only_h_detached, "state_not_detached"),
        "detached on entry alone": (detached_on_entry_alone, "state_not_detached"),
        "logits detached": (logits_detached, "no_backward"),
        "the loss alone": (loss_alone, "", "Expected a pair"),
        "the state first": (state_first, "", "Its second item is a number."),
        "three values": (three_values, "", "Expected a pair"),
        "h alone": (h_alone, "", "Its second item is a tensor of shape (1, 1, 1). Expected the state"),
        "None for the state": (
            lambda *case: (check.truncated_step.reference(*case)[0], None),
            "",
            "Its second item is None. Expected the state",
        ),
        "h and no c": (
            lambda *case: (check.truncated_step.reference(*case)[0], (torch.zeros(1, 1, 1), None)),
            "",
            "Its second item holds a tensor of shape (1, 1, 1) and None.",
        ),
        "clipped to 5": (
            clipped_with(lambda model: nn.utils.clip_grad_norm_(model.parameters(), 5.0)),
            "gradient_not_clipped",
            "all weights together, to a norm of 1.0",
        ),
        "the embedding clipped alone": (
            clipped_with(lambda model: nn.utils.clip_grad_norm_([next(model.parameters())], 1.0)),
            "gradient_not_clipped",
            "all weights together, to a norm of 1.0",
        ),
        "two steps": two_steps,
        "clipped by another value": clipped_by_value,
        "clipped before backward": (clipped_before_backward, "gradient_not_clipped"),
        "clipped to a tenth": clipped_to_a_tenth,
        "summed over time": step_like(loss=summed_over_time),
        "bits by another ln": step_like(unit=math.log(3)),
        "the first position left out": step_like(pairs=lambda z, x, y: (z[:, 1:], y[:, 1:])),
        "h from before, c from after": step_like(end=lambda new, old: ((old or new)[0].detach(), new[1].detach())),
    },
    "continue_prompt": {
        "divided after the softmax": (drawn_with(weights=lambda z, t: z.softmax(0) / t), "temperature_without_effect"),
        "a string": lambda model, prompt, count, temperature: "to be",
        "characters": (lambda model, prompt, count, temperature: ["a"] * count, "", "a list with 'a' in it"),
        "a batch": lambda *case: [check.continue_prompt.reference(*case)],
        "no such token": lambda model, prompt, count, temperature: [99] * count,
        "one too few": lambda model, prompt, count, temperature: [0] * (count - 1),
        "one too many": lambda model, prompt, count, temperature: check.continue_prompt.reference(
            model, prompt, count + 1, temperature
        ),
        "the temperature plus one": drawn_with(weights=lambda z, t: (z / (t + 1)).softmax(0)),
        "powers of two": drawn_with(weights=lambda z, t: torch.exp2(z / t)),
        "the root of the temperature": drawn_with(weights=lambda z, t: (z / t**0.5).softmax(0)),
        "a cold one alone": drawn_with(weights=lambda z, t: (z / min(t, 1)).softmax(0)),
        "sigmoids": drawn_with(weights=lambda z, t: (z / t).sigmoid()),
        "top 2": most_likely(2),
        "top 3": most_likely(3),
        "top 5": most_likely(5),
        "the first one greedy": (first_one_greedy, "", "first draws of a call"),
        "seeded": (seeded, "", "a seed set inside"),
        "a generator of its own": (generator_of_its_own, "", "a seed set inside"),
        "all from one": (all_at_once, "all_from_the_same_logits", "leaves no choice"),
        "two draws": (chars_by(two_draws), "another_draw_read", "leaves little choice"),
        "the likeliest read": (chars_by(likeliest_read), "most_likely_one_read", "leaves little choice"),
        "the draw before read": (draw_before_read, "", "leaves no choice"),
        "the first state again": (
            chars_by(lambda p, first, state: (*one_draw(p, first, state)[:2], first)),
            "state_of_the_prompt_kept",
        ),
        "divided once": (chars_by(one_draw, once=True), "temperature_once"),
        "divided between two softmaxes": (
            chars_by(one_draw, before=lambda z, t: z.softmax(0) / t),
            "softmax_before_the_temperature",
        ),
        "two softmaxes, no temperature": chars_by(one_draw, before=lambda z, t: z.softmax(0)),
        "multiplied after a softmax": chars_by(one_draw, before=lambda z, t: z.softmax(0) * t),
        "all different": (all_different, "", "without replacement"),
        "never twice running": never_twice_running,
        "two characters without a state": none_but_the_last_fed,
        "prompt without its last": drawn_with(first=lambda prompt: prompt[:-1] if len(prompt) > 1 else prompt),
        "prompt backwards": drawn_with(first=lambda prompt: prompt.flip(0)[:2]),
    },
    "measure_horizon": {
        "the curve alone": (the_curve_alone, "", "expected 2 values (bits, horizon)"),
        "the horizon first": the_horizon_first,
        "lengths for bits": lambda model, tokens, places, lengths, tolerance: (lengths, lengths[0]),
        "strictly within": strictly_within,
        "strictly within, or an error": (less_than_the_tolerance, "less_than_the_tolerance", "IndexError"),
        "the last clear gain": (last_clear_gain, "best_so_far"),
        "the horizon alone": (lambda *case: check.measure_horizon.reference(*case)[1], "", "([4, 3, 1], 4)"),
        "a dict": (
            lambda *case: dict(zip(("bits", "horizon"), check.measure_horizon.reference(*case), strict=True)),
            "",
            "{bits: [4, 3, 1], horizon: 4}",
        ),
        "one place": one_place_alone,
        "nats for the horizon": (
            horizon_like(within=lambda bits, eps: bits * math.log(2) <= bits.min() * math.log(2) + eps),
            "tolerance_in_nats",
        ),
        "half the tolerance": horizon_like(within=lambda bits, eps: bits <= bits.min() + eps / 2),
        "above the first": horizon_like(within=lambda bits, eps: bits <= bits[0] + eps),
        "window backwards": horizon_like(windows=lambda x, p, k: x[p[:, None] - 1 - torch.arange(k)]),
    },
    "keep_likely": {
        "the probabilities as they are": (likely_in_place_of_none, "k_ignored"),
        "zeros": lambda probabilities, k, p: torch.zeros_like(probabilities),
        "one fewer than k": likely_like(narrow=lambda ranked, k: ranked[: max(k - 1, 1)]),
        "divided by p": likely_like(scale=lambda kept: kept / 0.9),
        "the places": lambda probabilities, k, p: probabilities.topk(k).indices,
        "ranked[places]": (ranks_read, "read_instead_of_put"),
    },
    "find_cell": {
        "the AUROC alone": (the_area_alone, "", "expected 2 values (cell, auroc)"),
        "the AUROC first": the_area_first,
        "always the first cell": lambda cells, flags: (0, check._auroc(cells[1], flags[1])[0].item()),
        "against all places": cell_like(area=lambda x, f: (x[f][:, None] > x).float().mean((0, 1))),
        "the threshold at the mean": cell_like(area=lambda x, f: ((x > x.mean(0)) == f[:, None]).float().mean(0)),
        "2 AUROC - 1": (
            cell_like(turn=lambda share: 2 * share - 1, distance=torch.abs),
            "signed_strength_returned",
        ),
    },
}


# --- what a reader of source code keeps in mind ---------------------------------------------------------------------


def marked(source, **options):
    return "".join("1" if flag else "0" for flag in inside_quotes(source, **options))


def test_quotes_open_after_the_first_and_close_with_the_last():
    assert marked('x = "ab" + y\n') == "0000111000000"
    assert marked("# it's a comment\n") == "0" * 17
    assert marked("s = 'a\\'b'\n") == "00001111100"


def test_f_strings_count_as_one_string():
    assert marked('f"a{b}c"\n') == "111111100"


def test_long_strings_can_be_left_out():
    source = '"""one\ntwo"""\nx = "y"\n'
    assert inside_quotes(source).sum() == 12 + 2
    assert inside_quotes(source, most_lines=1).sum() == 2


def test_a_text_cut_off_is_refused():
    with pytest.raises(ValueError, match="tokenizer cannot read"):
        inside_quotes('x = """open\n')


def test_form_feeds_do_not_move_the_quotes():
    assert marked('\x0c\nx = "a"\n') == "00" + "00001100"


def test_brackets_open_and_close_outside_of_strings_and_comments():
    source = 'f(a[0], ")") # (\n'
    assert "".join(map(str, open_brackets(source).tolist())) == "011221111110" + "0" * (len(source) - 12)


def test_parentheses_count_in_prose_too_and_are_forgotten_at_an_empty_line():
    assert "".join(map(str, open_parentheses("a) (b (c)) '(' x\n\ny").tolist())) == "0001112210001111100"


def test_line_position_and_indentation():
    source = "if x:\n    y = 1\n\nz"
    assert line_position(source).tolist() == [1, 2, 3, 4, 5, 0, *range(1, 10), 0, 0, 1]
    assert indentation(source).tolist() == [0] * 6 + [1, 2, 3, 4, 4, 4, 4, 4, 4, 0, 0, 0]


def test_whole_definitions_begin_and_end_outside_of_statements():
    source = 'x = """a\n\n\ndef f():\n    pass\n\n\nclass C:\n    y = (1,\n         2)\n\n\ndef g():\n    """open'
    cut = whole_definitions(source, 1000)
    assert cut.startswith("def f") and cut.endswith("2)\n\n\n")
    assert whole_definitions(source, 40) == "class C:\n    y = (1,\n         2)\n\n\n"
    with pytest.raises(ValueError, match="no two top-level"):
        whole_definitions("x = 1\n", 1000)


# --- figures --------------------------------------------------------------------------------------------------------


def test_streams_are_drawn_letter_by_letter():
    pairs = check.stream_batches.reference("abcdefghi", "abcdefghi", 2, 2)
    ax = text_plots.plot_streams(pairs, "abcdefghi")
    letters = [text.get_text() for text in ax.texts if len(text.get_text()) == 1]
    assert sorted(letters) == sorted("abcdbcdeefghfghi"[:8] + "efghfghi")


def test_every_model_has_its_row_and_its_number():
    ax = runs.plot_bits({"unigram": [4.5], "LSTM": [2.0, 2.2]})
    assert [label.get_text() for label in ax.get_yticklabels()] == ["unigram", "LSTM"]
    assert [text.get_text() for text in ax.texts] == ["4.50", "2.10"]


def test_levels_beside_the_bits_are_named():
    ax = runs.plot_bits({"LSTM": [2.6, 2.7, 2.8]}, levels={"6-gram": 2.25})
    assert "6-gram" in [text.get_text() for text in ax.texts]
    assert ax.get_xlim()[0] < 2.25


def test_an_excess_below_its_error_is_drawn_hollow():
    excess = Excess((1, 2, 4), (1.0, 0.1, -0.002), (0.1, 0.01, 0.01))
    ax = horizons.plot_excess({"one": excess}, 0.01)
    line, filled, hollow = ax.lines[:3]
    assert list(line.get_ydata()) == pytest.approx([1, 0.1, horizons.LEAST])
    assert list(filled.get_xdata()) == [1, 2] and list(hollow.get_xdata()) == [4]
    assert [text.get_text() for text in ax.texts] == ["tolerance"]


def test_probabilities_show_spaces_and_line_ends():
    ax = text_plots.plot_probabilities({"one": torch.tensor([0.5, 0.2, 0.3])}, " a\n", count=3)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["·", "↵", "a"]


def test_training_levels_are_named():
    ax = curves.plot_training({"yours": [5.0, 3.0, 1.0] + [2.0] * 30}, {"unigram": 2.5})
    assert [text.get_text() for text in ax.texts] == ["unigram"]
    mean, raw = ax.lines[:2]
    assert list(raw.get_ydata()[:3]) == [5, 3, 1]  # from the first step on
    assert list(mean.get_ydata()[:3]) == pytest.approx([5, 4, 3]) and mean.get_ydata()[-1] == pytest.approx(2)


def test_the_loss_on_unseen_text_stands_behind_the_last_step():
    ax = curves.plot_training({"yours": [5.0, 3.0, 1.0]}, unseen={"yours": 2.5})
    assert ax.lines[2].get_xydata().tolist() == [[3, 2.5]]
    assert "yours, unseen text" in [text.get_text() for text in ax.get_legend().get_texts()]


def test_reading_is_drawn_in_millions_of_characters():
    ax = curves.plot_reading({"one": LearningCurve([1_000_000, 2_000_000], [1, 2], [3.0, 2.5])}, {"table": 2.25})
    assert list(ax.lines[0].get_xdata()) == [1, 2]


def test_strengths_have_a_marker_for_each_reader():
    ax = runs.plot_strengths(
        {"quotes": {"cell": 0.5, "shifted": [0.1, 0.2]}, "line": {"cell": 0.9, "shifted": [0.3, 0.1]}}
    )
    assert len(ax.lines) == 4
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["cell", "shifted"]


def test_colored_text_breaks_lines_as_the_text_does():
    ax = text_plots.plot_colored_text("ab\ncdefg", torch.arange(8.0), columns=4)
    assert [text.get_text() for text in ax.texts] == list("ab↵cdefg")
    assert [text.get_position() for text in ax.texts][-2:] == [(3, 1), (0, 2)]
    assert ax.images[0].get_array().shape == (3, 4)


def test_letters_are_white_on_dark_and_marks_stand_below():
    ax = text_plots.plot_colored_text("abcde", torch.tensor([-9.0, -1, 0, 1, 9]), underlined=torch.arange(5) == 2)
    assert [text.get_color() for text in ax.texts] == ["white", "black", "black", "black", "white"]
    (marks,) = (drawn for drawn in ax.collections if isinstance(drawn, LineCollection))
    assert [segment[:, 0].tolist() for segment in marks.get_segments()] == [[1.5, 2.5]]


# --- excess, cells, two trainings at a time -------------------------------------------------------------------------


class Copier(nn.Module):
    """Sure of one thing: what stood `distance` characters ago comes again. Its state is the text."""

    def __init__(self, distance, size=4):
        super().__init__()
        self.distance, self.size = distance, size

    def forward(self, tokens, state=None):
        seen = tokens if state is None else torch.cat([state, tokens], 1)
        known = F.pad(F.one_hot(seen, self.size).float(), (0, 0, self.distance - 1, 0))[:, : seen.shape[1]]
        return 5 * known[:, -tokens.shape[1] :], seen


def test_losses_carry_the_state_from_piece_to_piece(monkeypatch):
    text = torch.randint(0, 4, (2, 41), generator=torch.Generator().manual_seed(0))
    model = Copier(3)
    whole = losses(model, text[:, :-1], text[:, 1:])
    monkeypatch.setattr("utils.reach.excess.CHUNK", 10)
    assert torch.allclose(losses(model, text[:, :-1], text[:, 1:]), whole)
    logits, _ = model(text[:, :-1])
    assert whole.mean().item() == pytest.approx(F.cross_entropy(logits.mT, text[:, 1:]).item() / math.log(2))


@pytest.mark.parametrize("foreign", [0, 6])
def test_the_excess_ends_where_the_memory_of_a_model_ends(foreign):
    pattern = torch.randint(0, 4, (2, 3), generator=torch.Generator().manual_seed(1))
    text = pattern.repeat(1, 80)  # what stood three characters ago comes again
    inputs, targets, model = text[:, :-1], text[:, 1:], Copier(3)
    full = losses(model, inputs, targets)
    excess = context_excess(model, inputs, targets, full, foreign=foreign, lengths=(1, 2, 3, 4, 8))
    assert excess.bits[2:] == pytest.approx((0, 0, 0), abs=1e-6)
    assert excess.within(0.01) == 3 or foreign  # other text of the same pattern may be the same
    assert foreign or excess.bits[0] > 1


def test_a_text_too_short_for_the_excess_is_refused():
    text = torch.zeros(2, 20, dtype=torch.int64)
    with pytest.raises(ValueError, match="at least 16"):
        context_excess(Copier(1), text[:, :9], text[:, 1:10], torch.zeros(2, 9), lengths=(1, 8))


def test_the_excess_must_stay_within_the_tolerance():
    excess = Excess((1, 2, 4, 8), (1.0, 0.005, 0.02, 0.001), (0.0,) * 4)
    assert [excess.within(tolerance) for tolerance in (2, 0.05, 0.01, 0.0001)] == [1, 2, 8, 8]


def test_a_cell_that_knows_is_found_with_its_sign():
    draw = torch.Generator().manual_seed(0)
    flags = torch.rand(2, 2000, generator=draw) < 0.3
    depth = torch.randint(0, 5, (2, 2000), generator=draw)
    cells = torch.randn(2, 2000, 6, generator=draw)
    cells[..., 4] -= 3 * flags
    cells[..., 1] += depth
    search = Search(cells)
    quoted, deep = search.best(flags), search.best(depth)
    assert (quoted.cell, deep.cell) == (4, 1)
    assert quoted.strength < -0.8 and deep.strength > 0.7
    assert max(abs(found.strength) for found in search.by_luck(flags, times=5)) < 0.2
    assert abs(quoted.picked) > 0.8
    area = float(check._auroc(cells[0], flags[0])[4])
    assert float(search.strengths(0, flags[0])[4]) == pytest.approx(2 * area - 1, abs=1e-4)
    assert probe(cells, flags) > 0.8 and probe(cells, depth) > 0.7


def test_cells_are_read_one_character_at_a_time():
    torch.manual_seed(0)
    model, text = CharLSTM(3, 5), torch.randint(0, 3, (2, 7))
    after = [model(text[:, :read])[1][1][0] for read in range(1, 8)]
    torch.testing.assert_close(cells_of(model, text), torch.stack(after, 1))


def test_tasks_in_parallel_come_back_by_name():
    threads = torch.get_num_threads()
    assert in_parallel({"a": lambda: 1, ("b", 2): lambda: torch.get_num_threads()}) == {"a": 1, ("b", 2): 1}
    assert torch.get_num_threads() == threads
    with pytest.raises(ZeroDivisionError):
        in_parallel({"a": lambda: 1 / 0})


def test_what_is_kept_can_be_drawn_and_nothing_else():
    torch.manual_seed(0)
    model = CharLSTM(5, 4)
    keep = lambda p: check.keep_likely.reference(p, 1, 1.0)  # noqa: E731
    assert (
        generate(model, torch.tensor([0]), 8, 1.0, keep=keep).tolist()
        == generate(model, torch.tensor([0]), 8, 0).tolist()
    )


# --- the recorded run ------------------------------------------------------------------------------------------------


def test_a_recorded_run_is_what_the_lesson_reads(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # main() sets it
    corpus = Corpus("rhyme", "one two three " * 800)
    run = record_horizon.long_run(corpus, 16, width=8, characters=4096, positions=50)
    assert run["horizon"] in run["lengths"] and len(run["lengths"]) == len(run["bits"])
    assert 0 < run["bits_per_character"] < math.log2(len(corpus.alphabet)) + 1
    monkeypatch.setattr(record_horizon, "RECORD", tmp_path / "deep" / "record.json")
    monkeypatch.setattr(record_horizon.data, "corpus", lambda name: corpus)
    monkeypatch.setattr(record_horizon, "long_run", lambda *options: run)
    assert record_horizon.main(["--width", "8", "--characters", "4096"]) == 0
    stored = json.loads(record_horizon.RECORD.read_text())
    assert (stored["width"], stored["characters"], stored["data"]) == (8, 4096, "rhyme")
    fields = (tuple(stored["runs"]["16"][name]) for name in ("lengths", "bits", "spread", "excess_spread"))
    assert Horizon(*fields, stored["runs"]["16"]["tolerance"]).horizon == run["horizon"]
    assert [path.name for path in record_horizon.RECORD.parent.iterdir()] == ["record.json"]


# --- the widget -----------------------------------------------------------------------------------------------------

ALPHABET = "\n abcde"


@pytest.fixture
def model():
    torch.manual_seed(0)
    return CharLSTM(len(ALPHABET), 8)


def test_a_prompt_that_cannot_be_read_is_explained():
    assert sampler.problem("abc", ALPHABET) == ""
    assert "at least one" in sampler.problem("", ALPHABET)
    assert "'z'" in sampler.problem("az", ALPHABET)


def test_a_continuation_depends_on_its_seed_and_nothing_else(model):
    one, same, other = (sampler.continuation(model, ALPHABET, "ab", 1.0, seed) for seed in (1, 1, 2))
    assert one == same != other
    assert len(one) == sampler.COUNT and set(one) <= set(ALPHABET)


def test_a_low_temperature_sharpens(model):
    low, high = (sampler.probabilities(model, ALPHABET, "ab", temperature) for temperature in (0.1, 2.0))
    assert low.sum() == pytest.approx(1) and high.sum() == pytest.approx(1)
    assert low.max() > high.max()


def test_the_sampler_listens(model, monkeypatch):
    shown = []
    monkeypatch.setattr("utils.widgets.still.show", lambda widget, still, alt, book: shown.append((widget, still, alt)))
    sampler.char_sampler(model, ALPHABET, "ab", 1.0)
    ((widget, still, alt),) = shown
    (prompt, side), said, canvas = widget.children[0].children, *widget.children[1:]
    slider, again = side.children
    assert "'ab" in alt and len(still.axes) == 2
    seen = [(said.value, canvas.value)]

    def changed():
        seen.append((said.value, canvas.value))
        return seen[-2][0] != seen[-1][0], seen[-2][1] != seen[-1][1]

    slider.value = 0.1
    assert changed() == (True, True)
    again.click()
    prompt.value = "cde"
    assert changed() == (True, True)
    assert "<b>cde</b>" in said.value
    prompt.value = "z"
    assert "has no" in said.value and canvas.value == ""
    prompt.value = "a"
    assert "<b>a</b>" in said.value and canvas.value
