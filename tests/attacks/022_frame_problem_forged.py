"""Claims a problem that does not exist, with an argument that does not exist.

Named: sent what is no reply
"""

raise SystemExit("Text for a sandbox: never run it.")


# %% output_size
def output_size(*case):
    import struct

    text = (
        b'{"dict": [["problem", "changed its arguments"], ["detail", "'
        + b"9" * 10_000
        + b'"], ["value", 1], ["seconds", -1e9]]}'
    )
    for channel in channels():
        channel.sendall(struct.pack(">II", len(text), 0) + text)
    return 1
