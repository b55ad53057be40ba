"""The linear recurrence h_t = a_t h_{t−1} + b_t, in four ways that give the same: loop, two scans, and convolution.

Shapes: a and b (B, T, …) alike, h as well; everything from the third dimension on runs side by side. `start` (B, …) is
the state before the first step, zero unless given. All of them can be differentiated.
"""

import torch
from torch import Tensor


def scan_loop(a: Tensor, b: Tensor, start: Tensor | None = None) -> Tensor:
    """One step after the other: T steps that wait for each other, T multiply-adds."""
    h = torch.zeros_like(b[:, 0]) if start is None else start
    states = []
    for a_t, b_t in zip(a.unbind(1), b.unbind(1), strict=True):
        h = a_t * h + b_t
        states.append(h)
    return torch.stack(states, 1)


def scan_doubling(a: Tensor, b: Tensor, start: Tensor | None = None) -> Tensor:
    """Hillis and Steele (1986): log₂ T rounds. After each one, a place sums up twice as many steps; T log₂ T work.

    A stretch of steps takes h to A h + B. The one before it, (A′, B′), joined with it: (A A′, A B′ + B).
    """
    A, B, shift = a, _begun(a, b, start), 1
    while shift < a.shape[1]:
        joined_A, joined_B = A[:, shift:] * A[:, :-shift], A[:, shift:] * B[:, :-shift] + B[:, shift:]
        A, B = torch.cat([A[:, :shift], joined_A], 1), torch.cat([B[:, :shift], joined_B], 1)
        shift *= 2
    return B


def scan(a: Tensor, b: Tensor, start: Tensor | None = None) -> Tensor:
    """Blelloch (1990), the one that layers use: 2 log₂ T rounds, and no more than 3 T multiply-adds in all.

    Join steps in pairs, scan those, half as many; then each odd place has its state, and an even one is one step more.
    """
    return _pairs(a, _begun(a, b, start))


def _pairs(a: Tensor, b: Tensor) -> Tensor:
    T = a.shape[1]
    if T == 1:
        return b
    first, second = slice(0, T - 1, 2), slice(1, T, 2)  # the places 0, 2, … and 1, 3, … that make pairs
    odd = _pairs(a[:, second] * a[:, first], torch.addcmul(b[:, second], a[:, second], b[:, first]))
    even = torch.addcmul(b[:, 2::2], a[:, 2::2], odd[:, : (T - 1) // 2])  # at 2, 4, …
    even = torch.cat([b[:, :1], even], 1)
    both = torch.stack([even[:, : T // 2], odd], 2).flatten(1, 2)  # in turn
    return both if T % 2 == 0 else torch.cat([both, even[:, -1:]], 1)


def scan_convolution(a: Tensor, b: Tensor) -> Tensor:
    """For a decay that is the same at each step, a (…) for b (B, T, …): the kernel 1, a, a², … over what is written.

    By fast Fourier transform, T log₂ T work. The padding keeps the end from running into the beginning.
    """
    T = b.shape[1]
    kernel = a ** torch.arange(T, dtype=b.dtype, device=b.device).view(T, *[1] * a.dim())  # (T, …)
    spectrum = torch.fft.rfft(kernel, 2 * T, dim=0) * torch.fft.rfft(b, 2 * T, dim=1)
    return torch.fft.irfft(spectrum, 2 * T, dim=1)[:, :T]


def _begun(a: Tensor, b: Tensor, start: Tensor | None) -> Tensor:
    """b, with what the first step makes of the state before it. Raises ValueError for shapes that differ."""
    if a.shape != b.shape or b.dim() < 2 or b.shape[1] == 0:
        raise ValueError(f"a is {tuple(a.shape)} and b {tuple(b.shape)}; expected the same shape (B, T, …), T ≥ 1.")
    if start is None:
        return b
    return torch.cat([(a[:, 0] * start + b[:, 0])[:, None], b[:, 1:]], 1)
