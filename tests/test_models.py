import pytest
import torch

from utils.models import cnn, dense
from utils.training import Batches, count_parameters, evaluate, fit, seed_everything


@pytest.mark.parametrize(
    "model, side",
    [
        (cnn(), 28),
        (cnn(kernel=3, padding=1, side=8), 8),
        (cnn((4, 6), kernel=3), 28),
        (dense(), 28),
        (dense(20, 8), 8),
    ],
)
def test_images_go_in_and_ten_logits_come_out(model, side):
    assert model(torch.rand(3, 1, side, side)).shape == (3, 10)


def test_parameters_counted_by_hand():
    convolutions = 16 * 1 * 5 * 5 + 48 * 16 * 5 * 5
    normalisations = 2 * 16 + 2 * 48
    logits = 48 * 4 * 4 * 10 + 10
    assert count_parameters(cnn()) == convolutions + normalisations + logits == 27_418
    assert count_parameters(dense(34)) == 784 * 34 + 2 * 34 + 34 * 10 + 10 == 27_074


@pytest.mark.parametrize("padding", [0, 1])
def test_an_image_too_small_is_refused(padding):
    with pytest.raises(ValueError, match="nothing is left"):
        cnn(kernel=5, padding=padding, side=6)


@pytest.mark.parametrize("build", [cnn, dense])
def test_every_parameter_gets_a_gradient(build):
    model = build()
    torch.nn.functional.cross_entropy(model(torch.rand(8, 1, 28, 28)), torch.arange(8)).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


@pytest.mark.parametrize("build", [cnn, dense])
def test_it_can_learn_memorise_random_labels(build):
    seed_everything(0)
    images = Batches(torch.rand(64, 1, 28, 28), torch.randint(0, 10, (64,)), size=32, shuffle=True)
    model = build()
    fit(model, images, images, epochs=20)
    assert evaluate(model, images) == 1.0
