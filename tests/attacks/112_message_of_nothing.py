"""Sends messages that are small as text and large once they are read: empty lists, deep dicts, numbers without end.

Named: no reply
"""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
import time

from grading.worker import wire


def send(text):
    text = b'{"dict": [["problem", null], ["detail", ""], ["printed", ""], ["value", %s]]}' % text
    for channel in channels():
        channel.sendall(wire.LENGTHS.pack(len(text), 0) + text)
    time.sleep(30)


# %% output_size
def output_size(*case):
    send(b"[" + b"[]," * 1_200_000 + b"[]]")


# %% conv2d
def conv2d(*case):
    send(b'{"dict": [["a", ' * 100_000 + b"0" + b"]]}" * 100_000)


# %% conv2d_unfold
def conv2d_unfold(*case):
    send(b"[" + (b"9" * 4_200 + b",") * 900 + b"0]")


# %% max_pool2d
def max_pool2d(*case):
    send(b"[" + b'{"dict":[]},' * 300_000 + b"0]")


# %% parameter_counts
def parameter_counts(*case):
    send(b'{"dict": [' + b'["a", 0],' * 300_000 + b'["a", 1]]}')
