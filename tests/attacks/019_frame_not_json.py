"""Sends bytes that are no text, and no JSON.

Named: sent what is no reply
"""

raise SystemExit("Text for a sandbox: never run it.")


# %% output_size
def output_size(*case):
    import struct

    text = b"\xff\x00\xfe" * 1000
    for channel in channels():
        channel.sendall(struct.pack(">II", len(text), 0) + text)
    return 1
