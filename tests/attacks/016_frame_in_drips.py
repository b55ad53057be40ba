"""Sends its reply one byte at a time, slower than anybody would wait.

Ends: at a limit
Named: ended
"""

raise SystemExit("Text for a sandbox: never run it.")


# %% output_size
def output_size(*case):
    import struct
    import time

    for channel in channels():
        channel.sendall(struct.pack(">II", 100_000, 0))
        while True:
            channel.sendall(b" ")
            time.sleep(0.3)
