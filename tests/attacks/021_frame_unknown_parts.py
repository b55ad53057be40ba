"""Sends handles of tensors that are not there, unknown kinds, and keys of no sensible type.

Named: sent what is no reply
"""

raise SystemExit("Text for a sandbox: never run it.")


# %% output_size
def output_size(*case):
    import struct

    text = b'{"dict": [["value", {"tensor": 99}], [["a"], {"handle": 1}], [null, {"a": 1, "b": 2}]]}'
    for channel in channels():
        channel.sendall(struct.pack(">II", len(text), 0) + text)
    return 1
