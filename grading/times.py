"""Times as a person reads them."""

from datetime import datetime


def shown(time: datetime) -> str:
    """Local time with its zone, such as `2026-11-01 23:59 CET`. A time without a zone counts as local."""
    return time.astimezone().strftime("%Y-%m-%d %H:%M %Z")
