"""Returns NaN, infinities, whole numbers of 1,024 bits, half surrogates and complex numbers."""

raise SystemExit("Text for a sandbox: never run it.")


# %% output_size
def output_size(*case):
    return 2**1024 - 1


# %% conv2d
def conv2d(*case):
    return torch.full((1, 2, 2), float("nan"))


# %% conv2d_unfold
def conv2d_unfold(*case):
    return "\ud800\u202e\x00\x1b[2J"


# %% max_pool2d
def max_pool2d(x, *rest):
    return x.to(torch.complex64)


# %% parameter_counts
def parameter_counts(*case):
    return {"conv": float("inf"), "dense": -0.0, "\udfff": 1e308}
