"""Closes the channel in the middle of a frame.

Named: ended its own process|sent what is no reply
"""

raise SystemExit("Text for a sandbox: never run it.")


# %% output_size
def output_size(*case):
    import os
    import struct

    for channel in channels():
        channel.sendall(struct.pack(">II", 100_000, 0) + b"[")
    os.closerange(3, 256)
