"""Handwriting that we make: looped letters from a few control points, in a slant, a size and a shake of their own.

A line is a list of pen positions. Like Graves, "Generating Sequences With Recurrent Neural Networks", 2013
(arXiv:1308.0850), we store the steps between them: (dx, dy, lift), where lift = 1 says that the pen leaves the paper
after this point, so that the next step is a jump. Lengths are in heights of a small letter until `lines` divides them
by `UNIT`. Shapes: L lines, T points.
"""

from collections.abc import Mapping
from functools import cache

import numpy as np
import torch
from torch import Tensor

Points = tuple[tuple[float, float], ...]


def _pair(text: str) -> tuple[float, float]:
    x, y = text.split(",")
    return float(x), float(y)


WRITTEN = {
    "a": "0,0 0.45,0.75 0.85,0.95 0.5,1 0.22,0.5 0.5,0 0.85,0.5 0.92,1 0.9,0.25 1.2,0",
    "c": "0,0 0.35,0.7 0.75,0.88 0.55,1 0.25,0.55 0.4,0.05 0.95,0",
    "e": "0,0 0.5,0.4 0.75,0.8 0.52,1 0.27,0.6 0.42,0.05 0.95,0",
    "g": "0,0 0.45,0.75 0.85,0.95 0.5,1 0.22,0.5 0.5,0 0.85,0.5 0.92,1 0.9,0 0.8,-0.8 0.55,-1 0.45,-0.6 1.2,0",
    "i": "0,0 0.3,0.6 0.42,1 0.42,0.25 0.75,0; 0.5,1.5 0.56,1.42",
    "l": "0,0 0.5,0.9 0.72,1.75 0.52,2 0.36,1.4 0.36,0.4 0.9,0",
    "m": "0,0 0.25,0.7 0.35,1 0.36,0 0.5,0.75 0.68,1 0.78,0.6 0.78,0 0.92,0.75 1.1,1 1.2,0.6 1.22,0.2 1.5,0",
    "n": "0,0 0.25,0.7 0.35,1 0.36,0 0.5,0.75 0.7,1 0.82,0.6 0.84,0.2 1.15,0",
    "o": "0,0 0.35,0.75 0.6,1 0.3,0.7 0.4,0.08 0.75,0.15 0.85,0.7 0.62,1 0.8,0.8 1.15,0",
    "t": "0,0 0.35,1 0.45,1.7 0.42,0.4 0.8,0; 0.15,1.15 0.75,1.22",
    "u": "0,0 0.3,0.6 0.4,1 0.4,0.3 0.65,0 0.95,0.5 1,1 1,0.3 1.3,0",
}
"""Control points of the strokes of each letter, as x,y. A second stroke is a dot or a bar: the pen is lifted for it."""

LETTERS: Mapping[str, tuple[Points, ...]] = {
    letter: tuple(tuple(_pair(one) for one in stroke.split()) for stroke in text.split(";"))
    for letter, text in WRITTEN.items()
}
"""The same as numbers. Each letter starts and ends on the base line."""

STEP = 0.22  # from point to point along a stroke, at the usual speed
SPACE = 0.6  # between two words
UNIT = 0.25  # makes most steps smaller than 1


def lines(count: int, points: int, seed: int) -> Tensor:
    """`count` lines of looped writing, each cut after so many points: (count, points, 3) of dx, dy and lift.

    Words are drawn at random, and so are, for each line, slant, size, width and speed. The same seed gives the same
    lines. Raises ValueError for less than one line or point.
    """
    if count < 1 or points < 1:
        raise ValueError(f"Got {count} lines of {points} points; each must be at least 1.")
    rng = np.random.default_rng(seed)
    return torch.stack([_line(rng, points) for _ in range(count)])


def positions(strokes: Tensor) -> Tensor:
    """Where the pen is after each step (T, 3): places (T, 2), from (0, 0) on."""
    return strokes[:, :2].cumsum(0)


def _line(rng: np.random.Generator, points: int) -> Tensor:
    slant, height, width, speed = rng.normal(0.25, 0.12), *np.exp(rng.normal(0, (0.12, 0.12, 0.1)))
    places, lifts, start = [np.zeros((1, 2))], [np.zeros(1)], 0.0
    while sum(map(len, places)) <= points:
        word = rng.choice(list(LETTERS), rng.integers(3, 6))
        for number, letter in enumerate(word):
            for stroke, control in enumerate(LETTERS[letter]):
                shaken = np.array(control) + rng.normal(0, 0.03, (len(control), 2))
                shaken[[0, -1]] = np.array(control)[[0, -1]]
                path = _evenly(_smooth(shaken), STEP * speed * np.exp(rng.normal(0, 0.05)))
                places.append(path[1:] + (start, 0) if stroke == 0 else path + (start, 0))
                lifts.append(np.zeros(len(places[-1])))
                if stroke or len(LETTERS[letter]) > 1:
                    lifts[-1][-1] = 1
            start += LETTERS[letter][0][-1][0]
            if len(LETTERS[letter]) > 1 and number < len(word) - 1:  # the pen comes back to where it left the letter
                places.append(np.array([(start, 0.0)]))
                lifts.append(np.zeros(1))
        lifts[-1][-1] = 1
        start += SPACE
        places.append(np.array([(start, 0.0)]))
        lifts.append(np.zeros(1))
    xy = np.concatenate(places)[: points + 1]
    xy = np.stack([width * xy[:, 0] + slant * xy[:, 1], height * xy[:, 1]], 1)
    steps = np.diff(xy, axis=0) / UNIT + rng.normal(0, 0.03, (points, 2))
    return torch.from_numpy(np.column_stack([steps, np.concatenate(lifts)[1 : points + 1]])).float()


def _smooth(control: np.ndarray, between: int = 12) -> np.ndarray:
    """A curve through all control points (n, 2): Catmull and Rom's spline."""
    before = np.concatenate([control[:1], control, control[-1:]])
    share = np.linspace(0, 1, between, endpoint=False)[:, None]
    pieces = []
    for p0, p1, p2, p3 in zip(before[:-3], before[1:-2], before[2:-1], before[3:], strict=True):
        square, cube = p0 - 2.5 * p1 + 2 * p2 - p3 / 2, 1.5 * (p1 - p2) + (p3 - p0) / 2
        pieces.append(p1 + share * (p2 - p0) / 2 + share**2 * square + share**3 * cube)
    return np.concatenate([*pieces, control[-1:]])


def _evenly(curve: np.ndarray, step: float) -> np.ndarray:
    """The curve (n, 2) again, in points that lie about one step apart along it."""
    along = np.concatenate([[0], np.linalg.norm(np.diff(curve, axis=0), axis=1).cumsum()])
    stops = np.linspace(0, along[-1], max(2, round(along[-1] / step) + 1))
    return np.stack([np.interp(stops, along, axis) for axis in curve.T], 1)


@cache
def held_out() -> Tensor:
    """256 lines of 150 points that no training of the course has seen: (256, 150, 3)."""
    return lines(256, 150, seed=999_999)
