"""Uses nearly all of its time, and all of it once more in the process in which the instructor's own checks are asked.

Seconds: 6
Named: s of a submission were over
"""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
import time

while time.process_time() < 4:
    pass


# %% output_size
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
