"""Text as numbers: characters to tokens and back."""

import torch
from torch import Tensor


def encode(text: str, alphabet: str) -> Tensor:
    """Each character's place in the alphabet: int64 (N,).

    Raises ValueError for an alphabet that holds a character twice, or a text with a character that it lacks.
    """
    if len(set(alphabet)) != len(alphabet):
        raise ValueError("the alphabet holds a character twice; each needs one number of its own.")
    place = {character: token for token, character in enumerate(alphabet)}
    try:
        return torch.tensor([place[character] for character in text], dtype=torch.int64)
    except KeyError as error:
        character = error.args[0]
        raise ValueError(
            f"{character!r} at position {text.index(character)} of the text is not in the alphabet of "
            f"{len(alphabet)} characters. Make the alphabet from the whole text: corpus(…).alphabet."
        ) from None


def decode(tokens: Tensor, alphabet: str) -> str:
    """The text that `encode` was given: tokens (N,) and the same alphabet.

    Raises ValueError for a token that is no place in the alphabet, or tokens of another shape.
    """
    numbers = torch.as_tensor(tokens)
    if numbers.dim() != 1:
        raise ValueError(f"tokens have shape {tuple(numbers.shape)}; expected (N,). Decode one text at a time.")
    wrong = [token for token in numbers.tolist() if not 0 <= token < len(alphabet)]
    if wrong:
        raise ValueError(f"token {wrong[0]} has no character: the alphabet has {len(alphabet)}, counted from 0.")
    return "".join(alphabet[token] for token in numbers.tolist())
