"""Sends JSON nested a million deep.

Named: sent what is no reply
"""

raise SystemExit("Text for a sandbox: never run it.")


# %% output_size
def output_size(*case):
    import struct

    text = b"[" * 1_000_000 + b"]" * 1_000_000
    for channel in channels():
        channel.sendall(struct.pack(">II", len(text), 0) + text)
    return 1
