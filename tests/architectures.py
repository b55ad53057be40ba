"""Well-known networks, and the receptive fields published for their end points.

The numbers (size, effective stride, effective padding) are those of Araujo, Norris and Sim, "Computing
Receptive Fields of Convolutional Neural Networks", Distill 2019, doi 10.23915/distill.00021, from the table
RECEPTIVE_FIELD_TABLE.md of their library google-research/receptive_field. The table describes the TF-Slim
models, so their structure is written down here: a ResNet, for one, has its stride in the last unit of a
block. Each function gives a Sequential whose steps are named after the end points.

A field does not depend on the number of channels, so every layer has one: the networks are read, never run.
TensorFlow's SAME padding of a layer with stride depends on the size of the image: at side 224 every map has
an even side, at 321 an odd one.
"""

from collections import OrderedDict

import torch
from torch import nn


class Residual(nn.Module):
    def __init__(self, shortcut: nn.Module, body: nn.Module):
        super().__init__()
        self.shortcut, self.body = shortcut, body

    def forward(self, x):
        return torch.relu(self.shortcut(x) + self.body(x))


class Parallel(nn.Module):
    def __init__(self, *branches: nn.Module):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches], dim=1)


def named(**steps: nn.Module) -> nn.Sequential:
    return nn.Sequential(OrderedDict(steps))


def conv(kernel: int | tuple[int, int], stride: int = 1, padding: str | int = "same") -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 1, kernel, stride, padding), nn.BatchNorm2d(1), nn.ReLU())


def valid(kernel: int, stride: int = 1) -> nn.Module:
    return conv(kernel, stride, padding=0)


def padded(kernel: int, stride: int, even: bool, layer: nn.Module) -> nn.Module:
    """TensorFlow's SAME padding before a layer with stride, on maps of even or of odd side."""
    total = kernel - stride if even else kernel - 1
    before, after = total // 2, total - total // 2
    return nn.Sequential(nn.ZeroPad2d((before, after, before, after)), layer)


def lenet() -> nn.Sequential:
    """LeNet-5's convolutions and pools (LeCun et al. 1998), worked by hand below."""
    return named(c1=valid(5), s2=nn.AvgPool2d(2), c3=valid(5), s4=nn.AvgPool2d(2), c5=valid(5))


def alexnet_v2() -> nn.Sequential:
    return named(
        conv1=valid(11, 4),
        pool1=nn.MaxPool2d(3, 2),
        conv2=conv(5),
        pool2=nn.MaxPool2d(3, 2),
        conv3=conv(3),
        conv4=conv(3),
        conv5=conv(3),
        pool5=nn.MaxPool2d(3, 2),
    )


def vgg(depths: tuple[int, ...]) -> nn.Sequential:
    steps = {}
    for stage, depth in enumerate(depths, start=1):
        for layer in range(1, depth + 1):
            steps[f"conv{stage}_{layer}"] = conv(3)
        steps[f"pool{stage}"] = nn.MaxPool2d(2)
    return named(**steps)


def resnet_v1(depths: tuple[int, ...], even: bool = True) -> nn.Sequential:
    blocks = {
        f"block{number}": resnet_block(depth, stride=1 if number == len(depths) else 2)
        for number, depth in enumerate(depths, start=1)
    }
    return named(conv1=conv(7, 2, padding=3), pool1=padded(3, 2, even, nn.MaxPool2d(3, 2)), **blocks)


def resnet_block(depth: int, stride: int) -> nn.Sequential:
    first, *middle, last = [1] * (depth - 1) + [stride]
    return nn.Sequential(
        bottleneck(first, shortcut=conv(1)),
        *(bottleneck(s, shortcut=nn.Identity()) for s in middle),
        bottleneck(last, shortcut=nn.MaxPool2d(1, last)),
    )


def bottleneck(stride: int, shortcut: nn.Module) -> nn.Module:
    return Residual(shortcut, nn.Sequential(conv(1), conv(3, stride, padding=1), conv(1)))


def mobilenet_v1(even: bool = True) -> nn.Sequential:
    strides = (2, 1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
    layers = [conv(3) if s == 1 else padded(3, s, even, valid(3, s)) for s in strides]
    separable = {
        f"Conv2d_{number}_pointwise": nn.Sequential(depthwise, conv(1))
        for number, depthwise in enumerate(layers[1:], start=1)
    }
    return named(Conv2d_0=layers[0], **separable)


def inception_v2(even: bool = True) -> nn.Sequential:
    def strided(kernel: int) -> nn.Module:
        return padded(kernel, 2, even, valid(kernel, 2))

    def pool() -> nn.Module:
        return padded(3, 2, even, nn.MaxPool2d(3, 2))

    def mixed() -> nn.Module:
        tower = nn.Sequential(conv(1), conv(3))
        return Parallel(conv(1), tower, nn.Sequential(conv(1), conv(3), conv(3)), average_tower())

    def reduction() -> nn.Module:
        long = nn.Sequential(conv(1), conv(3), strided(3))
        return Parallel(nn.Sequential(conv(1), strided(3)), long, pool())

    return named(
        Conv2d_1a_7x7=strided(7),
        MaxPool_2a_3x3=pool(),
        Conv2d_2b_1x1=conv(1),
        Conv2d_2c_3x3=conv(3),
        MaxPool_3a_3x3=pool(),
        **{f"Mixed_3{letter}": mixed() for letter in "bc"},
        Mixed_4a=reduction(),
        **{f"Mixed_4{letter}": mixed() for letter in "bcde"},
        Mixed_5a=reduction(),
        **{f"Mixed_5{letter}": mixed() for letter in "bc"},
    )


def inception_v3() -> nn.Sequential:
    return named(
        Conv2d_1a_3x3=valid(3, 2),
        Conv2d_2a_3x3=valid(3),
        Conv2d_2b_3x3=conv(3),
        MaxPool_3a_3x3=nn.MaxPool2d(3, 2),
        Conv2d_3b_1x1=valid(1),
        Conv2d_4a_3x3=valid(3),
        MaxPool_5a_3x3=nn.MaxPool2d(3, 2),
        **{f"Mixed_5{letter}": mixed_35() for letter in "bcd"},
        Mixed_6a=Parallel(valid(3, 2), nn.Sequential(conv(1), conv(3), valid(3, 2)), nn.MaxPool2d(3, 2)),
        **{f"Mixed_6{letter}": mixed_17() for letter in "bcde"},
        Mixed_7a=Parallel(
            nn.Sequential(conv(1), valid(3, 2)),
            nn.Sequential(conv(1), conv((1, 7)), conv((7, 1)), valid(3, 2)),
            nn.MaxPool2d(3, 2),
        ),
        **{f"Mixed_7{letter}": mixed_8() for letter in "bc"},
    )


def average_tower() -> nn.Module:
    return nn.Sequential(nn.AvgPool2d(3, 1, padding=1), conv(1))


def mixed_35() -> nn.Module:
    narrow, wide = nn.Sequential(conv(1), conv(5)), nn.Sequential(conv(1), conv(3), conv(3))
    return Parallel(conv(1), narrow, wide, average_tower())


def mixed_17() -> nn.Module:
    short = nn.Sequential(conv(1), conv((1, 7)), conv((7, 1)))
    long = nn.Sequential(conv(1), conv((7, 1)), conv((1, 7)), conv((7, 1)), conv((1, 7)))
    return Parallel(conv(1), short, long, average_tower())


def mixed_8() -> nn.Module:
    def fork() -> nn.Module:
        return Parallel(conv((1, 3)), conv((3, 1)))

    narrow, wide = nn.Sequential(conv(1), fork()), nn.Sequential(conv(1), conv(3), fork())
    return Parallel(conv(1), narrow, wide, average_tower())


# (network, end point → (size, effective stride, effective padding))
PUBLISHED = {
    "AlexNet v2": (
        alexnet_v2(),
        {
            "conv1": (11, 4, 0),
            "pool1": (19, 8, 0),
            "conv2": (51, 8, 16),
            "conv3": (99, 16, 32),
            "conv4": (131, 16, 48),
            "conv5": (163, 16, 64),
            "pool5": (195, 32, 64),
        },
    ),
    "VGG-A": (
        vgg((1, 1, 2, 2, 2)),
        {
            "conv1_1": (3, 1, 1),
            "pool1": (4, 2, 1),
            "conv2_1": (8, 2, 3),
            "pool2": (10, 4, 3),
            "conv3_1": (18, 4, 7),
            "conv3_2": (26, 4, 11),
            "pool3": (30, 8, 11),
            "conv4_1": (46, 8, 19),
            "conv4_2": (62, 8, 27),
            "pool4": (70, 16, 27),
            "conv5_1": (102, 16, 43),
            "conv5_2": (134, 16, 59),
            "pool5": (150, 32, 59),
        },
    ),
    "VGG-16": (
        vgg((2, 2, 3, 3, 3)),
        {
            "conv1_1": (3, 1, 1),
            "pool1": (6, 2, 2),
            "conv2_1": (10, 2, 4),
            "pool2": (16, 4, 6),
            "conv3_1": (24, 4, 10),
            "conv3_2": (32, 4, 14),
            "pool3": (44, 8, 18),
            "conv4_1": (60, 8, 26),
            "conv4_2": (76, 8, 34),
            "pool4": (100, 16, 42),
            "conv5_1": (132, 16, 58),
            "conv5_2": (164, 16, 74),
            "pool5": (212, 32, 90),
        },
    ),
    "ResNet v1 50, side 224": (
        resnet_v1((3, 4, 6, 3)),
        {"block1": (35, 8, 15), "block2": (99, 16, 47), "block3": (291, 32, 143), "block4": (483, 32, 239)},
    ),
    "ResNet v1 50, side 321": (
        resnet_v1((3, 4, 6, 3), even=False),
        {"block1": (35, 8, 17), "block2": (99, 16, 49), "block3": (291, 32, 145), "block4": (483, 32, 241)},
    ),
    "ResNet v1 101, side 224": (
        resnet_v1((3, 4, 23, 3)),
        {"block1": (35, 8, 15), "block2": (99, 16, 47), "block3": (835, 32, 415), "block4": (1027, 32, 511)},
    ),
    "ResNet v1 152, side 224": (
        resnet_v1((3, 8, 36, 3)),
        {
            "block1": (35, 8, 15),
            "block2": (163, 16, 79),
            "block3": (1315, 32, 655),
            "block4": (1507, 32, 751),
        },
    ),
    "ResNet v1 200, side 224": (
        resnet_v1((3, 24, 36, 3)),
        {
            "block1": (35, 8, 15),
            "block2": (419, 16, 207),
            "block3": (1571, 32, 783),
            "block4": (1763, 32, 879),
        },
    ),
    "MobileNet v1, side 224": (
        mobilenet_v1(),
        {
            "Conv2d_0": (3, 2, 0),
            "Conv2d_1_pointwise": (7, 2, 2),
            "Conv2d_2_pointwise": (11, 4, 2),
            "Conv2d_3_pointwise": (19, 4, 6),
            "Conv2d_4_pointwise": (27, 8, 6),
            "Conv2d_5_pointwise": (43, 8, 14),
            "Conv2d_6_pointwise": (59, 16, 14),
            "Conv2d_7_pointwise": (91, 16, 30),
            "Conv2d_8_pointwise": (123, 16, 46),
            "Conv2d_9_pointwise": (155, 16, 62),
            "Conv2d_10_pointwise": (187, 16, 78),
            "Conv2d_11_pointwise": (219, 16, 94),
            "Conv2d_12_pointwise": (251, 32, 94),
            "Conv2d_13_pointwise": (315, 32, 126),
        },
    ),
    "MobileNet v1, side 321": (
        mobilenet_v1(even=False),
        {
            "Conv2d_0": (3, 2, 1),
            "Conv2d_2_pointwise": (11, 4, 5),
            "Conv2d_6_pointwise": (59, 16, 29),
            "Conv2d_13_pointwise": (315, 32, 157),
        },
    ),
    "Inception v2, side 224": (
        inception_v2(),
        {
            "Conv2d_1a_7x7": (7, 2, 2),
            "MaxPool_2a_3x3": (11, 4, 2),
            "Conv2d_2b_1x1": (11, 4, 2),
            "Conv2d_2c_3x3": (19, 4, 6),
            "MaxPool_3a_3x3": (27, 8, 6),
            "Mixed_3b": (59, 8, 22),
            "Mixed_3c": (91, 8, 38),
            "Mixed_4a": (123, 16, 46),
            "Mixed_4b": (187, 16, 78),
            "Mixed_4c": (251, 16, 110),
            "Mixed_4d": (315, 16, 142),
            "Mixed_4e": (379, 16, 174),
            "Mixed_5a": (443, 32, 190),
            "Mixed_5b": (571, 32, 254),
            "Mixed_5c": (699, 32, 318),
        },
    ),
    "Inception v2, side 321": (
        inception_v2(even=False),
        {
            "Conv2d_1a_7x7": (7, 2, 3),
            "MaxPool_3a_3x3": (27, 8, 13),
            "Mixed_4a": (123, 16, 61),
            "Mixed_4e": (379, 16, 189),
            "Mixed_5c": (699, 32, 349),
        },
    ),
    "Inception v3": (
        inception_v3(),
        {
            "Conv2d_1a_3x3": (3, 2, 0),
            "Conv2d_2a_3x3": (7, 2, 0),
            "Conv2d_2b_3x3": (11, 2, 2),
            "MaxPool_3a_3x3": (15, 4, 2),
            "Conv2d_3b_1x1": (15, 4, 2),
            "Conv2d_4a_3x3": (23, 4, 2),
            "MaxPool_5a_3x3": (31, 8, 2),
            "Mixed_5b": (63, 8, 18),
            "Mixed_5c": (95, 8, 34),
            "Mixed_5d": (127, 8, 50),
            "Mixed_6a": (159, 16, 58),
            "Mixed_6b": (351, 16, 154),
            "Mixed_6c": (543, 16, 250),
            "Mixed_6d": (735, 16, 346),
            "Mixed_6e": (927, 16, 442),
            "Mixed_7a": (1055, 32, 490),
            "Mixed_7b": (1183, 32, 554),
            "Mixed_7c": (1311, 32, 618),
        },
    ),
}
