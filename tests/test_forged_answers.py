"""What an answer's process may send instead of what our `ask` would: no forgery passes, and none stops the judge."""

import json
import math
from dataclasses import asdict

import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from utils.checking import Status, calling, trials
from utils.checking.calling import Outcome, Problem
from utils.checking.graph import Graph, Untraceable, trace
from utils.checking.plain import to_plain
from utils.checks import char_lstm, cnn_on_mnist, exercises, tiny_transformer

EXERCISES = exercises()
build_cnn, build_transformer = cnn_on_mnist.build_cnn, tiny_transformer.build_transformer
overfit, continue_prompt = cnn_on_mnist.overfit, char_lstm.continue_prompt


class Sends:
    """A caller whose answers are forged: `make(*case)` is what arrives."""

    def __init__(self, make):
        self.make = make

    def signature_problem(self, answer, parameters, count) -> None:
        return None

    def call_each(self, answer, cases, *, ask, seconds):
        for case in cases:
            yield Outcome(to_plain(self.make(*case.args)))

    measure = staticmethod(calling.measure)


def judge(exercise, make):
    """The verdict on a forgery. It can be shown and written whatever it is."""
    verdict = exercise.judge(None, caller=Sends(make))
    (verdict.text() + verdict.html() + json.dumps(asdict(verdict))).encode()
    return verdict


def honest(exercise, *case):
    torch.manual_seed(0)
    return to_plain(exercise.ask_function(exercise.reference, *case))


# --- facts made up -----------------------------------------------------------------------------------------------

PERFECT_CNN = {"shape": [6, 10], "convolutions": 2, "parameters": 100, "without_effect": []}
PERFECT_CNN |= {"repeatable": True, "independent": True, "same_for_all": False, "linear": False}
PERFECT_CNN |= {"sums": [9.0] * 3, "lowest": -5.0, "highest": 5.0, "bent": [True, True], "finite": True}
PERFECT_CNN |= {"seeing": [True, True]}
PERFECT_LOSSES = {"before": 2.3, "after": 0.01, "goal": 0.05, "still": [], "true": [2.3, 0.01], "fewest": 64}
CLAIMED = {"steps": [[2.3, 64]], "losses": [2.3, 0.01], "kind": "list"}
PERFECT_TRANSFORMER = {"shape": [2, 256, 5], "expected_shape": [2, 256, 5], "finite": True, "repeatable": True}
PERFECT_TRANSFORMER |= {"independent": True, "same_for_all": False, "sums": [9.0] * 3, "lowest": -5.0, "highest": 5.0}
PERFECT_TRANSFORMER |= {
    "leak": 0.0,
    "reach": 1.0,
    "order": 1.0,
    "cut": 0.0,
    "widths": [8, 32],
    "blind": 0.0,
    "around": 0.0,
}
PERFECT_TRANSFORMER |= {"bent": {"short": [32], "deeper": [32, 32]}, "all_softmaxed": 36}
PERFECT_TRANSFORMER |= {"softmaxed": {"short": 36, "deeper": 72, "one_head": 18}, "added": 10**4, "narrows": []}


@pytest.mark.parametrize(
    ("exercise", "facts"),
    [
        (build_cnn, PERFECT_CNN),
        (build_cnn, {}),
        (overfit, PERFECT_LOSSES | {"losses": [2.3, 0.01], "kind": "list"}),
        (overfit, CLAIMED | {"weights": torch.zeros(2410)}),
        (overfit, CLAIMED | {"weights": torch.zeros(2410) / 0}),
        (overfit, CLAIMED | {"weights": torch.ones(3)}),
        (build_transformer, {}),
        (build_transformer, PERFECT_TRANSFORMER),
    ],
)
def test_facts_that_could_not_be_measured_are_no_pass(exercise, facts):
    assert judge(exercise, lambda *case: facts).status is Status.FAILED


def test_losses_without_the_weights_that_go_with_them_are_no_pass():
    def claims(model, images, labels):
        losses = torch.linspace(2.3, 0.01, 50).tolist()
        return {
            "weights": model["weights"] + 1e-3,
            "steps": [[one, 64] for one in losses],
            "losses": losses,
            "kind": "list",
        }

    assert "mean loss" in judge(overfit, claims).problem


@pytest.mark.parametrize("shuffle", [sorted, lambda tokens: tokens[::2] + tokens[1::2]])
def test_the_right_shares_in_no_random_order_are_no_draws(shuffle):
    def counted(model, prompt, count, temperature):
        if model["gap"]:
            return honest(continue_prompt, model, prompt, count, temperature)
        p = (model["logits"] / temperature).softmax(0)
        total = 100 * count
        tokens = [token for token, share in enumerate(p.tolist()) for _ in range(round(share * total))]
        tokens = shuffle((tokens + [0] * total)[:total])
        return [tokens[first : first + count] for first in range(0, total, count)]

    assert "the same as the one before" in judge(continue_prompt, counted).problem


# --- something else instead of the model -----------------------------------------------------------------------------


class Linear(nn.Module):
    """No convolution has a say in the scores; `pretends` says how two of them are brought in."""

    def __init__(self, side, pretends):
        super().__init__()
        self.one, self.two = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.head, self.pretends = nn.Linear(side**2, 10), pretends

    def forward(self, x):
        scores = self.head((x - 0.5).flatten(1).relu())
        return self.pretends(scores, self.two(self.one(x)).mean())


PRETENCES = {
    "computed and dropped": (lambda scores, maps: scores, "no gradient"),
    "times zero": (lambda scores, maps: scores + 0 * maps, "whatever one.weight"),
    "detached": (lambda scores, maps: scores + maps.detach(), "no gradient"),
    "times next to nothing": (lambda scores, maps: scores + 1e-20 * maps, "whatever one.weight"),
    "steep and tiny": (lambda scores, maps: scores + 1e-7 * (1e6 * maps).sin(), "whatever one.weight"),
    "below what is kept": (lambda scores, maps: 1e4 * scores + 1e-3 * maps, "whatever one.weight"),
    "rounded": (lambda scores, maps: scores + maps.round().sign(), "whatever one.weight"),
}


@pytest.mark.parametrize(("pretends", "said"), PRETENCES.values(), ids=PRETENCES)
def test_convolutions_without_a_say_in_the_scores_do_not_count(pretends, said):
    def sends(side):
        model = Linear(side, pretends)
        return {"model": trace(model, torch.rand(6, 1, side, side)), "without_gradient": [], "frozen": []}

    assert said in judge(build_cnn, sends).problem


def test_one_convolution_used_twice_is_one():
    class Twice(nn.Sequential):
        def forward(self, x):
            conv, *rest = self
            return nn.Sequential(*rest)(conv(conv(x).relu()).relu())

    def build(side):
        return Twice(nn.Conv2d(1, 1, 3, padding=1), nn.MaxPool2d(2), nn.Flatten(), nn.Linear((side // 2) ** 2, 10))

    assert build_cnn.judge(build).mistake == "one_convolution"


def test_a_table_of_scores_is_no_model():
    def sends(side):
        sent = honest(build_cnn, side)
        sent["model"] |= {"constants": [torch.randn(6, 10)], "steps": [], "output": {"constant": 0}}
        return sent

    assert "no gradient" in judge(build_cnn, sends).problem


def test_a_transformer_that_looks_things_up_is_none():
    def sends(vocabulary, *rest):
        sent = honest(build_transformer, vocabulary, *rest)
        table = {"constants": [torch.randn(2, 256, vocabulary)], "steps": [], "output": {"constant": 0}}
        return sent | {"model": sent["model"] | table}

    assert "no gradient" in judge(build_transformer, sends).problem


def test_layers_that_are_only_claimed_do_not_count():
    def sends(*case):
        sent = honest(build_transformer, *case)
        short = sent["texts"]["short"]
        deeper = short | {"weights": short["weights"] | {"more": torch.randn(500, 500)}}
        return sent | {"texts": sent["texts"] | {"deeper": deeper}}

    assert "One more layer adds 0 parameters" in judge(build_transformer, sends).problem


@pytest.mark.parametrize("share", [1e-12, 1e-7])
def test_layers_that_next_to_nothing_passes_do_not_count(share):
    whole = build_transformer.recipe_function

    def build(vocabulary, width, heads, layers):
        def barely(x, attend, feed_forward):
            return x + share * (tiny_transformer.two_steps(x, attend, feed_forward) - x)

        return whole(vocabulary, width, heads, layers, arrange=barely)

    assert build_transformer.judge(build).mistake == "layer_without_weights"


def test_short_texts_of_another_model_are_no_help():
    def sends(*case):
        sent = to_plain(build_transformer.ask_function(build_transformer.variant(inside=2), *case))
        return sent | {"texts": honest(build_transformer, *case)["texts"]}

    assert judge(build_transformer, sends).status is Status.FAILED


def test_a_model_that_sees_the_future_is_found_out_without_its_help():
    def sends(*case):
        (seer,) = (one.answer for one in build_transformer.mistakes if one.name == "model_sees_the_future")
        return to_plain(build_transformer.ask_function(seer, *case)) | {"without_gradient": [], "leak": 0.0}

    assert judge(build_transformer, sends).mistake == "model_sees_the_future"


# --- records that are none -------------------------------------------------------------------------------------------

NEXT = {"input": 0}
BAD_STEPS = {
    "a file": ["aten.from_file.default", ["/etc/passwd"], {}],
    "memory of others": ["aten.as_strided.default", [NEXT, [10**6], [1]], {}],
    "memory in place": ["aten.set_.source_Tensor", [NEXT, NEXT], {}],
    "an attribute": ["aten.add.__class__", [NEXT, NEXT], {}],
    "another space": ["prim.device.default", [NEXT], {}],
    "no operation": ["aten.add.Nothing", [NEXT, NEXT], {}],
    "results elsewhere": ["aten.add.out", [NEXT, NEXT], {"out": NEXT}],
    "huge": ["aten.zeros.default", [[10**13]], {}],
    "huge without memory": ["aten.expand.default", [NEXT, [10**10, 6, 1, 28, 28]], {}],
    "a negative size": ["aten.zeros.default", [[-5]], {}],
    "an unknown constant": ["aten.to.dtype", [NEXT, {"torch": "load"}], {}],
    "a step to come": ["aten.relu.default", [{"step": [10, 0]}], {}],
    "two kinds": ["aten.relu.default", [{"step": [0, 0], "input": 0}], {}],
    "a kind of its own": ["aten.relu.default", [{"__class__": 0}], {}],
    "unknown names": ["aten.relu.default", [NEXT], {"self": NEXT}],
    "no step": 7,
    "half a step": ["aten.relu.default"],
    "no name": [["aten"], [], {}],
    "a wrong dtype": ["aten.index.Tensor", [NEXT, [NEXT]], {}],
    "an index out of range": ["aten.embedding.default", [NEXT, {"constant": 0}], {}],
}


@pytest.mark.parametrize("step", BAD_STEPS.values(), ids=BAD_STEPS)
def test_a_record_with_a_step_that_no_model_takes_is_malformed(step):
    def sends(side):
        sent = honest(build_cnn, side)
        sent["model"] |= {"constants": [torch.tensor([10**9])], "steps": [step, *sent["model"]["steps"]]}
        return sent

    assert Problem.MALFORMED in judge(build_cnn, sends).headline


SPOILT = {
    "steps in another order": lambda model: model | {"steps": model["steps"][::-1]},
    "no steps": lambda model: model | {"steps": []},
    "no output": lambda model: model | {"output": None},
    "a list of outputs": lambda model: model | {"output": [model["output"]] * 6},
    "whole numbers": lambda model: model | {"weights": {k: w.long() for k, w in model["weights"].items()}},
    "complex numbers": lambda model: model | {"weights": {k: w + 1j for k, w in model["weights"].items()}},
    "no weights": lambda model: model | {"weights": {}},
    "nan": lambda model: model | {"weights": {k: w * math.nan for k, w in model["weights"].items()}},
    "weights too small": lambda model: model | {"weights": {k: w[:1] for k, w in model["weights"].items()}},
    "weights of nothing": lambda model: model | {"weights": model["weights"] | {"more": torch.zeros(0, 3)}},
    "a weight that no step uses": lambda model: model | {"weights": model["weights"] | {"more": torch.zeros(3)}},
    "many steps": lambda model: model | {"steps": [["aten.relu.default", [NEXT], {}]] * 9_999},
    "one result many times": lambda model: model | {"steps": [["aten.cat.default", [[NEXT] * 9_999], {}]]},
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_a_spoilt_record_fails(spoil):
    def sends(side):
        sent = honest(build_cnn, side)
        return sent | {"model": spoil(sent["model"])}

    assert judge(build_cnn, sends).status is Status.FAILED


# --- any value at all -------------------------------------------------------------------------------------------------

NUMBERS = st.one_of(st.integers(-(2**1023) + 1, 2**1023 - 1), st.floats(), st.booleans(), st.sampled_from([0, 1, -1]))
DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.float8_e4m3fn, torch.int64, torch.bool, torch.complex64]
TENSORS = st.builds(
    lambda shape, dtype, fill: torch.full(shape, fill).to(dtype),
    st.lists(st.integers(0, 4), max_size=4),
    st.sampled_from(DTYPES),
    st.sampled_from([0.0, 1.0, math.nan, -math.inf]),
)
TEXTS = st.text(st.characters(), max_size=5) | st.sampled_from(
    ["\ud800", "<script>", "\u202e", "", "the class", "lazy"]
)
PLAIN = st.recursive(
    st.none() | NUMBERS | TENSORS | TEXTS,
    lambda part: st.lists(part, max_size=4) | st.dictionaries(TEXTS | st.integers(0, 3), part, max_size=3),
    max_leaves=6,
)


def spoil(draw, value):
    """`value` with one part of it, somewhere, missing, doubled, or replaced by any plain value."""
    if isinstance(value, dict | list) and value and draw(st.integers(0, 4)):
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        key, copy = draw(st.sampled_from(keys)), value.copy()
        if draw(st.integers(0, 5)) == 0:
            del copy[key]
        else:
            copy[key] = spoil(draw, value[key])
        return copy
    if isinstance(value, torch.Tensor) and draw(st.booleans()):
        return draw(
            st.sampled_from([value * math.nan, value[..., None], value.to(torch.complex64), value.bool(), -1 * value])
        )
    return draw(PLAIN)


KEPT: dict = {}  # what our own answers give on these few cases, which are not those of the seed


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
@settings(max_examples=25, database=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
@pytest.mark.filterwarnings("ignore")
def test_the_judge_has_a_verdict_on_any_value(exercise, data):
    cases = sorted(exercise.draw_cases(0), key=lambda case: sum(map(_numbers, case)))[:2]
    sent = [
        spoil(data.draw, honest(exercise, *case)) if data.draw(st.booleans()) else data.draw(PLAIN) for case in cases
    ]
    values = iter(sent)
    with pytest.MonkeyPatch.context() as few:
        few.setattr(exercise, "draw", lambda seed: [("", case) for case in cases])
        few.setattr(trials, "_kept", KEPT)
        judge(exercise, lambda *case: next(values))


def _numbers(value) -> int:
    return value.numel() if isinstance(value, torch.Tensor) else abs(value) if isinstance(value, int) else 1


# --- honest models, written down and run again -----------------------------------------------------------------------


class InPlace(nn.Module):
    """Writes into its input, into views, and into a buffer of its own."""

    def __init__(self):
        super().__init__()
        self.conv, self.scale = nn.Conv2d(1, 4, 3, padding=1), nn.Parameter(torch.rand(4, 1, 1))
        self.register_buffer("calls", torch.zeros(()))
        self.kept = torch.rand(4)

    def forward(self, x):
        self.calls += 1
        x.sub_(0.5)
        maps = torch.empty(len(x), 8, *x.shape[2:])
        maps[:, :4] = self.conv(x) * self.scale
        maps[:, 4:] = maps[:, :4].relu()
        maps[maps < 0] = -0.1
        out = maps.mean((2, 3))
        out[:, ::2] += self.kept + self.calls
        return torch.where(out > 0, out, out.exp()).float()


class Mixed(nn.Module):
    """Attention, normalisation, dropout, einsum, padding, constants: what a learner may use."""

    def __init__(self):
        super().__init__()
        self.norm, self.batch, self.group = nn.LayerNorm(8), nn.BatchNorm2d(4), nn.GroupNorm(2, 4)
        self.conv = nn.utils.parametrizations.weight_norm(nn.Conv2d(1, 4, 3, padding="same", padding_mode="circular"))
        self.attend, self.drop = nn.MultiheadAttention(8, 2, batch_first=True), nn.Dropout(0.9)

    def forward(self, x):
        maps = F.gelu(self.group(self.batch(self.conv(x)))) + F.silu(x)
        rows = self.norm(F.adaptive_avg_pool2d(maps, (4, 2)).flatten(2))
        mask = torch.full((4, 4), -torch.inf).triu(1)
        rows = rows + self.attend(rows, rows, rows, attn_mask=mask)[0]
        q, k, v = torch.stack([rows, rows.roll(1, -1), -rows]).unbind(0)
        rows = F.scaled_dot_product_attention(q, k, v, is_causal=True) + torch.tensor(2.0)
        mixed = torch.einsum("btc,bsc->bts", rows, self.drop(rows)).log_softmax(-1)
        return torch.cat([mixed.reshape(len(x), -1), rows.amax(1), rows.mT.chunk(2, 1)[0].split(1, 1)[0][:, 0]], 1)


@pytest.mark.parametrize("make", [InPlace, Mixed, lambda: build_cnn.reference(8)])
def test_a_record_gives_what_the_model_gives(make):
    torch.manual_seed(0)
    model, images, others = make().eval(), torch.rand(3, 1, 8, 8), torch.rand(3, 1, 8, 8)
    graph = Graph(to_plain(trace(model, images.clone())))
    weights = {name: torch.randn_like(weight) for name, weight in graph.weights.items()}
    model.register_buffer("calls", torch.zeros(()))
    expected = torch.func.functional_call(model, weights, others.clone())
    for _ in range(2):
        torch.testing.assert_close(graph(weights, others), expected)


def test_gradients_of_a_record_are_those_of_the_model():
    model, images = build_cnn.reference(8), torch.rand(3, 1, 8, 8)
    graph = Graph(to_plain(trace(model, images)))
    model(images).square().sum().backward()
    for name, gradient in graph.gradients(graph.weights, images).items():
        torch.testing.assert_close(gradient, model.get_parameter(name).grad)


def test_what_no_record_can_hold_is_said():
    class Spectral(nn.Module):
        def forward(self, x):
            return torch.fft.fft(x).abs()

    with pytest.raises(Untraceable, match=r"torch's fft_fft"):
        trace(Spectral(), torch.rand(2))
    with pytest.raises(Untraceable, match="more than 10,000 steps"):
        trace(nn.Sequential(*[nn.ReLU()] * 10_001), torch.rand(2))
    assert "fft_fft" in build_cnn.judge(lambda side: nn.Sequential(build_cnn.reference(side), Spectral())).problem


def test_a_trace_leaves_torch_as_it_was():
    before = torch.backends.mha.get_fastpath_enabled()
    with pytest.raises(ValueError, match="broken"):
        trace(Broken(), torch.rand(2))
    assert torch.backends.mha.get_fastpath_enabled() == before
    assert torch.rand(2, requires_grad=True).sum().requires_grad


class Broken(nn.Module):
    def forward(self, x):
        raise ValueError("broken")
