"""Sends dicts whose keys share one hash, so that the judge works with the square of their number.

Named: no reply
"""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
import json
import time

from grading.worker import wire

P = 2**61 - 1  # Python's whole numbers have their remainder by this as their hash


def send(value):
    text = json.dumps({"dict": [["value", value], ["problem", None], ["detail", ""], ["printed", ""]]}).encode()
    for channel in channels():
        channel.sendall(wire.LENGTHS.pack(len(text), 0) + text)
    time.sleep(30)


# %% output_size
def output_size(*case):
    send({"dict": [[k * P, 0] for k in range(1, 120_000)]})


# %% conv2d
def conv2d(*case):
    send([{"dict": [[-k * P, 0] for k in range(1, 40_000)]}] * 2)


# %% parameter_counts
def parameter_counts(*case):
    return {k * P: 0 for k in range(1, 2_000)}
