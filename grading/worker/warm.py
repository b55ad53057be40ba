"""The warm process: imports what every submission needs, once, and forks a child for each. It runs nobody's code.

It is process 1 of a namespace in its sandbox. Over the control socket, a sequence of JSON messages, the judge asks it
to start a child, with the channel to the judge attached, or to end one.
"""

import importlib
import json
import os
import pkgutil
import random
import socket
from typing import NoReturn

from grading.worker.huge_pages import use_huge_pages
from grading.worker.imports import no_collections
from grading.worker.isolation import Fork, Limits, begin_a_namespace, isolate

USERS = range(1_000_000_000, 2_000_000_000)  # nobody's


def main(control_descriptor: int, isolated: bool, brief: bool) -> None:
    if isolated:
        begin_a_namespace()
    control = socket.socket(fileno=control_descriptor)
    with no_collections():
        shell = _prepare()
        if not brief:
            _import_the_rest()
            use_huge_pages()
    _send(control, ready=True)
    children: dict[int, Fork] = {}
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 65_536, 1)
        if not message:
            return  # the judge is gone
        match json.loads(message):
            case {"start": number, "limits": limits}:
                channel = socket.socket(fileno=descriptors[0])
                child = Fork.start(isolated)
                if child is None:
                    _become_student(channel, Limits(**limits), shell, isolated)
                channel.close()
                children[number] = child
            case {"end": number}:
                used = children.pop(number).end()
                _send(control, seconds=used.ru_utime + used.ru_stime, peak_megabytes=used.ru_maxrss / 1e3)


def _prepare():
    """Import what every submission needs, and make its shell, without starting a thread that a fork would lose."""
    import torch

    torch.set_num_threads(1)
    from grading.worker import student  # noqa: F401
    from grading.worker.cells import warm_shell

    torch.nn.functional.conv2d(torch.ones(1, 1, 2, 2), torch.ones(1, 1, 1, 1))  # its first call sets up a backend
    return warm_shell()


def _import_the_rest() -> None:
    """The course's library and all of torch that its checks use: worth its seconds where many submissions follow."""
    import utils
    from utils.checking.warm import warm_up

    for module in pkgutil.walk_packages(utils.__path__, "utils."):
        if not f"{module.name}.".startswith("utils.checks.") and not module.name.endswith(".__main__"):
            importlib.import_module(module.name)
    warm_up()


def _become_student(channel: socket.socket, limits: Limits, shell, isolated: bool) -> NoReturn:
    from grading.worker import student

    try:
        if isolated:
            # A user of its own, where we may choose, so that no other sandbox's processes count against its limit.
            user = random.SystemRandom().choice(USERS) if os.getuid() == 0 else None
            isolate(channel.fileno(), user, limits)
        channel.sendall(b"!")  # locked in; without it the judge sends nothing
        student.serve(channel, shell)
    finally:
        os._exit(0)  # nothing registered with atexit, and no destructor, is waited for


def _send(control: socket.socket, **words) -> None:
    control.send(json.dumps(words).encode())
