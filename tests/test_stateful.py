"""Layers with a state: scans against the loop, whole sequences against single steps, no look ahead, no overflow."""

import pytest
import torch
from torch import nn

from utils import models
from utils.models.rwkv import TimeMix
from utils.models.scan import scan, scan_convolution, scan_doubling, scan_loop
from utils.models.state_space import Mamba, SelectiveSSM
from utils.models.stateful import LSTM, CausalAttention, ShortConvolution, Stack, state_bytes
from utils.models.xlstm import MLSTM, SLSTM
from utils.reach import influence

WIDTH = 8
LAYERS = {
    "LSTM": lambda: LSTM(WIDTH),
    "attention": lambda: CausalAttention(WIDTH),
    "short convolution": lambda: ShortConvolution(WIDTH),
    "SSM": lambda: SelectiveSSM(WIDTH, 4),
    "SSM, not selective": lambda: SelectiveSSM(WIDTH, 4, selective=False),
    "Mamba": lambda: Mamba(WIDTH, 4),
    "Mamba, twice as wide inside": lambda: Mamba(WIDTH, 4, expand=2),
    "RWKV": lambda: TimeMix(WIDTH),
    "sLSTM": lambda: SLSTM(WIDTH),
    "mLSTM": lambda: MLSTM(WIDTH),
}
FIXED = [name for name in LAYERS if name != "attention"]


def layer(name: str) -> nn.Module:
    torch.manual_seed(0)
    made = LAYERS[name]()
    with torch.no_grad():  # nothing stays where it begins
        for parameter in made.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return made


@pytest.mark.parametrize("T", [1, 2, 3, 4, 5, 7, 8, 37])
@pytest.mark.parametrize("parallel", [scan, scan_doubling])
def test_a_scan_gives_states_and_gradients_of_the_loop(parallel, T):
    torch.manual_seed(T)
    a, b, start = torch.rand(2, T, 3).double(), torch.randn(2, T, 3).double(), torch.randn(2, 3).double()
    sources = [tensor.requires_grad_() for tensor in (a, b, start)]
    weights, found = torch.randn(2, T, 3).double(), []
    for way in (scan_loop, parallel):
        states = way(a, b, start)
        found.append((states, *torch.autograd.grad((states * weights).sum(), sources)))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)
    torch.testing.assert_close(parallel(a, b), scan_loop(a, b))


@pytest.mark.parametrize("T", [1, 2, 5, 300])
def test_a_decay_that_stays_the_same_is_a_convolution(T):
    torch.manual_seed(T)
    a, b = torch.rand(3, 2), torch.randn(2, T, 3, 2)
    torch.testing.assert_close(scan_convolution(a, b), scan_loop(a.expand_as(b), b), atol=1e-4, rtol=1e-4)


def test_a_decay_of_zero_is_no_trouble():
    a, b = torch.tensor([[0.5, 0.0, 0.5, 0.5, 0.0]]), torch.ones(1, 5)
    for way in (scan, scan_doubling, scan_loop):
        assert way(a, b).tolist() == [[1, 1, 1.5, 1.75, 1]]


@pytest.mark.parametrize("way", [scan, scan_doubling])
def test_shapes_that_differ_are_refused(way):
    with pytest.raises(ValueError, match="expected the same shape"):
        way(torch.ones(1, 3), torch.ones(1, 4))


@pytest.mark.parametrize("name", LAYERS)
def test_a_whole_sequence_gives_what_its_steps_give(name):
    made = layer(name).double()
    x = 3 * torch.randn(2, 37, WIDTH).double()
    whole, (steps, state) = made(x), made.by_steps(x)
    assert whole.shape == x.shape
    torch.testing.assert_close(whole, steps)
    first, state = made.by_steps(x[:, :20])  # and in two pieces
    second, _ = made.by_steps(x[:, 20:], state)
    torch.testing.assert_close(torch.cat([first, second], 1), whole)
    whole.square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in made.parameters())


@pytest.mark.parametrize("name", LAYERS)
def test_none_looks_ahead_and_all_look_back(name):
    reach = influence(lambda x: layer(name)(x[None])[0], torch.randn(10, WIDTH))
    last = 4 if name == "short convolution" else 10
    assert reach.triu(1).max() == 0 and (reach[:last, 0] > 0).all() and (reach[last:, 0] == 0).all()


@pytest.mark.parametrize("name", ["RWKV", "sLSTM", "mLSTM"])
@pytest.mark.parametrize("size", [0.01, 300.0])
def test_exponential_gates_do_not_overflow(name, size):
    made, x = layer(name), size * torch.randn(1, 50, WIDTH)
    whole, (steps, state) = made(x), made.by_steps(x)
    assert whole.isfinite().all() and all(part.isfinite().all() for part in state)
    torch.testing.assert_close(whole, steps, atol=1e-3 * float(whole.detach().abs().max()), rtol=1e-3)


def test_rwkv_is_the_formula_of_the_paper():
    made = layer("RWKV").double()
    x = torch.randn(1, 6, WIDTH).double()
    r, k, v = made.project(x, torch.cat([0 * x[:, :1], x[:, :-1]], 1))
    w = made.log_w.exp()
    for t in range(6):
        weights = [torch.exp(-(t - 1 - i) * w + k[:, i]) for i in range(t)] + [torch.exp(made.u + k[:, t])]
        mean = sum(weight * v[:, i] for i, weight in enumerate(weights)) / sum(weights)
        torch.testing.assert_close(made(x)[:, t], made.o(r[:, t] * mean))


def test_mlstm_is_the_formula_of_the_paper():
    made = layer("mLSTM").double()
    x = torch.randn(1, 6, WIDTH).double()
    q, k, v, log_i, log_f = (part[0] for part in made.project(x))
    for head in range(made.heads):
        C, n = torch.zeros(4, 4).double(), torch.zeros(4).double()
        outputs = []
        for t in range(6):
            i, f = log_i[head, t].exp(), log_f[head, t].exp()
            C, n = f * C + i * torch.outer(v[head, t], k[head, t]), f * n + i * k[head, t]
            outputs.append(C @ q[head, t] / max(abs(n @ q[head, t]), 1))
        inner = torch.stack(outputs)
        with torch.no_grad():
            made.out.weight.copy_(torch.eye(WIDTH))
        shown = (made(x) / made.o(x).sigmoid())[0, :, 4 * head : 4 * head + 4]
        torch.testing.assert_close(shown, inner)


@pytest.mark.parametrize("name", FIXED)
def test_a_fixed_state_does_not_grow(name):
    made = layer(name)
    sizes = [state_bytes(made.by_steps(torch.randn(1, T, WIDTH))[1]) for T in (1, 40)]
    assert sizes[0] == sizes[1] > 0


def test_a_cache_grows_by_keys_and_values():
    made = layer("attention")
    assert state_bytes(made.by_steps(torch.randn(1, 40, WIDTH))[1]) == 2 * 4 * WIDTH * 40


@pytest.mark.parametrize("names", [["Mamba", "Mamba"], ["RWKV", "attention"], ["mLSTM", "sLSTM"]])
def test_a_stack_reads_and_writes_the_same(names):
    torch.manual_seed(0)
    model = Stack(11, WIDTH, [layer(name) for name in names]).eval()
    tokens = torch.randint(11, (2, 9))
    torch.testing.assert_close(model.reader()(tokens), model(tokens), atol=1e-5, rtol=1e-4)
    alone = models.generate(lambda tokens: model(tokens), tokens[0], 5, temperature=0)
    assert models.generate(model, tokens[0], 5, temperature=0).tolist() == alone.tolist()
