"""The image models of lesson 02, for the lessons that build on them."""

from torch import nn


def cnn(channels: tuple[int, int] = (16, 48), kernel: int = 5, padding: int = 0, side: int = 28) -> nn.Sequential:
    """Two convolutions and one dense layer: images (N, 1, side, side) in, ten logits (N, 10) out.

    The defaults are for MNIST: 27,418 parameters. For the 8 × 8 digits: `kernel=3, padding=1, side=8`.
    A convolution needs no bias here, as the normalisation after it subtracts the mean and adds its own shift
    (Ioffe and Szegedy 2015). Pooling comes first, so that normalisation and activation work on a quarter of
    the numbers. A ReLU never reorders two numbers, so pooling before or after it gives the same result.

    Raises ValueError where the image is too small for two convolutions and two poolings.
    """
    layers: list[nn.Module] = []
    inputs, size = 1, side
    for outputs in channels:
        layers += [
            nn.Conv2d(
                inputs, outputs, kernel, padding=padding, bias=False
            ),  # (N, outputs, H + 2 padding − kernel + 1, …)
            nn.MaxPool2d(2),  # half as high and wide
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
        ]
        inputs, size = outputs, (size + 2 * padding - kernel + 1) // 2
    if size < 1:
        raise ValueError(
            f"cnn(kernel={kernel}, padding={padding}, side={side}): nothing is left of the image after two "
            "convolutions and two poolings. Use a smaller kernel or more padding."
        )
    return nn.Sequential(
        *layers,  # (N, channels, size, size)
        nn.Flatten(),  # (N, channels · size · size)
        nn.Linear(inputs * size * size, 10),  # (N, 10)
    )


def dense(hidden: int = 34, side: int = 28) -> nn.Sequential:
    """The baseline without convolutions: images (N, 1, side, side) in, ten logits (N, 10) out.

    With 34 hidden units on MNIST it has 27,074 parameters, about as many as `cnn()`.
    """
    return nn.Sequential(
        nn.Flatten(),  # (N, side · side)
        nn.Linear(side * side, hidden, bias=False),  # (N, hidden)
        nn.BatchNorm1d(hidden),
        nn.ReLU(),
        nn.Linear(hidden, 10),  # (N, 10)
    )
