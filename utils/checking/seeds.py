"""Seeds that follow from one seed, and from which it does not follow.

A judge's seed stays secret, while students see cases that were drawn by it. The generators of NumPy and torch hide
nothing: whoever sees their numbers can compute the state that they came from. So no generator starts from the seed
itself, and no two from seeds that tell anything of each other.
"""

import hashlib
import secrets

BITS = 128  # of a seed that is drawn: no search finds the one to which the cases on a feedback page belong


def new_seed() -> int:
    """A seed that nobody can guess, and never 0."""
    return 1 + secrets.randbits(BITS)


def derived(seed: int, *purpose: object) -> int:
    """A whole number of 256 bits for this purpose, such as the cases of one exercise: SHA-256 of all that is given."""
    return int.from_bytes(hashlib.sha256("\0".join(map(str, (seed, *purpose))).encode()).digest())
