"""Stands where the course has its checks. A check cell does nothing in a sandbox: the judge asks the answers itself."""


class _Silent:
    """A module of checks, a check, or what is left of one: whatever is asked of it, it says nothing."""

    def __call__(self, *answers):
        return None

    def __getattr__(self, name):
        return self


def exercises():
    return []


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return _Silent()
