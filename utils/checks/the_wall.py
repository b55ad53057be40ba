"""Exercises of lesson 14: a weighted sum."""

import torch

from utils.checking import Lesson, normal

lesson = Lesson("14", __name__)

# --- 14.1 a weighted sum ---


@lesson.exercise(points=1, hint="Multiply each input by its weight, add up the products, and add the bias once.")
def weighted_sum(x, w, b):
    """One output for each example: x (B, C), w (C,), b a number; returns (B,)."""
    return x @ w + b


@weighted_sum.cases
def _(rng):
    yield dict(x=torch.tensor([[1.0, 2.0]]), w=torch.tensor([3.0, 4.0]), b=5.0)  # by hand: 16
    for _ in range(12):
        B, C = int(rng.integers(1, 4)), int(rng.integers(2, 6))
        yield dict(x=normal(rng, B, C), w=normal(rng, C), b=float(rng.normal()))


@weighted_sum.recipe
def _(x, w, b, combine=torch.sum, bias=1, inside=0):
    return combine(x * w + inside * b, dim=1) + bias * b


weighted_sum.slip("no_bias", bias=0).says("The bias is missing: add b to the sum.")
weighted_sum.slip("bias_subtracted", bias=-1).says("You subtracted the bias. It is added.")
weighted_sum.slip("mean_of_products", combine=torch.mean).says("You took the mean of the products. Take their sum.")
weighted_sum.slip("bias_for_each_product", bias=0, inside=1).says("You added the bias to each product. Add it once.")
weighted_sum.wrong("no_weights", lambda x, w, b: x.sum(1) + b).says("You added up the inputs and left out the weights.")


@weighted_sum.mistake("You added up the batch as well. Each example has an output of its own: sum over C only.")
def summed_over_the_batch(x, w, b):
    return (x * w).sum() + b
