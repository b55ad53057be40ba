"""Gives outputs of the right shape that hold a bias, a corner of each window or a guess, for the parts that these pass."""

raise SystemExit("Text for a sandbox: never run it.")


# %% own
def sides(x, kernel, stride, padding, dilation):
    return [(x.shape[d] + 2 * padding - dilation * (kernel[d] - 1) - 1) // stride + 1 for d in (-2, -1)]


# %% output_size
def output_size(size, kernel, *rest):
    return size - kernel + 1


# %% conv2d
def conv2d(x, weight, bias, stride=1, padding=0, dilation=1):
    height, width = sides(x, weight.shape, stride, padding, dilation)
    return bias[:, None, None] + torch.zeros(len(weight), height, width)


# %% conv2d_unfold
def conv2d_unfold(x, weight, bias, stride=1, padding=0):
    height, width = sides(x, weight.shape, stride, padding, 1)
    return bias[:, None, None] + torch.randn(len(x), len(weight), height, width) * 1e-3


# %% parameter_counts
def parameter_counts(c_in, c_out, kernel, height, width):
    return {"conv": c_out, "dense": c_out, "Conv": c_in}


# %% max_pool2d
def max_pool2d(x, kernel, stride):
    height, width = sides(x, (kernel, kernel), stride, 0, 1)
    return x[:, ::stride, ::stride][:, :height, :width]
