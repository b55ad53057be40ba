"""Takes memory in many processes, each below the limit of one.

Named: memory|MB
"""

raise SystemExit("Text for a sandbox: never run it.")


# %% output_size
def output_size(*case):
    import os
    import time

    for _ in range(30):
        if os.fork() == 0:
            hoard = bytearray(b"x") * 300_000_000
            time.sleep(1000)
    time.sleep(1000)
