"""Prints without end, to standard output, error, and their descriptors.

Ends: at a limit
"""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
import os
import sys

while True:
    print("</script>" * 10_000)
    sys.stderr.write("x" * 100_000)
    os.write(1, b"y" * 100_000)
    os.write(2, b"z" * 100_000)
