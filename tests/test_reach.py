"""The ruler: measured influence, closed-form fields, and that the two agree."""

import math
import random
import warnings
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.architectures import PUBLISHED, Parallel, Residual, lenet, resnet_block
from utils.reach import (
    MisalignedBranches,
    UnsupportedLayer,
    effective_side,
    influence,
    receptive_field,
)


def numbers(field):
    return field.size, field.stride, field.padding


# --- receptive_field: lists of layers -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layers", "size"),
    [
        ([], 1),
        ([(3, 1)], 3),
        ([(3, 1)] * 3, 7),
        ([(3, 2)] * 3, 15),
        ([(3, 2), (3, 1), (3, 1)], 11),
        ([(3, 1), (3, 2), (3, 1)], 9),
        ([(3, 1), (3, 1), (3, 2)], 7),
        ([(3, 1, 0, 1), (3, 1, 0, 2), (3, 1, 0, 4)], 15),
        ([(5, 1), (2, 2), (5, 1), (2, 2)], 16),
    ],
)
def test_sizes_worked_by_hand(layers, size):
    assert receptive_field(layers).size == size


def test_stride_padding_start_and_centre_by_hand():
    field = receptive_field([(3, 2, 1), (3, 2, 1)])
    # Unit 0 of the second layer reads units -1, 0, 1 of the first, which read -3…-1, -1…1 and 1…3.
    assert numbers(field) == (7, 4, 3)
    assert (field.jump, field.start, field.centre) == (4, -3, 0.0)
    assert field.interval(0) == (-3, 3)
    assert field.interval(2) == (5, 11)
    assert repr(field) == "ReceptiveField(size=7, jump=4, start=-3)"


def test_axes_may_differ():
    field = receptive_field([((3, 5), 1, (1, 0)), (2, (2, 1))])
    assert numbers(field) == ((4, 6), (2, 1), (1, 0))
    assert (field.start, field.centre) == ((-1, 0), (0.5, 2.5))
    assert field.interval((1, 2)) == ((1, 4), (2, 7))


def test_same_field_however_it_is_written():
    module = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
    assert receptive_field(module) == receptive_field([(3, 1, 1), (2, 2)])
    assert receptive_field([nn.Conv2d(1, 2, 3, padding=1), (2, 2)]) == receptive_field(module)
    assert receptive_field([((3, 3), 1, 1), (2, (2, 2))]) == receptive_field(module)


def test_padding_that_depends_on_the_input_is_none():
    field = receptive_field([(3, 1, 1), (3, 2, "same")])
    assert numbers(field) == (5, 2, None)
    assert field.start is None and field.centre is None
    with pytest.raises(ValueError, match="not known"):
        field.interval(0)
    assert receptive_field([(3, 1, None)]).padding is None


@pytest.mark.parametrize("size", range(1, 8))
@pytest.mark.parametrize("stride", range(1, 5))
def test_same_padding_is_known_exactly_when_it_is_the_same_for_every_input(size, stride):
    def before(n):  # TensorFlow's rule: ceil(n / stride) outputs, the odd position goes to the end
        return max((math.ceil(n / stride) - 1) * stride + size - n, 0) // 2

    amounts = {before(n) for n in range(20, 40)}
    expected = amounts.pop() if len(amounts) == 1 else None
    assert receptive_field([(size, stride, "same")]).padding == expected


def test_a_field_larger_than_the_image_is_reported():
    layers = [(7, 2), (7, 2), (3, 1)]
    with pytest.warns(UserWarning, match=r"field \(27\) is larger than the image \(20\)"):
        field = receptive_field(layers, image=20)
    assert field.covers(20) and field.covers(27) and not field.covers(28) and not field.covers((20, 28))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        receptive_field(layers, image=(27, 30))
        receptive_field(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)), image=2)


@pytest.mark.parametrize(
    ("network", "error", "says"),
    [
        ([(0, 1)], ValueError, "kernel is 0"),
        ([(-3, 1)], ValueError, "kernel is -3"),
        ([(2.5, 1)], TypeError, "kernel is 2.5"),
        ([(True, 1)], TypeError, "kernel is True"),
        ([("3", 1)], TypeError, "kernel is '3'"),
        ([(3, 1), (3, 0)], ValueError, r"layer \(3, 0\): stride is 0"),
        ([(3, 1, 0, 0)], ValueError, "dilation is 0"),
        ([(3, 1, -1)], ValueError, "padding is -1"),
        ([(3, 1, "full")], ValueError, "padding is 'full'"),
        ([(3,)], TypeError, r"\(3,\) is no layer"),
        ([(3, 1, 0, 1, 0)], TypeError, "is no layer"),
        ((3, 1), TypeError, "3 is no layer"),
        (["conv"], TypeError, "'conv' is no layer"),
        ([F.relu], TypeError, "is no layer"),
        (7, TypeError, "expected a list of layers"),
        ("conv", TypeError, "expected a list of layers"),
        ([((3, 3), (1, 1, 1))], ValueError, "axes"),
        ([((3, 3), 1), ((3, 3, 3), 1)], ValueError, "axes"),
    ],
)
def test_what_is_no_layer_is_refused(network, error, says):
    with pytest.raises(error, match=says):
        receptive_field(network)


# --- receptive_field: modules ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (nn.Conv1d(1, 1, 3), (3, 1, 0)),
        (nn.Conv3d(1, 1, 3, stride=2, padding=1), (3, 2, 1)),
        (nn.Conv2d(1, 1, 3, dilation=4, padding="same"), (9, 1, 4)),
        (nn.Conv2d(1, 1, 4, padding="same"), (4, 1, 1)),
        (nn.Conv2d(1, 1, (3, 1), padding="valid"), ((3, 1), 1, 0)),
        (nn.MaxPool2d(3, dilation=2, padding=1), (5, 3, 1)),
        (nn.MaxPool1d(3, 2, ceil_mode=True), (3, 2, 0)),
        (nn.AvgPool1d(4, 2, padding=1), (4, 2, 1)),
        (nn.LPPool2d(2, 3), (3, 3, 0)),
        (nn.ZeroPad2d((1, 2, 3, 4)), (1, 1, (3, 1))),
        (nn.Sequential(nn.BatchNorm2d(1), nn.Dropout(), nn.Identity(), nn.GELU()), (1, 1, 0)),
        (nn.AdaptiveAvgPool2d(1), (math.inf, None, None)),
        (nn.AdaptiveMaxPool2d((1, 1)), (math.inf, None, None)),
        (nn.Sequential(nn.Conv2d(1, 1, 3), nn.Flatten(), nn.Linear(9, 2)), (math.inf, None, None)),
        (nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2)), (math.inf, None, None)),
        (nn.Sequential(nn.Conv2d(2, 2, 3), nn.GroupNorm(1, 2), nn.Conv2d(2, 2, 3)), (math.inf, None, None)),
    ],
)
def test_each_kind_of_layer(module, expected):
    assert numbers(receptive_field(module)) == expected


@pytest.mark.parametrize(
    "layer",
    [
        nn.ConvTranspose2d(1, 1, 3),
        nn.Upsample(scale_factor=2),
        nn.AdaptiveAvgPool2d(7),
        nn.LSTM(4, 4),
        nn.MultiheadAttention(4, 1),
        nn.LayerNorm(4),
    ],
)
def test_layers_without_a_closed_form_are_refused_by_name(layer):
    with pytest.raises(UnsupportedLayer, match=type(layer).__name__):
        receptive_field([(3, 1), layer])


class Written(nn.Module):
    """A network in the functional style, from a function of (its weights, x)."""

    def __init__(self, forward):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(2, 2, 3, 3))
        self.compute = forward

    def forward(self, x, scale=None):
        return self.compute(self.weight, x if scale is None else x * scale)


@pytest.mark.parametrize(
    ("forward", "expected"),
    [
        (lambda w, x: F.max_pool2d(F.relu(F.conv2d(x, w, padding=1)), 2), (4, 2, 1)),
        (lambda w, x: F.avg_pool2d(F.conv2d(x, w, None, 2), 3, stride=1), (7, 2, 0)),
        (lambda w, x: F.conv2d(F.pad(x, (1, 1, 2, 0)), w), (3, 1, (2, 1))),
        (lambda w, x: x + 0.5 * torch.tanh(F.conv2d(x, w, padding="same")), (3, 1, 1)),
        (lambda w, x: torch.cat([x, F.conv2d(x, w, padding=1)], 1), (3, 1, 1)),
        (lambda w, x: x * F.conv2d(x, w).mean((2, 3), keepdim=True).sigmoid(), (math.inf, None, None)),
        (lambda w, x: F.conv2d(x, w).view(x.size(0), -1), (math.inf, None, None)),
        (lambda w, x: F.conv2d(x, w) * x.shape[-1] ** 0.5, (3, 1, 0)),
        (lambda w, x: F.adaptive_avg_pool2d(F.conv2d(x, w), 1).flatten(1), (math.inf, None, None)),
    ],
)
def test_networks_in_the_functional_style(forward, expected):
    assert numbers(receptive_field(Written(forward))) == expected


@pytest.mark.parametrize(
    ("forward", "says"),
    [
        (lambda w, x: F.interpolate(x, scale_factor=2), "interpolate"),
        (lambda w, x: x[:, :, 1:], "getitem"),
        (lambda w, x: x.mT, r"\.mT has no"),
        (lambda w, x: torch.cat([x, F.conv2d(x, w, padding=1)], 2), "dimension 2"),
        (lambda w, x: F.conv2d(x, w).mean(2), "mean"),
        (lambda w, x: (x, x), "several"),
        (lambda w, x: w, "does not depend"),
        (lambda w, x: x if x.sum() > 0 else -x, "cannot follow"),
    ],
)
def test_what_cannot_be_followed_is_refused(forward, says):
    with pytest.raises(UnsupportedLayer, match=says):
        receptive_field(Written(forward))


def test_branches_of_different_stride_are_misaligned():
    net = nn.Sequential(nn.Conv2d(1, 1, 3), Residual(nn.Conv2d(1, 1, 1, stride=2), nn.Conv2d(1, 1, 1)))
    with pytest.raises(MisalignedBranches, match=r"add.*in '1'.*effective strides 2 and 1"):
        receptive_field(net)


def test_branches_of_different_centre_are_misaligned():
    net = Parallel(nn.Identity(), nn.Sequential(nn.AvgPool2d(2, 2), nn.Conv2d(1, 1, 3, padding=1)))
    with pytest.raises(MisalignedBranches, match="strides 1 and 2"):
        receptive_field(net)
    with pytest.raises(MisalignedBranches, match=r"cat.*centred at 0.0 and 1.0"):
        receptive_field(Parallel(nn.Identity(), nn.Conv2d(1, 1, 3)))
    with pytest.raises(MisalignedBranches, match="centred"):  # along one axis only
        receptive_field(Parallel(nn.Identity(), nn.Conv2d(1, 1, 3, padding=(1, 0))))


def test_receptive_field_leaves_the_module_alone():
    net = resnet_block(3, stride=2).train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    receptive_field(net)
    assert net.training and all(parameter.grad is None for parameter in net.parameters())
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


# --- receptive_field: published values ------------------------------------------------------------------


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_end_points(name):
    net, published = PUBLISHED[name]
    names = [child for child, _ in net.named_children()]
    computed = {point: numbers(receptive_field(net[: names.index(point) + 1])) for point in published}
    assert computed == published


def test_resnet_padding_is_none_while_the_image_is_not_known():
    blocks = PUBLISHED["ResNet v1 50, side 224"][0][2:]
    unknown = [(7, 2, 3), (3, 2, "same"), *blocks]
    assert numbers(receptive_field(unknown)) == (483, 32, None)


def test_lenet_by_hand():
    # 5; + 1 · 1 = 6; + 4 · 2 = 14; + 1 · 2 = 16; + 4 · 4 = 32: the whole of LeNet's 32 × 32 image.
    sizes = [receptive_field(lenet()[:depth]).size for depth in range(1, 6)]
    assert sizes == [5, 6, 14, 16, 32]


# --- receptive_field agrees with what units really depend on --------------------------------------------


def random_layer(rng, axes, convolution, pool):
    kernel, stride, dilation = rng.randint(1, 4), rng.choice((1, 1, 2, 3)), rng.randint(1, 2)
    kind = rng.choice(("convolution", "convolution", "pool", "residual", "parallel"))
    if kind == "convolution":
        padding = rng.randint(0, 2)
        return convolution(kernel, stride=stride, padding=padding, dilation=dilation)
    if kind == "pool":
        return pool(kernel, stride=stride, padding=rng.randint(0, kernel // 2))
    radius = rng.randint(1, 2)
    wide = convolution(2 * radius + 1, padding=radius * dilation, dilation=dilation)
    if kind == "residual":
        return Residual(nn.Identity(), nn.Sequential(wide, nn.ReLU(), convolution(1)))
    # The field stays two channels wide: each branch gives one.
    one = {"out": 1}
    narrow = convolution(3, stride=2, padding=1, **one)
    return Parallel(narrow, nn.Sequential(wide, pool(3, stride=2, padding=1), convolution(1, **one)))


def random_stack(seed, axes, pool):
    """Two channels all through, every weight positive and no bias: no influence can cancel."""
    rng = random.Random(seed)

    def convolution(kernel, out=2, **settings):
        layer = (nn.Conv1d, nn.Conv2d)[axes - 1](2, out, kernel, bias=False, **settings)
        nn.init.uniform_(layer.weight, 0.5, 1.0)
        return layer

    return nn.Sequential(*(random_layer(rng, axes, convolution, pool) for _ in range(rng.randint(1, 4))))


def unit_far_from_the_border(field, side, units):
    inside = [i for i in range(units) if field.interval(i)[0] >= 0 and field.interval(i)[1] < side]
    return inside[len(inside) // 2]


def extent(positions):
    return positions.min().item(), positions.max().item()


@pytest.mark.parametrize("seed", range(40))
def test_agrees_with_the_support_of_the_gradient(seed):
    net, side = random_stack(seed, axes=1, pool=nn.AvgPool1d).double(), 300
    field = receptive_field(net)
    x = torch.rand(1, 2, side, dtype=torch.float64)
    units = net(x).shape[-1]
    unit = unit_far_from_the_border(field, side, units)
    assert extent(influence(net, x, layout="CT", at=unit).nonzero()) == field.interval(unit)
    # At the border a unit sees no more than its field.
    for unit in (0, units - 1):
        seen = influence(net, x, layout="CT", at=unit).nonzero()
        first, last = field.interval(unit)
        assert ((seen >= first) & (seen <= last)).all()


@pytest.mark.parametrize("seed", range(10))
def test_agrees_with_the_support_of_the_gradient_on_images(seed):
    net, side = random_stack(100 + seed, axes=2, pool=nn.AvgPool2d).double(), 150
    field = receptive_field(net)
    x = torch.rand(1, 2, side, side, dtype=torch.float64)
    unit = unit_far_from_the_border(field, side, net(x).shape[-1])
    rows, columns = influence(net, x, at=(unit, unit)).nonzero().T
    assert extent(rows) == extent(columns) == field.interval(unit)


@pytest.mark.parametrize("seed", range(20))
def test_agrees_with_impulses_through_max_pools(seed):
    # The gradient of a maximum shows one position only. An impulse on a black input shows them all: with
    # positive weights a unit answers exactly when it can see the impulse.
    net, side = random_stack(200 + seed, axes=1, pool=nn.MaxPool1d), 300
    field = receptive_field(net)
    with torch.no_grad():
        answers = net(torch.eye(side)[:, None].expand(side, 2, side)).sum(1)  # (impulse, unit)
    unit = unit_far_from_the_border(field, side, answers.shape[1])
    assert extent(answers[:, unit].nonzero()) == field.interval(unit)


# --- influence ------------------------------------------------------------------------------------------


def test_map_of_a_linear_layer_by_hand():
    mixing = torch.tensor([[1.0, 0.0, 0.0], [2.0, -3.0, 0.0]])  # (T_out, T_in)
    x = torch.randn(3, 4)
    # Each channel passes through on its own, so the Jacobian of a pair is mixing[i, j] times the identity.
    expected = mixing.abs() * math.sqrt(4)
    torch.testing.assert_close(influence(lambda x: mixing @ x, x), expected)


def test_equal_to_the_full_jacobian():
    torch.manual_seed(0)
    model = nn.GRU(3, 5, batch_first=True)
    x = torch.randn(6, 3)
    jacobian = torch.autograd.functional.jacobian(lambda x: model(x)[0], x)  # (T, 5, T, 3)
    torch.testing.assert_close(influence(model, x), torch.linalg.vector_norm(jacobian, dim=(1, 3)))


def test_an_image_map_is_equal_to_the_full_jacobian():
    model = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1, stride=2), nn.Tanh(), nn.Conv2d(3, 2, 3))
    x = torch.randn(2, 8, 7)
    jacobian = torch.autograd.functional.jacobian(model, x)  # (C, H, W, C, H, W)
    expected = torch.linalg.vector_norm(jacobian, dim=(0, 3))
    measured = influence(model, x, layout="CHW")
    torch.testing.assert_close(measured, expected)
    torch.testing.assert_close(influence(model, x[None], layout="BCHW"), expected)
    torch.testing.assert_close(influence(model, x[None], at=(1, -1)), expected[1, -1])
    torch.testing.assert_close(influence(model, x[None], at="centre"), expected[1, 1])


def test_a_batch_gives_the_mean_of_its_maps():
    model = nn.LSTM(3, 4, batch_first=True)
    x = torch.randn(5, 7, 3)
    expected = torch.stack([influence(model, sample) for sample in x]).mean(0)
    torch.testing.assert_close(influence(model, x), expected)
    time_first = nn.LSTM(3, 4)
    time_first.load_state_dict(model.state_dict())
    torch.testing.assert_close(influence(time_first, x.transpose(0, 1), layout="TBC"), expected)


def test_the_three_flows():
    torch.manual_seed(0)
    x = torch.randn(12, 8)
    band = influence(nn.Conv1d(8, 8, 3, padding=1), x.T, layout="CT")
    near = (torch.arange(12)[:, None] - torch.arange(12)).abs() <= 1
    assert (band[near] > 0).all() and (band[~near] == 0).all()

    triangle = influence(nn.RNN(8, 8), x)
    assert (triangle.triu(1) == 0).all() and (triangle.tril()[:, 0] > 0).all()
    assert triangle[11, 0] < 0.1 * triangle[11, 11]

    attention = nn.MultiheadAttention(8, 2)
    everywhere = influence(lambda x: attention(x, x, x), x)
    assert everywhere.shape == (12, 12) and (everywhere > 0).all()


def test_lengths_may_differ():
    net = nn.Conv1d(4, 6, 5, stride=2)
    assert influence(net, torch.randn(4, 20), layout="CT").shape == (8, 20)


def test_no_dependence_is_a_map_of_zeros():
    constant = nn.Parameter(torch.ones(4, 2))
    for function in (lambda x: torch.ones(4, 2), lambda x: constant * 2, lambda x: x.detach()):
        assert torch.equal(influence(function, torch.randn(4, 2)), torch.zeros(4, 4))


def test_faint_influence_does_not_vanish_in_the_square():
    measured = influence(lambda x: x * 1e-30, torch.randn(3, 2))
    torch.testing.assert_close(measured.diag(), torch.full((3,), math.sqrt(2) * 1e-30), rtol=1e-5, atol=0)


def test_the_model_is_measured_in_evaluation_mode_and_left_as_it_was():
    model = nn.Sequential(nn.Conv1d(2, 2, 3, padding=1), nn.BatchNorm1d(2), nn.Dropout(0.9))
    model.train()
    model[1].eval()  # a frozen layer inside a model that trains
    model[0].weight.requires_grad_(False)
    model[0].bias.grad = torch.ones(2)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    x = torch.randn(4, 2, 9)
    first = influence(model, x, layout="CT")
    assert torch.equal(first, influence(model, x, layout="CT"))  # no dropout
    assert [part.training for part in model] == [True, False, True] and model.training
    assert not model[0].weight.requires_grad and torch.equal(model[0].bias.grad, torch.ones(2))
    assert model[1].weight.grad is None and x.grad is None and not x.requires_grad
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_modes_are_restored_when_the_model_fails():
    model = nn.Sequential(nn.Linear(3, 3), nn.Dropout())
    with pytest.raises(RuntimeError):
        influence(model, torch.randn(4, 5))
    assert model.training and model[1].training


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_works_where_gradients_are_switched_off(context):
    model = nn.RNN(3, 3)
    x = torch.randn(5, 3)
    with context():
        inside = influence(model, x * 1.0)
    torch.testing.assert_close(inside, influence(model, x))
    assert not inside.requires_grad


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (partial(influence, nn.Identity(), torch.tensor([[1, 2]])), TypeError, "embeddings"),
        (partial(influence, nn.Identity(), [[1.0]]), TypeError, "torch.Tensor"),
        (partial(influence, nn.Identity(), torch.full((2, 2), math.nan)), ValueError, "NaN"),
        (partial(influence, nn.Identity(), torch.randn(4)), ValueError, "do not fit layout"),
        (partial(influence, nn.Identity(), torch.randn(4, 2), layout="BCHW"), ValueError, "do not fit"),
        (partial(influence, nn.Identity(), torch.randn(4, 2), layout="TT"), ValueError, "do not fit"),
        (partial(influence, nn.Identity(), torch.randn(4, 2), layout="BC"), ValueError, "do not fit"),
        (partial(influence, nn.Identity(), torch.randn(0, 2)), ValueError, "empty"),
        (partial(influence, lambda x: x.mean(0), torch.randn(4, 2)), ValueError, "the same axes"),
        (partial(influence, lambda x: x.argmax(1, keepdim=True), torch.randn(4, 2)), TypeError, "no gradient"),
        (partial(influence, lambda x: {"y": x}, torch.randn(4, 2)), TypeError, "returned a dict"),
        (partial(influence, torch.sqrt, torch.zeros(4, 2)), ValueError, "not finite"),
        (partial(influence, nn.Identity(), torch.randn(4, 2), at=4), IndexError, "shape"),
        (partial(influence, nn.Identity(), torch.randn(4, 2), at=(1, 1)), IndexError, "shape"),
        (partial(influence, nn.Identity(), torch.randn(4, 2), at="center"), TypeError, '"centre"'),
    ],
)
def test_bad_input_to_influence_is_refused(call, error, says):
    with pytest.raises(error, match=says):
        call()


# --- effective_side -------------------------------------------------------------------------------------


def test_effective_side_by_hand():
    image = torch.zeros(9, 12)
    image[3:6, 5:8] = 1.0  # nine equal pixels
    image[0, 0] = 0.4
    assert effective_side(image, share=0.95) == 3
    assert effective_side(image, share=1.0) == 8  # from (0, 0) to (5, 7)
    assert effective_side(torch.tensor([0.0, 0.1, 3.0, 3.0, 0.1, 0.0])) == 2
    assert effective_side(torch.tensor([0.0, 0.1, 3.0, 3.0, 0.1, 0.0]), share=1) == 4
    assert effective_side(torch.zeros(5, 5)) == 0


def test_the_effective_field_lies_inside_the_theoretical_one():
    torch.manual_seed(0)
    net = nn.Sequential(*(nn.Conv2d(4, 4, 3, bias=False) for _ in range(8)))
    image = influence(net, torch.randn(4, 4, 25, 25), at="centre")
    field = receptive_field(net)
    assert effective_side(image, share=1.0) == field.size == 17
    assert effective_side(image, share=0.95) < field.size  # a blob: Luo et al. 2016


@pytest.mark.parametrize(("shape", "share"), [((2, 3, 4), 0.5), ((3, 3), 0.0), ((3, 3), 1.5)])
def test_bad_input_to_effective_side_is_refused(shape, share):
    with pytest.raises(ValueError, match="expected a map"):
        effective_side(torch.ones(shape), share)
