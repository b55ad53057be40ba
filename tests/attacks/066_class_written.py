"""Writes to the gradebook, results, release, other submissions and the course."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
import os
import shutil

for folder in ("/the/classroom", "/the/repository", "/the/private", "/reach", "/data"):
    for root, _, names in os.walk(folder):
        for name in names:
            got("to write", root, name) if attempt(open, f"{root}/{name}", "a") else None
    got("to make", folder) if attempt(lambda: os.mkdir(f"{folder}/LEFT-BY-AN-ATTACK") or True) else None
    if "repository" not in folder:  # should the sandbox leak, this test had better not delete the course
        attempt(shutil.rmtree, folder)
