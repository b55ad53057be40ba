"""A text cut in the middle. It stands on its own, since who only waits for an answer needs no torch."""

MAX_CHARACTERS = 300


def shorten(text: str, limit: int = MAX_CHARACTERS) -> str:
    """`text`, cut in the middle if it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    half = (limit - 5) // 2
    return f"{text[:half]} ... {text[-half:]}"
