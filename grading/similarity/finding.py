"""Which works are alike beyond what many of the class wrote, without comparing two that share nothing.

The fingerprints of all works are sorted once; those that a few works share make the pairs. A fingerprint weighs as much
as it is rare: the logarithm of how many works there are for each that has it, as the inverse document frequency of
K. Spärck Jones, A statistical interpretation of term specificity, Journal of Documentation 28 (1972).
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

RARE_SHARE = 0.04  # of the works: what more of them have is the class's common way
RARE_AT_LEAST, RARE_AT_MOST = 4, 20  # works. The first is for small classes; the second bounds the number of pairs
ENOUGH = 30  # of weight times share; bench/record_similar.py measures what this finds


@dataclass(frozen=True)
class Pair:
    """Two works that are alike.

    Attributes:
        one, other: their places in the list that was compared.
        shared: the fingerprints that the two have, and few others.
        share: of what the one with less of its own has, how much the other has too; from 0 to 1.
        seen: how many works have what the two share, in the median of the shared fingerprints.
        strength: what the list is sorted by.
    """

    one: int
    other: int
    shared: frozenset[int]
    share: float
    seen: int
    strength: float


def rare(works: int) -> int:
    """How many of so many works may have something for it to be rare."""
    return int(min(RARE_AT_MOST, max(RARE_AT_LEAST, RARE_SHARE * works)))


def pairs(prints: Sequence[np.ndarray], apart: Collection[int] = ()) -> list[Pair]:
    """The pairs of works that are alike, the most alike first.

    Args:
        prints: for each work its fingerprints, each once, without those that everybody may have.
        apart: places of works that are compared with the others only, and not with each other.
    """
    hashes = np.concatenate([*prints, np.empty(0, np.int64)])
    owners = np.repeat(np.arange(len(prints)), [len(one) for one in prints])
    order = np.lexsort((owners, hashes))
    unique, starts, counts = np.unique(hashes[order], return_index=True, return_counts=True)
    found = []
    for (one, other), weight in _weights(owners[order], starts, counts, len(prints)).items():
        both = np.intersect1d(prints[one], prints[other], assume_unique=True)
        share = len(both) / min(len(prints[one]), len(prints[other]))
        if weight * share >= ENOUGH and not (one in apart and other in apart):
            having = counts[np.searchsorted(unique, both)]
            few = having <= rare(len(prints))
            shared, seen = frozenset(both[few].tolist()), int(np.median(having[few]))
            found.append(Pair(one, other, shared, share, seen, weight * share))
    return sorted(found, key=lambda pair: (-pair.strength, pair.one, pair.other))


def _weights(owners: np.ndarray, starts: np.ndarray, counts: np.ndarray, works: int) -> dict[tuple[int, int], float]:
    """{pair of works: sum of the weights of the rare fingerprints that both have}, where that can be enough."""
    keys, weights = [np.empty(0, np.int64)], [np.empty(0)]
    for count in range(2, min(rare(works), works) + 1):
        groups = owners[starts[counts == count][:, None] + np.arange(count)]
        ones, others = np.triu_indices(count, 1)
        keys.append((groups[:, ones] * works + groups[:, others]).ravel())
        weights.append(np.full(keys[-1].size, math.log(works / count)))
    unique, places = np.unique(np.concatenate(keys), return_inverse=True)
    sums = np.bincount(places, np.concatenate(weights))
    enough = sums >= ENOUGH
    return {
        divmod(key, works): weight for key, weight in zip(unique[enough].tolist(), sums[enough].tolist(), strict=True)
    }


def clusters(edges: Iterable[tuple[int, int]]) -> list[list[int]]:
    """The works that hang together by pairs, each group sorted, the first pair's group first."""
    groups: dict[int, list[int]] = {}
    for one, other in edges:
        first, second = groups.setdefault(one, [one]), groups.setdefault(other, [other])
        if first is not second:
            first += second
            groups |= dict.fromkeys(second, first)
    return [sorted(group) for group in {id(group): group for group in groups.values()}.values()]


def handed_in_together(students: Collection[str], together: Mapping[str, Collection[str]]) -> bool:
    """Whether all of these are of one group; `together` is {student: all of that group}."""
    return any({*students} <= {student, *together.get(student, ())} for student in students)
