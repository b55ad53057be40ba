"""Times as a person reads them."""

from datetime import datetime


def shown(time: datetime) -> str:
    """Local time with its zone, such as `2026-11-01 23:59 CET`. A time without a zone counts as local."""
    return time.astimezone().strftime("%Y-%m-%d %H:%M %Z")


def duration(seconds: float) -> str:
    """How late something is, as a person says it: 40 min, 26 h, 3 d."""
    for unit, length, most in (("min", 60, 120), ("h", 3600, 48)):
        if seconds < most * length:
            return f"{max(1, round(seconds / length))} {unit}"
    return f"{round(seconds / 86_400)} d"
