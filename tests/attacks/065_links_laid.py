"""Lays symbolic and hard links to files of others, where the grader might follow them."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
import os

for number, target in enumerate(("/the/classroom/gradebook.db", "/etc/shadow", "/", "/proc/self/fd")):
    attempt(os.symlink, target, f"/tmp/link-{number}")
    got("a hard link to", target) if attempt(lambda: os.link(target, f"/tmp/hard-{number}") or True) else None
    got("the target of", target) if attempt(lambda: open(f"/tmp/link-{number}").read()) else None
