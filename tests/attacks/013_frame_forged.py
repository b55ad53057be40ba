"""Writes a finished reply to the channel before the worker can send its own."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
from grading.worker import wire


def send(message):
    for channel in channels():
        channel.sendall(message)


# %% output_size
def output_size(*case):
    send(wire.pack({"value": 1, "problem": None, "detail": "", "printed": "", "verdict": "passed", "points": 1}))
    return 1


# %% conv2d
def conv2d(*case):
    send(wire.pack([{"status": "passed"}]) * 100)
