"""Lesson 04: right answers in other styles, wrong ones, blocks against their papers, gradients, figures, the widget."""

import itertools
import json
import math
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from bench import record_depth
from tests.browser import repeat
from utils import costs
from utils.checks import depth_and_skips as check
from utils.gradients import gradient_by_path_length, gradient_norms
from utils.models import families, lineage, published, vision
from utils.models.deep import DeepBlock, DeepCNN
from utils.plotting import depth as plots
from utils.plotting.runs import plot_runs
from utils.training import count_parameters
from utils.widgets import depth_explorer as explorer


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


# --- right answers in other styles ----------------------------------------------------------------------------------


def block_by_batch_norm(x, kernels, scales, shifts):
    y, mean, variance = x, torch.zeros(x.shape[1]).to(x), torch.ones(x.shape[1]).to(x)
    for number in range(2):
        y = F.conv2d(y, kernels[number], padding=1)
        y = F.batch_norm(y, mean, variance, scales[number], shifts[number], eps=0.0)
        y = y.relu() if number == 0 else y
    return (x + y).clamp(min=0)


def block_by_unfold(x, kernels, scales, shifts):
    def layer(y, kernel, scale, shift):
        columns = F.unfold(y, 3, padding=1)
        maps = (kernel.flatten(1) @ columns).view_as(x)
        return torch.einsum("c,bchw->bchw", scale, maps) + shift[None, :, None, None]

    hidden = F.relu(layer(x, kernels[0], scales[0], shifts[0]))
    return F.relu(layer(hidden, kernels[1], scales[1], shifts[1]) + x)


class BlockAsModule(nn.Module):
    def forward(self, x, kernels, scales, shifts):
        folded = kernels * scales[:, :, None, None, None]  # the scale can as well stand on the kernel
        hidden = torch.relu(F.conv2d(x, folded[0], shifts[0], padding=1))
        return torch.relu(x + F.conv2d(hidden, folded[1], shifts[1], padding=1)).double()


def shortcut_by_layers(x, channels, stride, weight):
    if weight is None:
        weight = torch.eye(channels, x.shape[1]).to(x)
    return F.conv2d(x, weight[..., None, None], stride=stride)


def shortcut_by_loops(x, channels, stride, weight):
    B, C, H, W = x.shape
    made = np.zeros((B, channels, -(-H // stride), -(-W // stride)), dtype=np.float32)
    for row in range(made.shape[2]):
        for column in range(made.shape[3]):
            pixel = x[:, :, row * stride, column * stride].numpy()  # (B, C)
            if weight is None:
                made[:, :C, row, column] = pixel
            else:
                made[:, :, row, column] = pixel @ weight.numpy().T
    return made


def shortcut_by_linear(x, channels, stride, weight):
    kept = x[..., ::stride, ::stride].movedim(1, -1)
    mixed = F.pad(kept, (0, channels - x.shape[1])) if weight is None else F.linear(kept, weight)
    return mixed.movedim(-1, 1)


def paths_by_listing(blocks):
    counts = [0] * (sum(layers for layers, _ in blocks) + 1)
    for path in itertools.product(*((0, layers) if skip else (layers,) for layers, skip in blocks)):
        counts[sum(path)] += 1
    return counts


def paths_by_polynomials(blocks):
    polynomial = np.array([1])
    for layers, skip in blocks:
        polynomial = np.convolve(polynomial, [int(skip)] + [0] * (layers - 1) + [1])
    return polynomial


def paths_by_recursion(blocks):
    if not blocks:
        return [1]
    (layers, skip), *rest = blocks
    above = paths_by_recursion(rest)
    through, past = [0] * layers + above, above + [0] * layers
    return [a + b * skip for a, b in zip(through, past, strict=True)]


def paths_by_a_dict(blocks):
    counts = {0: 1}
    for layers, skip in blocks:
        after = {}
        for length, paths in counts.items():
            for more in [layers] + [0] * skip:
                after[length + more] = after.get(length + more, 0) + paths
        counts = after
    return [counts.get(length, 0) for length in range(max(counts) + 1)]


def cost_by_torch(layers, side):
    maps, counted = torch.zeros(1, layers[0][0], side, side), [0, 0]
    for inputs, outputs, kernel, stride, groups in layers:
        layer = nn.Conv2d(inputs, outputs, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False)
        maps = layer(maps)
        counted[0] += count_parameters(layer)
        counted[1] += maps[0, 0].numel() * count_parameters(layer)
    return counted


def cost_by_arrays(layers, side):
    inputs, outputs, kernel, stride, groups = np.array(layers).T
    sides = [side := math.ceil(side / one) for one in stride]
    weights = inputs * outputs * kernel**2 // groups
    return weights.sum(), (weights * np.square(sides)).sum()


def cost_by_recursion(layers, side):
    if not layers:
        return 0, 0
    (inputs, outputs, kernel, stride, groups), *rest = layers
    side = (side - 1) // stride + 1
    weights = outputs * inputs * kernel**2 / groups
    parameters, multiply_adds = cost_by_recursion(rest, side)
    return parameters + weights, multiply_adds + weights * side**2


def scaled_as_the_authors_do(stages, width, depth):
    def filters(channels):
        channels *= width
        new = max(8, int(channels + 4) // 8 * 8)
        return int(new + 8 if new < 0.9 * channels else new)

    return [(filters(channels), int(math.ceil(depth * repeats))) for channels, repeats in stages]


def scaled_in_floats(stages, width, depth):
    return [(float(channels), repeats) for channels, repeats in scaled_as_the_authors_do(stages, width, depth)]


def scaled_by_search(stages, width, depth):
    found = []
    for channels, repeats in stages:
        wanted = channels * width
        options = range(0, 8 * channels + 17, 8)
        near = min(options, key=lambda option: (abs(option - wanted), -option))
        found.append([near if near >= 0.9 * wanted else near + 8, -int(-repeats * depth // 1)])
    return found


RIGHT = {
    "residual_block": {
        "torch's batch norm": block_by_batch_norm,
        "unfold, einsum": block_by_unfold,
        "a module, scales on the kernels, float64": BlockAsModule(),
    },
    "shortcut": {
        "a convolution both times": shortcut_by_layers,
        "loops, numpy": shortcut_by_loops,
        "linear": shortcut_by_linear,
    },
    "count_paths": {
        "polynomials, an array": paths_by_polynomials,
        "recursion": paths_by_recursion,
        "a dict on the way": paths_by_a_dict,
        "a tensor": lambda blocks: torch.tensor(paths_by_recursion(blocks)),
    },
    "block_cost": {
        "torch's layers, a list": cost_by_torch,
        "arrays": cost_by_arrays,
        "recursion, floats": cost_by_recursion,
    },
    "scaled": {
        "as the authors do": scaled_as_the_authors_do,
        "lists": lambda *case: [list(stage) for stage in scaled_as_the_authors_do(*case)],
        "by search, lists": scaled_by_search,
    },
}


# --- wrong answers --------------------------------------------------------------------------------------------------


def block_without_padding(x, kernels, scales, shifts):
    return torch.relu(x + F.conv2d(torch.relu(F.conv2d(x, kernels[0])), kernels[1]))


def block_with_wrong_stretch(x, kernels, scales, shifts):
    return torch.relu(x + scales[0] * F.conv2d(x, kernels[0], padding=1))


def binomials(blocks):
    return [math.comb(len(blocks), k) for k in range(len(blocks) + 1)]


WRONG = {
    "residual_block": {
        "the input alone": (lambda x, *_: x, "relu_before_the_sum"),
        "a ReLU alone": lambda x, *_: torch.relu(x),
        "no padding": (block_without_padding, None, "RuntimeError"),
        "scales met columns": block_with_wrong_stretch,
        "no skip": (check.residual_block.variant(skip=lambda x: 0), "no_skip"),
        "ReLU, then sum": (
            check.residual_block.variant(inner=torch.relu, last=lambda y: y),
            "relu_before_the_sum",
        ),
    },
    "shortcut": {
        "x": (lambda x, *_: x, "zeros_left_out"),
        "zeros": lambda x, n, stride, weight: torch.zeros(len(x), n, *x[0, 0, ::stride, ::stride].shape),
        "mean of windows": (
            lambda x, channels, stride, weight: shortcut_by_layers(
                F.avg_pool2d(x, stride, ceil_mode=True), channels, 1, weight
            ),
            "mean_of_windows",
        ),
        "zeros in front": (check.shortcut.variant(fill=lambda x, n: F.pad(x, (0, 0, 0, 0, n, 0))), "zeros_in_front"),
        "projection only": (lambda x, n, stride, weight: F.conv2d(x, weight[..., None, None]), None, "TypeError"),
    },
    "count_paths": {
        "binomials": (binomials, "binomial_coefficients"),
        "the total": (lambda blocks: 2 ** sum(skip for _, skip in blocks), "total_returned"),
        "one path": lambda blocks: [1],
        "all paths listed": (paths_by_listing, None, "ran too long"),
        "a dict": lambda blocks: dict(enumerate(paths_by_recursion(blocks))),
        "from length 1 on": (lambda blocks: paths_by_recursion(blocks)[1:], "zero_left_out"),
    },
    "block_cost": {
        "weights alone": lambda layers, side: cost_by_torch(layers, side)[0],
        "side of the input": (
            check.block_cost.variant(pixels=lambda before, after: before**2),
            "pixels_of_the_input",
        ),
        "groups ignored": (check.block_cost.variant(share=lambda inputs, groups: inputs), "groups_ignored"),
        "twice": lambda layers, side: [2 * one for one in cost_by_torch(layers, side)],
        "with biases": (check.block_cost.variant(bias=1), "biases_counted"),
    },
    "scaled": {
        "unchanged": lambda stages, width, depth: stages,
        "Python's round": (check.scaled.variant(eights=lambda wanted: round(wanted / 8)), "middle_rounded_to_even"),
        "channels alone": lambda stages, width, depth: [c for c, _ in scaled_as_the_authors_do(stages, width, depth)],
        "no multiples": (
            lambda stages, width, depth: [(round(c * width), math.ceil(r * depth)) for c, r in stages],
            "no_multiples_of_8",
        ),
        "whole too early": (check.scaled.variant(whole=int), "cut_off_too_early"),
        "floats": (scaled_in_floats, "floats", "whole numbers"),
        "up": (check.scaled.variant(eights=lambda wanted: math.ceil(wanted / 8)), "channels_rounded_up"),
    },
}


# --- the blocks against their papers --------------------------------------------------------------------------------


def on_meta(build, *shape):
    with torch.device("meta"):
        return costs.cost(build(), torch.empty(1, *shape))


def test_lenets_first_layers_have_the_papers_parameters_and_connections():
    side = 28  # of layer C1, on images of 32
    block = lineage.LeNetBlock(1, 6)
    c1, all_of_it = (costs.cost(part, torch.zeros(1, 1, 32, 32)) for part in (block.convolution, block))
    assert c1.parameters == 156
    assert c1.multiply_adds + 6 * side**2 == 122_304  # connections: the paper counts the biases
    assert all_of_it.parameters - c1.parameters == 12
    with_table = lineage.LeNetBlock(6, 16, published.LENET_TABLE)
    assert count_parameters(with_table) - 32 == 1_516
    assert costs.cost(with_table, torch.zeros(1, 6, 14, 14)).multiply_adds + 16 * 100 == 151_600
    assert on_meta(published.lenet_5, 1, 32, 32).parameters == 60_000


def test_lenets_table_is_the_papers():
    reads = [sum(map_ in maps for maps in published.LENET_TABLE) for map_ in range(6)]
    assert [len(set(maps)) for maps in published.LENET_TABLE] == [3] * 6 + [4] * 9 + [6]
    assert reads == [10] * 6  # each map below is read ten times


def test_alexnets_second_block():
    block = lineage.AlexNetBlock(96, 256, groups=2)
    maps = block[0](torch.zeros(1, 96, 27, 27))
    assert maps.numel() == 186_624  # neurons, as the paper counts them
    assert block(torch.zeros(1, 96, 27, 27)).shape == (1, 256, 13, 13)
    assert costs.cost(block, torch.zeros(1, 96, 27, 27)) == (256 * (48 * 25 + 1), 186_624 * 48 * 25)
    assert on_meta(published.alexnet, 3, 227, 227).parameters == 60_965_224


def test_three_small_kernels_of_vgg_have_27_c_squared_weights():
    C = 8
    weights = sum(part.weight.numel() for part in lineage.VGGBlock(C, C) if isinstance(part, nn.Conv2d))
    assert weights == 27 * C**2
    assert on_meta(published.vgg_16, 3, 224, 224).parameters == 138_357_544


@pytest.mark.parametrize(
    ("depth", "parameters", "billions"),
    [
        (18, 11_689_512, 1.8),
        (34, 21_797_672, 3.6),
        (50, 25_557_032, 3.8),
        (101, 44_549_160, 7.6),
        (152, 60_192_808, 11.3),
    ],
)
def test_resnets_have_the_papers_costs(depth, parameters, billions):
    cost = on_meta(partial(published.resnet, depth), 3, 224, 224)
    assert cost.parameters == parameters  # those of torchvision
    assert cost.multiply_adds / 1e9 == pytest.approx(billions, abs=0.07)


@pytest.mark.parametrize(
    ("block", "layers"),
    [
        (lineage.BasicBlock(64, 64), [(64, 64, 3, 1, 1)] * 2),
        (lineage.Bottleneck(256, 256), [(256, 64, 1, 1, 1), (64, 64, 3, 1, 1), (64, 256, 1, 1, 1)]),
        (lineage.BasicBlock(64, 128, 2), [(64, 128, 3, 2, 1), (128, 128, 3, 1, 1)]),
        (lineage.VGGBlock(64, 128, 3), [(64, 128, 3, 1, 1), *[(128, 128, 3, 1, 1)] * 2]),
        (lineage.ConvNeXtBlock(96), [(96, 96, 7, 1, 96), (96, 384, 1, 1, 1), (384, 96, 1, 1, 1)]),
    ],
)
def test_blocks_cost_what_the_exercise_says(block, layers):
    weights, multiply_adds = check.block_cost.reference(layers, 56)
    cost = costs.cost(block, torch.zeros(1, layers[0][0], 56, 56))
    projection = 64 * 128 if getattr(block, "shortcut", nn.Identity()).__class__ is nn.Sequential else 0
    assert cost.multiply_adds == multiply_adds + projection * 28**2
    kernels = sum(part.weight.numel() for part in block.modules() if isinstance(part, nn.Conv2d))
    assert kernels == weights + projection


@pytest.mark.parametrize(
    ("width", "depth", "side", "parameters", "millions", "billions"),
    [
        (1.0, 1.0, 224, 5_288_548, 5.3, 0.39),
        (1.0, 1.1, 240, 7_794_184, 7.8, 0.70),
        (1.1, 1.2, 260, 9_109_994, 9.2, 1.0),
        (1.2, 1.4, 300, 12_233_232, 12, 1.8),
    ],
)
def test_compound_scaling_gives_the_published_networks(width, depth, side, parameters, millions, billions):
    stages = check.scaled.reference(published.EFFICIENTNETS["B0"][0], width, depth)
    stages[0], stages[-1] = (stages[0][0], 1), (stages[-1][0], 1)
    assert (stages, side) in published.EFFICIENTNETS.values()
    cost = on_meta(partial(published.efficientnet, stages), 3, side, side)
    assert cost.parameters == parameters  # those of torchvision
    assert cost.parameters / 1e6 == pytest.approx(millions, rel=0.03)
    assert cost.multiply_adds / 1e9 == pytest.approx(billions, rel=0.03)


def test_convnext_tiny():
    cost = on_meta(published.convnext, 3, 224, 224)
    assert cost.parameters == 28_589_128
    assert cost.multiply_adds / 1e9 == pytest.approx(4.5, abs=0.05)
    assert count_parameters(lineage.ConvNeXtBlock(96)) == 96 * 50 + 192 + 2 * 96 * 384 + 384 + 96 + 96


def test_squeeze_and_excitation_reaches_everything_and_the_other_branch_does_not():
    torch.manual_seed(0)
    image = torch.randn(1, 4, 9, 9, requires_grad=True)
    for block, reaches in ((lineage.MBConv(4, 4), True), (lineage.BasicBlock(4, 4), False)):
        (gradient,) = torch.autograd.grad(block.eval()(image)[0, :, 0, 0].sum(), image)
        assert bool((gradient[0, :, 8, 8] != 0).any()) == reaches


def test_channel_norm_is_torchs_layer_norm_of_each_pixel():
    maps = torch.randn(2, 5, 3, 4)
    norm = lineage.ChannelNorm(5)
    assert torch.allclose(norm(maps)[1, :, 2, 3], F.layer_norm(maps[1, :, 2, 3], (5,)), atol=1e-6)


def test_the_residual_exercise_is_the_block_of_the_lineage():
    torch.manual_seed(0)
    block = lineage.BasicBlock(3, 3).eval()
    norms = [part for part in block.branch.modules() if isinstance(part, nn.BatchNorm2d)]
    for norm in norms:
        norm.eps = 0.0
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    kernels = torch.stack([part.weight for part in block.branch.modules() if isinstance(part, nn.Conv2d)])
    scales, shifts = (torch.stack([getattr(norm, name).data for norm in norms]) for name in ("weight", "bias"))
    x = torch.randn(2, 3, 5, 4)
    made = check.residual_block.reference(x, kernels.data, scales, shifts)
    assert torch.allclose(made, block(x), atol=1e-5)


@pytest.mark.parametrize("name", families.FAMILIES)
def test_small_networks_are_of_one_size_and_every_weight_learns(name):
    model = families.FAMILIES[name]()
    assert 26_000 < count_parameters(model) < 32_000
    logits = model(torch.rand(8, 1, 28, 28))
    assert logits.shape == (8, 10)
    F.cross_entropy(logits, torch.arange(8)).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


@pytest.mark.parametrize("front", [vision.patches, vision.stem])
def test_both_fronts_make_as_many_vectors(front):
    assert front(32)(torch.rand(2, 1, 28, 28)).shape == (2, 32, 7, 7)
    model = vision.SmallViT(front(32))
    assert model(torch.rand(2, 1, 28, 28)).shape == (2, 10)
    assert 24_000 < count_parameters(model) < 32_000


def test_cost_counts_products_and_leaves_the_mode():
    model = nn.Sequential(nn.Conv2d(2, 4, 3, padding=1, groups=2), nn.Flatten(), nn.Linear(4 * 25, 3)).train()
    assert costs.cost(model, torch.zeros(1, 2, 5, 5)) == (4 * 9 + 4 + 300 + 3, 4 * 9 * 25 + 300)
    assert model.training


# --- gradients ------------------------------------------------------------------------------------------------------


def test_a_deep_network_wants_an_even_number_of_layers():
    with pytest.raises(ValueError, match="even"):
        DeepCNN(7)


def test_gradient_norms_are_those_of_autograd_and_leave_the_model():
    torch.manual_seed(0)
    model, images, labels = DeepCNN(4), torch.rand(4, 1, 28, 28), torch.arange(4)
    norms = gradient_norms(model, images, labels)
    assert len(norms) == 3 and norms[-1] == 1
    below = model.stem(images).detach().requires_grad_()
    above = model.blocks(below)
    first, last = torch.autograd.grad(F.cross_entropy(model.head(above), labels), [below, above])
    assert norms[0] == pytest.approx((first.norm() / last.norm()).item(), rel=1e-3)
    assert next(model.parameters()).dtype == torch.float32


def test_parts_by_path_length_sum_to_the_gradient_and_are_those_of_the_paths():
    torch.manual_seed(0)
    blocks = nn.Sequential(*[DeepBlock(2) for _ in range(3)]).double().eval()
    x = torch.randn(2, 2, 4, 4).double().requires_grad_()
    above = blocks(x)
    gradient = torch.randn_like(above)
    (whole,) = torch.autograd.grad(above, x, gradient)
    parts = gradient_by_path_length(list(blocks), x, gradient)
    assert torch.allclose(parts.sum(0), whole)
    masks, maps = [], x.detach()
    for block in blocks:
        maps = block(maps).detach()
        masks.append((maps > 0).to(maps))
    assert torch.allclose(parts[0], gradient * masks[0] * masks[1] * masks[2])  # past all branches


# --- figures --------------------------------------------------------------------------------------------------------


def test_a_line_for_each_kind_of_network():
    ax = plots.plot_gradients({"plain": {2: [0.1, 0.2], 10: [1e-3, 1e-4]}, "skips": {2: [1.0, 1.0], 10: [2.0, 2.0]}})
    one, plain, skips = ax.lines
    assert [line.get_label() for line in (plain, skips)] == ["plain", "skips"]
    assert np.asarray(skips.get_ydata()).tolist() == pytest.approx([1, 2])


def test_paths_and_shares_are_drawn_side_by_side():
    left, right = plots.plot_paths_and_shares([1, 2, 1], {"trained": [0.5, 0.4, 0.1]})
    assert [bar.get_height() for bar in left.patches] == [1, 2, 1]
    assert list(right.lines[0].get_ydata()) == [0.5, 0.4, 0.1]


def test_each_network_of_the_lineage_is_named_with_its_field():
    networks = {"A": plots.Trained(10, 1_000_000, None, [0.9]), "B": plots.Trained(10, 2_000_000, 25, [0.8, 0.9])}
    ax = plots.plot_lineage(networks)
    assert ax.get_legend_handles_labels()[1] == ["A, sees the whole image", "B, sees 25 pixels"]


def test_costs_of_blocks_are_written_on_their_bars():
    left, right = plots.plot_block_costs({"a": (2_000, 3_000_000), "b": (1_000, 1_000_000)})
    assert [text.get_text() for text in left.texts] == ["2", "1"]
    assert [text.get_text() for text in right.texts] == ["3", "1"]


def test_runs_say_what_is_measured():
    assert plot_runs({"a": [0.5]}, xlabel="training accuracy (%)").get_xlabel() == "training accuracy (%)"


# --- the recorded run -----------------------------------------------------------------------------------------------


def test_a_recorded_run_is_what_the_lesson_reads(tmp_path, monkeypatch):
    monkeypatch.setattr(record_depth, "RECORD", tmp_path / "depth.json")
    monkeypatch.setattr(record_depth, "DEPTHS", (2,))
    first = dict(list(record_depth.NETWORKS.items())[:1])
    monkeypatch.setattr(record_depth, "NETWORKS", first)
    record_depth.main(["--images", "200", "--passes", "1", "--seeds", "1"])
    made = json.loads((tmp_path / "depth.json").read_text())
    stored = json.loads((record_depth.RECORDED / "depth_and_families.json").read_text())
    assert made.keys() == stored.keys()
    assert made["depth"].keys() == {"plain, 2 layers", "residual, 2 layers"}
    assert made["networks"].keys() == first.keys()
    assert all(0 <= run["validation"] <= 1 for run in made["networks"]["LeNet (1998)"])


def test_the_record_holds_every_network_and_each_has_the_rate_that_did_best():
    stored = json.loads((record_depth.RECORDED / "depth_and_families.json").read_text())
    assert stored["networks"].keys() == stored["tuning"].keys() == record_depth.NETWORKS.keys()
    assert all(len(runs) == stored["seeds"] for runs in stored["networks"].values())
    assert {f"{rate:g}" for rate in record_depth.RATES} == set(stored["tuning"]["LeNet (1998)"])


# --- the depth explorer ---------------------------------------------------------------------------------------------


def test_the_explorer_says_what_became_of_the_gradient():
    assert "vanished" in explorer.sentence(explorer.norms(50, "no skips", False, "PyTorch's")[0], 50)
    assert "exploded" in explorer.sentence(explorer.norms(50, "no skips", True, "PyTorch's")[0], 50)
    assert "got through" in explorer.sentence(explorer.norms(50, "skips", True, "PyTorch's")[0], 50)
    state = torch.get_rng_state()
    explorer.norms(2, "skips", False, "He's")
    assert torch.equal(state, torch.get_rng_state())


def test_the_explorers_picture_has_a_dot_for_each_height():
    figure = explorer.draw(6, "skips", False, "PyTorch's")
    assert np.asarray(figure.axes[0].lines[1].get_xdata()).tolist() == [0, 2, 4, 6]


def test_depth_explorer(lab):
    from playwright.sync_api import expect

    widget = "depth_explorer"
    with lab.run(widget, f"from utils.widgets.{widget} import {widget}\n{widget}()") as page:
        whole = page.locator(".depth-explorer")
        said, picture = whole.get_by_role("status"), whole.get_by_role("img")

        def shows(text):
            return lambda patience: expect(said).to_contain_text(text, timeout=patience)

        expect(said).to_contain_text("above 50 layers")
        expect(said).to_contain_text("vanished")
        before = picture.get_attribute("src")
        repeat(lambda: whole.get_by_label("skips:").select_option("skips"), shows("it got through"))
        expect(picture).not_to_have_attribute("src", before)
        repeat(lambda: whole.get_by_label("skips:").select_option("no skips"), shows("vanished"))
        repeat(lambda: whole.get_by_label("batch normalisation").check(), shows("exploded"))

        def press_home():
            slider = whole.get_by_role("slider")
            slider.focus()
            slider.press("Home")

        repeat(press_home, shows("above 2 layers"))
        shows("it got through")(None)
