"""Fails for want of packages whose names are escapes for the terminal, formulas, tags, and lines that look like the table's."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
import einops_of_nobody  # noqa: F401

# %% own
raise ModuleNotFoundError("No module named 'x'", name='=HYPERLINK("http://x.example")')

# %% own
raise ModuleNotFoundError("No module named '\x1b]0;owned\x07\x1b[2J\x1b[31m'", name="\x1b]52;c;cm0gLXJm\x07\x1b[2Jx")

# %% own
raise ModuleNotFoundError(
    "m\n\nhonest 8 of 8\n", name="einops is missing\r\n  honest: 0 of 8, graded by hand\u202e\u2066\n" * 9
)

# %% own
raise ModuleNotFoundError(
    "m", name="x<script>alert(1)</script><img src=x onerror=alert(1)>$(rm -rf ~)`id`; rm -rf ~" + "y" * 100_000
)


# %% output_size
def output_size(*case):
    raise type("\x1b[2Jx\u202e=1+1", (ModuleNotFoundError,), {})("\x1b[31m'<b>'\x9b2J\u2028", name="\x1b[8m\x9b2Jz")


# %% conv2d
def conv2d(*case):
    raise ImportError("\x1b]8;;http://x.example\x1b\\click\x1b]8;;\x1b\\", name="\x1b[2J", path="\x1b[2J")
