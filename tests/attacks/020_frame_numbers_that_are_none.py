"""Sends NaN, Infinity, 1e400 and a whole number of a million digits.

Named: sent what is no reply
"""

raise SystemExit("Text for a sandbox: never run it.")


# %% output_size
def output_size(*case):
    import struct

    text = b'{"dict": [["value", [NaN, Infinity, 1e400, ' + b"9" * 1_000_000 + b"]]]}"
    for channel in channels():
        channel.sendall(struct.pack(">II", len(text), 0) + text)
    return 1
