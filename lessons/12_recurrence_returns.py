# %% [markdown] question="recurrence without waiting?" write="one weighted sum" minutes=40
# # 12 · Recurrence returns: recurrence without waiting?
#
# Two or three sentences that lead to the question. What does the learner know, and what is missing?
#
# When you are done (about 40 minutes) you can
#
# - write a weighted sum, and get exactly what PyTorch gets;
# - say what each weight does to it.

# %% setup=true
import torch

from utils import notebook
from utils.checks import recurrence_returns as check
from utils.notebook import payoff
from utils.plotting.images import plot_image
from utils.widgets.recurrence_returns_explorer import recurrence_returns_explorer

notebook.setup()

# %% [markdown]
# ## One output, by hand
#
# Start with numbers that can be followed. **Predict** the output before you run the cell.

# %%
# NBVAL_CHECK_OUTPUT
x, w, b = torch.tensor([[1.0, 2.0]]), torch.tensor([3.0, 4.0]), 5.0
(x * w).sum() + b

# %% [markdown]
# The same for a whole batch:
#
# $$y_n = \sum_{c} w_c\, x_{nc} + b$$
#
# | symbol | in code | shape |
# | --- | --- | --- |
# | $x_{nc}$ | `x` | (B, C): one row for each example |
# | $w_c$ | `w` | (C,) |
# | $b$ | `b` | a number |
# | $y_n$ | `y` | (B,): one output for each example |
#
# ### Exercise 12.1 · A weighted sum
#
# ●○○ · about 5 minutes · 1 point
#
# Write `weighted_sum`. Use no layer of PyTorch's.


# %% answer="weighted_sum"
def weighted_sum(x: torch.Tensor, w: torch.Tensor, b: float) -> torch.Tensor:
    """One output for each example: x (B, C), w (C,), b a number. Returns (B,).

    >>> weighted_sum(torch.tensor([[1.0, 2.0]]), torch.tensor([3.0, 4.0]), 5.0)
    tensor([16.])
    """
    ### BEGIN SOLUTION
    return (x * w).sum(dim=1) + b
    ### END SOLUTION


# %% check="weighted_sum"
check.weighted_sum(weighted_sum)

# %% [markdown]
# <details><summary>Hint: the idea</summary>
#
# Each input is multiplied by its own weight. What is summed, and what is left over once the sum is done?
# </details>
#
# <details><summary>Hint: the shapes</summary>
#
# `x * w` is (B, C): the weights are used again for each row. The sum runs over C.
# </details>
#
# Your function, on a batch of three examples that each switch on one input. What do you read off?

# %% payoff="weighted_sum"
with payoff("weighted_sum"):
    outputs = weighted_sum(torch.eye(3), torch.tensor([1.0, -2.0, 0.5]), 0.0)
    plot_image(outputs.diag(), "Each example reads one weight", numbers=True, signed=True)

# %% [markdown]
# ## What one weight does
#
# Move the weight, and watch the output follow.

# %%
recurrence_returns_explorer()

# %% [markdown]
# ## Quiz
#
# One question, one point. Choose, and say why in a sentence.

# %% [markdown] quiz="what_the_bias_does" points=1
# All inputs are zero. What does the output depend on?
#
# - **a** On the weights.
# - **b** On the bias alone.
# - **c** On both.
#
# ### BEGIN SOLUTION
# **b**. Every product is zero, so that only the bias is left.
# ### END SOLUTION

# %% [markdown]
# <details><summary>What each choice would mean</summary>
#
# - **a**: a weight acts through its input, and the inputs are zero.
# - **b**: right.
# - **c**: the weights have nothing to act on.
# </details>
#
# ## What we measured
#
# Answer the question of the lesson, with the numbers of this run.

# %%
notebook.headline(None, output_by_hand=((x * w).sum() + b).item())

# %% [markdown]
# - One sentence for each finding.
#
# <!-- next -->
#
# **References**. Author (year), *Title*.
