"""Tasks that a look at the right place solves, so that it is known who has to look at whom."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from utils.tasks.languages import NOT_ASKED

if TYPE_CHECKING:
    from utils.models.lookup import Lookup

LETTERS = 8


def reversal(count: int, length: int, seed: int, letters: int = LETTERS) -> tuple[Tensor, Tensor]:
    """Random letters (count, length), and the same from the end to the beginning: place i has to look at T - 1 - i."""
    tokens = torch.randint(letters, (count, length), generator=torch.Generator().manual_seed(seed))
    return tokens, tokens.flip(1)


def letters_back(
    count: int, length: int, seed: int, back: Sequence[int] = (2,), letters: int = LETTERS
) -> tuple[Tensor, Tensor]:
    """Random letters (count, length), and at each place those so many places before: (count, length, len(back)).

    NOT_ASKED stands where there is none. With one number in `back` the targets are (count, length).
    """
    tokens = torch.randint(letters, (count, length), generator=torch.Generator().manual_seed(seed))
    targets = torch.stack([F.pad(tokens, (far, -far), value=NOT_ASKED) for far in back], -1)
    return tokens, targets.squeeze(-1) if len(back) == 1 else targets


def where_am_i(count: int, length: int, seed: int, letters: int = LETTERS) -> tuple[Tensor, Tensor]:
    """Random letters behind a start, token 0, and for each token the place where it stands: each (count, length)."""
    tokens = torch.randint(1, letters, (count, length), generator=torch.Generator().manual_seed(seed))
    tokens[:, 0] = 0
    return tokens, torch.arange(length).expand(count, -1).contiguous()


def right(logits: Tensor, targets: Tensor) -> Tensor:
    """The share of right answers at each place (T,), nan where nothing is asked: logits (N, T, V), targets (N, T)."""
    found, asked = logits.argmax(-1) == targets, targets != NOT_ASKED
    return (found & asked).float().sum(0) / asked.float().sum(0)


# --- what does `it` stand for? -------------------------------------------------------------------------------------

# fmt: off
ANIMALS = (
    "animal", "dog", "cat", "horse", "sheep", "fox", "goat", "hen", "cow", "duck", "wolf", "mouse", "bear", "pig",
)
PLACES = (
    "street", "road", "river", "bridge", "field", "square", "track", "lawn", "lake", "path", "canal", "yard", "lane",
    "hill",
)
# fmt: on
OF_ANIMALS = ("tired", "afraid", "hungry", "ill", "asleep", "lazy")
OF_PLACES = ("wide", "busy", "deep", "flooded", "closed", "icy")
FRAMES = (
    "the {animal} did not cross the {place} because it was {quality}",
    "the {place} was not crossed by the {animal} because it was {quality}",
)
KNOWN_WORDS = tuple(
    dict.fromkeys(" ".join(FRAMES).format(animal="animal", place="street", quality="tired").split())
) + tuple(word for word in (*ANIMALS, *PLACES, *OF_ANIMALS, *OF_PLACES) if word not in ("animal", "street", "tired"))
"""The words of `Sentence`s; a token is a place in it."""


@dataclass(frozen=True)
class Sentence:
    """One sentence, and the word that `it` stands for: the animal that is tired, or the street that is wide."""

    words: list[str]
    meant: str

    @property
    def it(self) -> int:
        return self.words.index("it")


def sentence(animal: str, place: str, quality: str, frame: int = 0) -> Sentence:
    """“the animal did not cross the street because it was tired”, with these three words."""
    words = FRAMES[frame].format(animal=animal, place=place, quality=quality).split()
    return Sentence(words, animal if quality in OF_ANIMALS else place)


def coreference(seen: bool, unseen_pairs: int = 30, seed: int = 0) -> list[Sentence]:
    """All sentences whose pair of animal and place a model is trained on, or all those that it never sees.

    The pair of animal and street is never seen in training. Each frame asks for the first noun as often as for the
    second, and each noun is meant as often as it is not.
    """
    pairs = [pair for pair in itertools.product(ANIMALS, PLACES) if pair != ("animal", "street")]
    order = torch.randperm(len(pairs), generator=torch.Generator().manual_seed(seed)).tolist()
    unseen = {("animal", "street"), *(pairs[number] for number in order[: unseen_pairs - 1])}
    return [
        sentence(animal, place, quality, frame)
        for animal, place in itertools.product(ANIMALS, PLACES)
        if ((animal, place) in unseen) != seen
        for quality in (*OF_ANIMALS, *OF_PLACES)
        for frame in range(len(FRAMES))
    ]


def as_tokens(sentences: list[Sentence]) -> tuple[Tensor, Tensor]:
    """Tokens and targets (N, 12): at `it` the word that is meant, NOT_ASKED elsewhere. Short ones end with “the”."""
    longest = max(len(one.words) for one in sentences)
    number = {word: token for token, word in enumerate(KNOWN_WORDS)}
    tokens = torch.zeros(len(sentences), longest, dtype=torch.int64)  # token 0 is “the”
    targets = torch.full_like(tokens, NOT_ASKED)
    for row, one in enumerate(sentences):
        tokens[row, : len(one.words)] = torch.tensor([number[word] for word in one.words])
        targets[row, one.it] = number[one.meant]
    return tokens, targets


@torch.no_grad()
def share_named(model: nn.Module, sentences: list[Sentence]) -> float:
    """The share of these sentences in which the model names the word that `it` stands for."""
    tokens, targets = as_tokens(sentences)
    return (model(tokens).argmax(-1) == targets).sum().item() / len(sentences)


@torch.no_grad()
def set_to_add(model: "Lookup") -> "Lookup":
    """Sets one layer with one head, 30 channels or more and no positions, so that it adds and never chooses.

    All weights are equal, as queries and keys are 0. A noun hands over a channel of its own, a quality the channel of
    its kind. To name a noun, its own channel counts twice and the channel of its kind once.
    """
    width, (look,) = model.embedding.embedding_dim, model.looks
    for part in model.parameters():
        part.zero_()
    look.qkv.weight[2 * width :] = look.out.weight[:] = torch.eye(width)  # what is handed over is what is there
    nouns, number = (*ANIMALS, *PLACES), {word: token for token, word in enumerate(KNOWN_WORDS)}
    for kind, (of_kind, qualities) in enumerate(((ANIMALS, OF_ANIMALS), (PLACES, OF_PLACES))):
        for word in of_kind:
            model.embedding.weight[number[word], nouns.index(word)] = 1
            model.head.weight[number[word], nouns.index(word)] = 2
            model.head.weight[number[word], len(nouns) + kind] = 1
        for word in qualities:
            model.embedding.weight[number[word], len(nouns) + kind] = 1
    return model


def hidden_from_others(length: int, places: Sequence[int]) -> Tensor:
    """Who may look at whom, (T, T), when no word but itself sees the words at these places."""
    visible = torch.ones(length, length, dtype=torch.bool)
    visible[:, list(places)] = False
    return visible | torch.eye(length, dtype=torch.bool)


def hidden_from_it(one: Sentence, places: Sequence[int]) -> Tensor:
    """Who may look at whom, (T, T), when `it` does not see the words at these places."""
    visible = torch.ones(len(one.words), len(one.words), dtype=torch.bool)
    visible[one.it, list(places)] = False
    return visible


@torch.no_grad()
def answers(model: nn.Module, one: Sentence, visible: Tensor | list[Tensor | None] | None = None) -> dict[str, float]:
    """What the model takes `it` for, as a probability for each word that it knows."""
    tokens, _ = as_tokens([one])
    shares = model(tokens, visible)[0, one.it].softmax(-1)
    return dict(zip(KNOWN_WORDS, shares.tolist(), strict=True))


def cost_of_hiding(model: "Lookup", one: Sentence, places: int | Sequence[int], layer: int | None = None) -> float:
    """By how much the probability of the right word falls when `it` does not see the word at this place, or at these.

    In all layers, or in this one alone.
    """
    visible = hidden_from_it(one, [places] if isinstance(places, int) else places)
    layers = visible if layer is None else [visible if number == layer else None for number in range(len(model.looks))]
    return answers(model, one)[one.meant] - answers(model, one, layers)[one.meant]


def effects(model: nn.Module, one: Sentence) -> Tensor:
    """By how much the probability of the right word falls when all others no longer see word j: (T,)."""
    whole = answers(model, one)[one.meant]
    length = len(one.words)
    without = [answers(model, one, hidden_from_others(length, [j]))[one.meant] for j in range(length)]
    return whole - torch.tensor(without)
