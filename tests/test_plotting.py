"""What all plot functions keep to, whoever adds the next one."""

import importlib
import inspect
import pkgutil
from collections import Counter

import matplotlib.pyplot as plt
import pytest
import torch

from utils import plotting
from utils.plotting.images import plot_image
from utils.plotting.style import axes, draw_levels

MODULES = [
    importlib.import_module(f"utils.plotting.{module.name}") for module in pkgutil.iter_modules(plotting.__path__)
]
PLOTS = [
    function
    for module in MODULES
    for name, function in inspect.getmembers(module, inspect.isfunction)
    if name.startswith("plot_") and function.__module__ == module.__name__
]


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_no_two_plot_functions_have_one_name():
    assert [name for name, count in Counter(plot.__name__ for plot in PLOTS).items() if count > 1] == []


@pytest.mark.parametrize("plot", PLOTS, ids=lambda plot: plot.__name__)
def test_a_plot_function_draws_on_given_axes_or_returns_several(plot):
    signature = inspect.signature(plot)
    assert plot.__doc__
    if signature.return_annotation is plt.Axes:
        assert signature.parameters["ax"].default is None


def test_axes_are_those_given_or_new_ones_of_that_size():
    _, given = plt.subplots()
    assert axes(given, (1, 1)) is given
    assert axes(None, (3, 2)).figure.get_size_inches().tolist() == [3, 2]
    assert axes(None).figure.get_size_inches().tolist() == plt.rcParams["figure.figsize"]


def test_levels_are_named_lines():
    _, ax = plt.subplots()
    draw_levels(ax, {"5-gram": 2.2})
    assert ax.lines[0].get_ydata() == [2.2, 2.2] and ax.texts[0].get_text() == "5-gram"


@pytest.mark.parametrize("shape", [(1, 12), (12, 1), (1, 1, 12), (1, 1, 3, 4)])
def test_an_image_of_one_row_is_an_image(shape):
    drawn = plot_image(torch.rand(shape)).images[0]
    assert drawn.get_array().shape == shape[-2:]


@pytest.mark.parametrize("shape", [(12,), (2, 3, 4), (2, 1, 3, 4)])
def test_several_images_or_none_are_refused(shape):
    with pytest.raises(ValueError, match="expected one image of shape"):
        plot_image(torch.rand(shape))
