"""The seeds that checks are tried with: one in `make test`, more at night (`REACH_SEEDS=3`)."""

import os

SEEDS = range(int(os.environ.get("REACH_SEEDS", "1")))
