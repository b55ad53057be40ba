"""Dates in the names of files, as platforms write them in the languages of their users."""

import re
from datetime import datetime

from grading.exchange.folding import letters

# The beginnings of the months' names in English, German, French, Spanish, Italian, Dutch, Portuguese and Swedish.
MONTHS = {
    1: "jan ene gen",
    2: "feb fev",
    3: "mar mrt maa mae",
    4: "apr avr abr",
    5: "may mai maj mei mag",
    6: "jun juin giu",
    7: "jul juil lug",
    8: "aug aou ago",
    9: "sep set",
    10: "oct okt out ott",
    11: "nov",
    12: "dec dez dic",
}
STARTS = {start: month for month, starts in MONTHS.items() for start in starts.split()}
YEAR_FIRST = re.compile(r"(?<!\d)(20\d\d)(?:([-./ ])(\d{1,2})\2|年(\d{1,2})月)(\d{1,2})(?!\d)")
YEAR_LAST = re.compile(r"(?<!\d)(\d{1,2})([-./ ])(\d{1,2})\2(20\d\d)(?!\d)")
MONTH_NAMED = re.compile(r"(?<!\d)(\d{1,2})\D{0,8}?(?<!\d)(20\d\d)(?!\d)")
TIME = re.compile(
    r"(?<!\d)(?:(\d{1,2}) ?[:.h_-] ?(\d\d)(?:[:._-](\d\d))?|(\d{1,2})(\d\d)(\d\d)?)(?!\d)\s*([ap]\.?\s?m\b)?",
    re.IGNORECASE,
)


def date_in(text: str) -> datetime | None:
    """The date and time in a text such as `Sep 24, 2024 926 PM` or `24. Oktober 2024 2126`, local time of this machine.

    None where there is none, or where it can be two: day and month are not told apart in 5-6-2024.
    """
    text = text.replace("\N{NARROW NO-BREAK SPACE}", " ").replace("\N{NO-BREAK SPACE}", " ")
    found = _date(text)
    if not found:
        return None
    (year, month, day), rest = found
    time = TIME.search(rest)
    if not time:
        return None
    hour, minute, second = (int(time[one] or time[other] or 0) for one, other in ((1, 4), (2, 5), (3, 6)))
    if time[7]:
        hour = hour % 12 + (12 if time[7].lower().startswith("p") else 0)
    try:
        return datetime(year, month, day, hour, minute, second).astimezone()
    except (ValueError, OverflowError):
        return None


def _date(text: str) -> tuple[tuple[int, int, int], str] | None:
    """Year, month, day, and what follows in the text."""
    months = set(filter(None, map(_month, re.findall(r"[^\W\d_]+", text))))
    if len(months) > 1:
        return None
    if months and (found := MONTH_NAMED.search(re.sub(r"[^\W\d_]+", " ", text))):
        return (int(found[2]), months.pop(), int(found[1])), text[text.index(found[2]) + 4 :]
    if found := YEAR_LAST.search(text):
        first, second, year = int(found[1]), int(found[3]), int(found[4])
        if found[2] == "." or first > 12 or first == second:
            return (year, second, first), text[found.end() :]
        return ((year, first, second), text[found.end() :]) if second > 12 else None
    if found := YEAR_FIRST.search(text):
        return (int(found[1]), int(found[3] or found[4]), int(found[5])), text[found.end() :]
    return None


def _month(word: str) -> int | None:
    name = letters(word)
    return STARTS.get(name[:4]) or STARTS.get(name[:3])
