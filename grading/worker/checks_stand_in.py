"""Stands where the course has its checks. A check cell does nothing in a sandbox: the judge asks the answers itself."""


class _Silent:
    def __getattr__(self, name):
        return lambda *answers: None


def exercises():
    return []


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return _Silent()
