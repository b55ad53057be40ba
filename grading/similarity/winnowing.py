"""Fingerprints of a text: few of its hashes, chosen so that two texts that share enough words share one of them.

Source: S. Schleimer, D. S. Wilkerson, A. Aiken, Winnowing: Local Algorithms for Document Fingerprinting, SIGMOD 2003.
"""

from collections.abc import Sequence
from hashlib import blake2b

GRAM = 8  # words that are hashed together: what is shorter is noise
WINDOW = 4  # of neighbouring hashes one is kept, so that GRAM + WINDOW - 1 words in common are always seen


def grams(words: Sequence[str], length: int = GRAM) -> list[int]:
    """The hashes, of 63 bits, of all runs of this many words."""
    starts = range(len(words) - length + 1)
    return [_hash("\0".join(words[start : start + length])) for start in starts]


def winnow(hashes: Sequence[int], window: int = WINDOW) -> dict[int, int]:
    """{place: hash} of the smallest hash in each window, the last one of equal ones.

    What is kept depends on the neighbourhood alone, so the same words are kept wherever they stand.
    """
    kept = {}
    for start in range(max(len(hashes) - window + 1, min(len(hashes), 1))):
        places = range(start, min(start + window, len(hashes)))
        place = min(reversed(places), key=hashes.__getitem__)
        kept[place] = hashes[place]
    return kept


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()) >> 1
