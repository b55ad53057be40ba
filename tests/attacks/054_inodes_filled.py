"""Makes files and folders without end, one inside the other, with names of every kind."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
import os

try:
    for number in range(10**6):
        open(f"/tmp/{number}-\udcff-</script>", "w").close()
except OSError:
    pass
try:
    os.chdir("/dev/shm")
    for _ in range(10**6):
        os.mkdir("a" * 200)
        os.chdir("a" * 200)
except OSError:
    pass
