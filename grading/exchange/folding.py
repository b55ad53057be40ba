"""Text as it is compared: names and ids that different systems, and people, write in different ways."""

import re
import unicodedata
from functools import lru_cache


def fold(text: str) -> str:
    """Text without case, and the same however accents are written."""
    return unicodedata.normalize("NFKC", text).casefold().strip()


def written(text: str) -> str:
    """Text as somebody wrote it, however accents are stored, in lower case. What only looks alike stays apart."""
    return unicodedata.normalize("NFC", text).lower().strip()


def only_looks_alike(text: str) -> bool:
    """Whether it has signs that stand for others: `ｍｅｉ` is read as mei."""
    return unicodedata.normalize("NFKC", text) != unicodedata.normalize("NFC", text)


@lru_cache(10_000)  # the names of assignments and of the class are compared with those of all files
def letters(text: str) -> str:
    """Letters and digits of a name, without accents and case: `O'Neill, Zoë` is oneillzoe."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKD", fold(text)), flags=re.UNICODE)


def identity(an_id: str) -> str:
    """An id without what programs add to it: Brightspace's `#` in front, and in numbers Excel's blanks and `.0`."""
    plain = fold(an_id).removeprefix("#")
    number = re.fullmatch(r"(\d+)([.,]0)?", re.sub(r"\s", "", plain))
    return number[1] if number else plain


def loose_identities(an_id: str) -> set[str]:
    """What may be left of an id elsewhere: no domain before or behind it, and no zeros before a number."""
    whole = identity(an_id)
    user = whole.split("@")[0].split("\\")[-1]
    return {short for one in (whole, user) if (short := one.lstrip("0") if one.isdigit() else one)}
