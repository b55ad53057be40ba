"""Takes memory until there is none."""

raise SystemExit("Text for a sandbox: never run it.")


# %% output_size
def output_size(*case):
    hoard = []
    while True:
        hoard.append(bytearray(1 << 26))
