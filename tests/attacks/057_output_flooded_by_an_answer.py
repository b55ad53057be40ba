"""Prints half a gigabyte while it is checked."""

raise SystemExit("Text for a sandbox: never run it.")


# %% output_size
def output_size(*case):
    for _ in range(500):
        print("<b>" * 333_333)
