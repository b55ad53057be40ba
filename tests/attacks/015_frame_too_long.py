"""Announces a frame of four gigabytes.

Named: sent what is no reply
"""

raise SystemExit("Text for a sandbox: never run it.")


# %% output_size
def output_size(*case):
    for channel in channels():
        channel.sendall(b"\xff" * 8)
    return 1
