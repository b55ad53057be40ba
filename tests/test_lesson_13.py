"""Lesson 13: right answers in other styles, wrong ones that are on no list, the models and tasks, the widget."""

import json
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from bench import record_few_labels
from tests.browser import repeat
from utils import reach
from utils.checks import building_blocks as check
from utils.models import audio, tagging
from utils.models.autoencoder import VAE, Bound, Code, bound
from utils.models.relational import OneAnswer, OnGraph, SetNetwork, path_graph
from utils.models.unet import UNet, enlarged
from utils.paths import RECORDED
from utils.plotting import latents
from utils.plotting.sound import plot_spectrogram
from utils.tasks.languages import NOT_ASKED
from utils.tasks.masked import hidden
from utils.tasks.sets import distinct, lights
from utils.tasks.word_starts import LENGTH, WordStarts, next_letters, word_starts
from utils.widgets import latent_map as widget

# --- right answers in other styles ----------------------------------------------------------------------------------


def patches_by_loops(images, side):
    B, C, H, W = images.shape
    h, w = math.ceil(H / side), math.ceil(W / side)
    padded = torch.zeros(B, C, h * side, w * side)
    padded[:, :, :H, :W] = images
    rows = [
        padded[:, :, r * side : (r + 1) * side, s * side : (s + 1) * side].flatten(1)
        for r in range(h)
        for s in range(w)
    ]
    return torch.stack(rows, 1)


def patches_by_unfold(images, side):
    down, right = (side - images.shape[2] % side) % side, (side - images.shape[3] % side) % side
    padded = nn.ZeroPad2d((0, right, 0, down))(images)
    windows = padded.unfold(2, side, side).unfold(3, side, side)  # (B, C, h, w, side, side)
    return windows.permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(1, 2)


def patches_in_numpy(images, side):
    x = images.double().numpy()
    x = np.pad(x, [(0, 0), (0, 0), (0, -x.shape[2] % side), (0, -x.shape[3] % side)])
    B, C, H, W = x.shape
    x = x.reshape(B, C, H // side, side, W // side, side).transpose(0, 2, 4, 1, 3, 5)
    return x.reshape(B, (H // side) * (W // side), -1)


def patches_by_one_hot_convolution(images, side):
    C = images.shape[1]
    padded = F.pad(images, (0, -images.shape[3] % side, 0, -images.shape[2] % side))
    kernels = torch.eye(C * side * side).view(-1, C, side, side)
    return F.conv2d(padded, kernels, stride=side).flatten(2).mT


def front_end_by_recursion(samples, rate, window, hop, layers):
    tokens, jump, size = 1 + (samples - window) // hop, hop, window
    for kernel, stride, padding in layers:
        tokens, size, jump = 1 + (tokens + padding * 2 - kernel) // stride, size + kernel * jump - jump, jump * stride
    return [tokens, rate / jump, size / (rate / 1000)]


def front_end_by_torch(samples, rate, window, hop, layers):
    x, field = torch.zeros(1, 1, samples), reach.receptive_field([(window, hop), *layers])
    for kernel, stride, padding in [(window, hop, 0), *layers]:
        x = F.conv1d(x, torch.zeros(1, 1, kernel), stride=stride, padding=padding)
    return x.shape[-1], rate / field.jump, 1000.0 * field.size / rate


def front_end_backwards(samples, rate, window, hop, layers):
    tokens = np.floor((samples - window) / hop) + 1
    for kernel, stride, padding in layers:
        tokens = np.floor((tokens + 2 * padding - kernel) / stride) + 1
    size = 1
    for kernel, stride, _ in reversed([(window, hop, 0), *layers]):
        size = (size - 1) * stride + kernel
    jump = math.prod([hop, *(stride for _, stride, _ in layers)])
    return int(tokens), rate / jump, 1000 * size / rate


def up_by_interpolation(deep, skip, W, b):
    large = F.interpolate(deep, size=skip.shape[2:], mode="nearest")
    return torch.relu(F.conv2d(torch.cat((skip, large), 1), W, b, padding="same"))


def up_by_layer(deep, skip, W, b):
    large = nn.Upsample(scale_factor=2)(deep)[..., : skip.size(-2), : skip.size(-1)]
    conv = nn.Conv2d(W.shape[1], W.shape[0], 3, padding=1)
    conv.weight.data, conv.bias.data = W, b
    return nn.ReLU()(conv(torch.cat([skip, large], -3)))


def up_in_two_parts(deep, skip, W, b):
    rows, columns = torch.arange(skip.shape[2]) // 2, torch.arange(skip.shape[3]) // 2
    large, S = deep[:, :, rows][:, :, :, columns], skip.shape[1]
    u = F.conv2d(skip, W[:, :S], padding=1) + F.conv2d(large, W[:, S:], padding=1) + b[:, None, None]
    return u.clamp(min=0).double()


def sample_by_distributions(mean, log_variance, noise):
    code = torch.distributions.Normal(mean, log_variance.exp().sqrt())
    kl = torch.distributions.kl_divergence(code, torch.distributions.Normal(0.0, 1.0))
    return code.loc + code.scale * noise, kl.reshape(len(mean), -1).sum(-1)


def sample_in_numpy(mean, log_variance, noise):
    m, v, e = (x.double().numpy() for x in (mean, log_variance, noise))
    kl = -0.5 * (1 + v - m**2 - np.exp(v))
    return m + np.sqrt(np.exp(v)) * e, kl.sum(axis=tuple(range(1, m.ndim)))


def sample_from_the_formula(mean, log_variance, noise):
    sigma = torch.exp(0.5 * log_variance)
    each = -sigma.log() + (sigma**2 + mean**2) / 2 - 0.5
    return torch.addcmul(mean, sigma, noise), torch.stack([one.sum() for one in each])


def hide_by_loops(tokens, draw, coin, others, mask):
    inputs, targets = tokens.clone(), torch.full_like(tokens, -100)
    for row in range(tokens.shape[0]):
        for place in range(tokens.shape[1]):
            if draw[row, place] < 0.15:
                targets[row, place] = tokens[row, place]
                if coin[row, place] < 0.8:
                    inputs[row, place] = mask
                elif coin[row, place] < 0.9:
                    inputs[row, place] = others[row, place]
    return inputs, targets


def hide_in_numpy(tokens, draw, coin, others, mask):
    chosen = draw.numpy() < 0.15
    seen = np.select([coin.numpy() < 0.8, coin.numpy() < 0.9], [np.int64(mask), others.numpy()], tokens.numpy())
    return np.where(chosen, seen, tokens.numpy()), np.where(chosen, tokens.numpy(), -100)


def hide_in_place(tokens, draw, coin, others, mask):
    tokens, targets = tokens.clone(), tokens.clone()
    targets[draw >= 0.15] = -100
    swapped = (draw < 0.15) & (coin >= 0.8) & (coin < 0.9)
    tokens[swapped] = others[swapped]
    tokens[(draw < 0.15) & (coin < 0.8)] = mask
    return tokens, targets


RIGHT = {
    "patchify": {
        "loops": patches_by_loops,
        "unfold": patches_by_unfold,
        "numpy, doubles": patches_in_numpy,
        "a convolution": patches_by_one_hot_convolution,
    },
    "front_end": {
        "one line each, a list": front_end_by_recursion,
        "torch": front_end_by_torch,
        "from the top": front_end_backwards,
    },
    "up_step": {"interpolate": up_by_interpolation, "layers": up_by_layer, "in two parts": up_in_two_parts},
    "sample_and_kl": {
        "distributions": sample_by_distributions,
        "numpy, the other sign": sample_in_numpy,
        "the formula as it stands": sample_from_the_formula,
    },
    "hide": {"loops": hide_by_loops, "numpy": hide_in_numpy, "on copies": hide_in_place},
}


# --- wrong answers ----------------------------------------------------------------------------------------------------


def patches_of_rows(images, side):
    return images.flatten(2).transpose(1, 2)


def up_added(deep, skip, W, b):
    large = enlarged(deep, skip)
    return F.conv2d(skip + large, W[:, : skip.shape[1]], b, padding=1).relu()


def up_to_the_wrong_size(deep, skip, W, b):
    large = F.interpolate(deep, scale_factor=2)
    wide = F.pad(skip, (0, large.shape[3] - skip.shape[3], 0, large.shape[2] - skip.shape[2]))
    return F.conv2d(torch.cat([wide, large], 1), W, b, padding=1).relu()


def sample_with_its_own_noise(mean, log_variance, noise):
    return sample_by_distributions(mean, log_variance, torch.randn_like(mean))


def sample_with_log_variance_for_log_deviation(mean, v, noise):
    return mean + (v / 2).exp() * noise, (-v + (v.exp() + mean**2) / 2 - 0.5).flatten(1).sum(1)


def hide_with_draw_alone(tokens, draw, coin, others, mask):
    inputs = torch.where(draw < 0.12, mask, torch.where(draw < 0.135, others, tokens))
    return torch.where(draw < 0.15, inputs, tokens), torch.where(draw < 0.15, tokens, -100)


WRONG = {
    "patchify": {
        "pixels": patches_of_rows,
        "the images": lambda images, side: images,
        "unfold as it comes": (
            lambda images, side: patches_by_unfold(images, side).transpose(1, 2),
            "numbers_before_patches",
        ),
        "stripes": (lambda images, side: check.patchify.variant(move=False)(images, side), "axes_not_moved"),
        "zeros": lambda images, side: 0 * patches_by_loops(images, side),
    },
    "front_end": {
        "samples": lambda samples, *rest: (samples, samples, samples),
        "none": lambda *case: (0, 0.0, 0.0),
        "field in samples": (
            lambda samples, rate, *rest: (
                *front_end_by_torch(samples, rate, *rest)[:2],
                front_end_by_torch(samples, rate, *rest)[2] * rate / 1000,
            ),
            "field_in_samples",
        ),
        "fractions": lambda samples, rate, window, hop, layers: ((samples - window) / hop + 1, rate / hop, 1.0),
    },
    "up_step": {
        "added": (up_added, None),
        "padded instead of cut": (up_to_the_wrong_size, None),
        "skip alone": (lambda deep, skip, W, b: skip, None),
        "no relu": (check.up_step.variant(squash=lambda x: x), "no_relu"),
    },
    "sample_and_kl": {
        "own noise": sample_with_its_own_noise,
        "zero divergence": lambda mean, v, noise: (mean + (v / 2).exp() * noise, torch.zeros(len(mean))),
        "parts swapped": (lambda *case: sample_by_distributions(*case)[::-1], None),
        "log variance for log deviation": (
            sample_with_log_variance_for_log_deviation,
            "log_variance_as_log_deviation",
        ),
        "the variance": (check.sample_and_kl.variant(spread=torch.exp), "variance_as_spread"),
    },
    "hide": {
        "nothing": (lambda tokens, draw, coin, others, mask: (tokens, tokens), None),
        "parts swapped": lambda *case: hide_by_loops(*case)[::-1],
        "all hidden": (
            lambda tokens, draw, coin, others, mask: (torch.full_like(tokens, mask), tokens),
            None,
        ),
        "draw for both": (hide_with_draw_alone, "draw_as_coin"),
        "float inputs": (lambda *case: (hide_by_loops(*case)[0].float(), hide_by_loops(*case)[1]), None),
        "float targets": (lambda *case: (hide_by_loops(*case)[0], hide_by_loops(*case)[1].float()), None),
        "targets made too late": (
            lambda *case: (hide_by_loops(*case)[0], hide_by_loops(*case)[0].masked_fill(case[1] >= 0.15, -100)),
            "target_from_inputs",
        ),
    },
}


# --- models ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sides", [(28, 28), (8, 8), (9, 14)])
def test_a_unet_keeps_the_sides_and_both_kinds_have_the_same_weights(sides):
    torch.manual_seed(0)
    images = torch.rand(2, 1, *sides)
    whole, cut = UNet((4, 6, 8)), UNet((4, 6, 8), skips=False)
    assert whole(images).shape == cut(images).shape == images.shape
    assert [p.shape for p in whole.parameters()] == [p.shape for p in cut.parameters()]
    cut.load_state_dict(whole.state_dict())
    assert not torch.allclose(whole.eval()(images), cut.eval()(images))


def test_a_map_is_enlarged_and_cut():
    deep = torch.tensor([[[[1.0, 2.0]]]])
    assert enlarged(deep, torch.zeros(1, 1, 1, 3)).tolist() == [[[[1.0, 1.0, 2.0]]]]


@pytest.mark.parametrize("grid", [False, True])
@pytest.mark.parametrize("side", [28, 8])
def test_an_autoencoder_gives_images_back_and_says_what_it_pays(grid, side):
    torch.manual_seed(0)
    vae, images = VAE(side, latents=2, grid=grid), torch.rand(3, 1, side, side)
    logits, code = vae(images)
    assert logits.shape == images.shape
    assert code.mean.shape == ((3, 2, side // 4, side // 4) if grid else (3, 2))
    z, kl = check.sample_and_kl.reference(code.mean, code.log_variance, torch.ones_like(code.mean))
    torch.testing.assert_close(code.sample(torch.ones_like(code.mean)), z)
    torch.testing.assert_close(code.divergence(), kl)
    parts = Bound(vae.eval())(images)
    assert parts.shape == (3, 2)
    torch.testing.assert_close(bound(parts, torch.zeros(3)), parts.sum(1).mean())
    assert torch.equal(vae(images)[0], vae(images)[0])  # no noise in evaluation


def test_a_code_in_the_middle_costs_nothing():
    assert Code(torch.zeros(2, 3), torch.zeros(2, 3)).divergence().tolist() == [0, 0]


def test_a_sound_becomes_frames_and_a_pure_tone_one_band():
    sound = audio.notes([440, 0], seconds=0.5)
    assert sound.abs().max() == 1 and not sound[8_000:].any()
    assert audio.log_mel(sound).shape == (80, (16_000 - 400) // 160 + 1)
    tone = torch.sin(2 * math.pi * 1_000 * torch.arange(16_000) / 16_000)
    mels = audio.log_mel(tone)
    centres = torch.linspace(0, audio.mel(torch.tensor(8_000.0)).item(), 82)[1:-1]
    loudest = mels.mean(1).argmax()
    assert (centres[loudest] - audio.mel(torch.tensor(1_000.0))).abs() < centres[1] - centres[0]
    assert audio.front_end(16)(mels[None]).shape == (1, 16, 49)


def test_mel_filters_are_triangles_that_overlap():
    filters = audio.mel_filters(20)
    assert (filters >= 0).all() and (filters.amax(1) > 0.3).all()
    assert filters.argmax(1).diff().min() > 0


def test_a_set_has_no_order_and_a_graph_no_names():
    torch.manual_seed(0)
    x, order = torch.randn(2, 8, 6), torch.randperm(8)
    network = SetNetwork(6, 3)
    for block in network.blocks:
        nn.init.normal_(block.attention.out.weight)
    torch.testing.assert_close(network(x[:, order]), network(x)[:, order])
    edges = path_graph(8)
    renamed = edges[order][:, order]
    torch.testing.assert_close(network(x[:, order], renamed), network(x, edges)[:, order])
    assert not torch.allclose(network(x, edges), network(x), atol=1e-3)
    torch.testing.assert_close(OnGraph(network, edges)(x), network(x, edges))
    placed = OneAnswer(6, 3, positions=8)
    for block in placed.blocks:
        nn.init.normal_(block.attention.out.weight)
    assert not torch.allclose(placed(x), placed(x[:, order]), atol=1e-4)


def test_a_path_connects_neighbours():
    assert path_graph(3).tolist() == [[True, True, False], [True, True, True], [False, True, True]]


# --- tasks ----------------------------------------------------------------------------------------------------------


def test_sets_are_the_same_in_both_orders():
    (ordered, kinds), (shuffled, same) = (distinct(50, 3, ordered) for ordered in (True, False))
    assert torch.equal(kinds, same) and torch.equal(ordered.sum(1), shuffled.sum(1))
    assert torch.equal((ordered.sum(1) > 0).sum(1), kinds) and kinds.min() >= 1 and kinds.max() <= 6
    assert (ordered.argmax(-1).diff() >= 0).all() and not torch.equal(ordered, shuffled)


def test_a_lamp_is_seen_within_three_steps():
    on, near = lights(20, seed=1, nodes=10)
    for lamps, answers in zip(on[..., 0], near, strict=True):
        for node in range(10):
            assert answers[node] == lamps[max(0, node - 3) : node + 4].any()


@pytest.fixture
def task() -> WordStarts:
    return word_starts("The quick brown fox jumps over the lazy dog; it isn't there. " * 100)


def test_words_lose_their_spaces_and_keep_their_beginnings(task):
    letters = "".join(task.alphabet[i] for i in task.letters[:16])
    assert letters == "thequickbrownfox"
    assert task.begins[:16].nonzero().flatten().tolist() == [0, 3, 8, 13]
    assert task.mask == len(task.alphabet)
    few, many = (task.windows("labelled", count, seed=2)[0] for count in (2, 5))
    assert torch.equal(few, many[:2]) and many.shape == (5, LENGTH)


def test_pretraining_asks_for_what_is_not_there(task):
    windows = task.windows("unlabelled", 40, seed=0)[0]
    inputs, targets = next_letters(windows)
    assert torch.equal(inputs[:, 1:], targets[:, :-1])
    inputs, targets = hidden(windows, task.mask, 0.25, seed=0)
    masked = inputs == task.mask
    assert 0.2 < masked.float().mean() < 0.3
    assert torch.equal(targets[masked], windows[masked]) and (targets[~masked] == NOT_ASKED).all()


def test_a_frozen_body_stays_as_it_is_and_its_head_learns(task):
    start = tagging.body(task, causal=False)
    model = tagging.tagger(start, frozen=True)
    head = model.head.weight.detach().clone()
    share = tagging.fine_tune(model, task, 2, seed=0, lr=0.01, steps=3)
    assert 0 <= share <= 1 and not torch.equal(head, model.head.weight)
    for (name, one), other in zip(start.named_parameters(), model.parameters(), strict=True):
        assert torch.equal(one, other) or name == "head.weight"


@pytest.mark.parametrize("kind", ["next", "masked"])
def test_pretraining_lowers_the_loss(task, kind):
    model, history = tagging.pretrain(task, kind, steps=30)
    assert history.best < math.log2(task.mask)
    assert model.blocks[0].attention.causal == (kind == "next")


# --- the record -----------------------------------------------------------------------------------------------------


def test_the_record_has_each_seed_and_its_command():
    record = json.loads((RECORDED / "few_labels.json").read_text())
    assert record["command"] == "python -m bench.record_few_labels"
    for table, amounts in (("words", record_few_labels.WINDOWS), ("images", record_few_labels.IMAGES)):
        for by_amount in record[table].values():
            assert [*by_amount] == [str(amount) for amount in amounts]
            assert all(len(seeds) == 3 for seeds in by_amount.values())
        for tried in record[f"rates_of_{table}"].values():
            assert [*tried] == [str(amount) for amount in amounts]
            assert all(len(rates) == 3 for rates in tried.values())


def test_the_best_rate_is_chosen_before_the_seeds_are_run():
    asked = []

    def run(rate, seed, choose):
        asked.append((rate, seed, choose))
        return rate if choose else seed

    tried, measured = record_few_labels.chosen_and_measured(run, [4, 5], [0.1, 0.3, 0.2])
    assert tried == {"0.1": 0.1, "0.3": 0.3, "0.2": 0.2} and measured == [4, 5]
    assert asked[3:] == [(0.3, 4, False), (0.3, 5, False)]


def test_one_experiment_is_recorded_and_the_other_kept(tmp_path, monkeypatch):
    path = tmp_path / "few_labels.json"
    path.write_text(json.dumps({"words": 1, "command": "old"}))
    monkeypatch.setattr(record_few_labels, "RECORD", path)
    monkeypatch.setattr(record_few_labels, "prepare", lambda: None)
    monkeypatch.setattr(
        record_few_labels, "record_images", lambda content, seeds, steps: content.update(images=[*seeds, steps])
    )
    assert record_few_labels.main(["--only", "images", "--seeds", "2", "--steps", "7"]) == 0
    record = json.loads(path.read_text())
    assert record["images"] == [0, 1, 7] and record["words"] == 1 and "bench" in record["command"]


# --- figures ----------------------------------------------------------------------------------------------------------


def test_an_atlas_has_its_first_number_to_the_right_and_its_second_upwards():
    def decode(codes):
        return codes[:, :1, None, None].expand(-1, 1, 2, 2) + 10 * codes[:, 1:, None, None]

    picture = latents.atlas(decode, steps=3, reach=1.0)
    assert picture.shape == (6, 6)
    assert picture[0, 0] == -1 + 10 and picture[0, -1] == 11 and picture[-1, 0] == -11
    ax = latents.plot_atlas(picture, "map", reach=1.0)
    assert ax.get_xlabel() and ax.images[0].get_extent()[1] > 1


def test_codes_are_drawn_as_their_digits():
    ax = latents.plot_codes(torch.randn(10, 2), torch.arange(10), "codes")
    assert [text.get_text() for text in ax.texts] == [*"0123456789"]


def test_a_spectrogram_stands_under_its_sound():
    sound = audio.notes([440])
    wave, columns = plot_spectrogram(sound, audio.log_mel(sound), 16_000, 160, 400, field=(0.1, 0.165))
    assert wave.get_ylabel() == "amplitude" and columns.get_xlabel() == "time (s)"
    assert len(wave.patches) == len(columns.patches) == 1


# --- the widget -------------------------------------------------------------------------------------------------------


def test_a_place_says_what_a_cloud_around_it_would_cost():
    assert widget.describe(0, 0).startswith("Code (+0.0, +0.0).") and "0.00 nats" in widget.describe(0, 0)
    assert "(+2.0, −0.5)" in widget.describe(2, -0.5) and "2.00 nats" in widget.describe(2, 0)


def test_the_image_of_a_place_stands_in_the_middle_of_its_neighbours():
    def decode(codes):
        return (codes[:, :1, None, None] + 10 * codes[:, 1:, None, None]).expand(-1, 1, 4, 4)

    one, around = widget.draw(decode, 1.0, -2.0).axes
    picture = around.images[0].get_array()
    assert picture.shape == (20, 20) and (picture[8:12, 8:12] == one.images[0].get_array()).all()
    assert picture[8, 12] == pytest.approx(1.4 - 20) and picture[4, 8] == pytest.approx(1 - 16)


def test_latent_map(lab):
    from playwright.sync_api import expect

    code = (
        "from utils.models.autoencoder import VAE\nfrom utils.widgets.latent_map import latent_map\n"
        "vae = VAE(8)\nlatent_map(lambda codes: vae.decode(codes).sigmoid())"
    )
    with lab.run("latent_map", code) as page:
        explorer = page.locator(".latent-map")
        said, picture = explorer.get_by_role("status"), explorer.get_by_role("img")
        expect(said).to_contain_text("Code (+0.0, +0.0)")
        before = picture.get_attribute("src") or ""

        def press(number, key):
            slider = explorer.get_by_role("slider").nth(number)
            slider.focus()
            slider.press(key)

        def says(text):
            return lambda patience: expect(said).to_contain_text(text, timeout=patience)

        repeat(lambda: press(0, "End"), says("Code (+3.2, +0.0)"))
        expect(picture).not_to_have_attribute("src", before)
        repeat(lambda: press(1, "Home"), says("Code (+3.2, −3.2)"))
