"""`python -m bench.record_masked`: masked characters, causal and in both directions. Writes docs/recorded/masked.json.

The transformer of lesson 11, once with a causal mask and once without, learns to say which characters of tiny
Shakespeare are hidden: 15 % of those in windows of 64. One core, two seeds; about eight minutes.
"""

import argparse
import sys
from typing import Any

from bench.machine import prepare
from bench.recording import record
from utils import data
from utils.models import Transformer
from utils.paths import RECORDED
from utils.tasks.masked import masked_windows, share_found
from utils.text import encode
from utils.training import Batches, fit, seed_everything

RECORD = RECORDED / "masked.json"
WIDTH, HEADS, LAYERS, LENGTH, BATCH, RATE = 64, 4, 2, 64, 32, 0.01
WAYS = {"causal": True, "both directions": False}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=2_400)
    parser.add_argument("--seeds", type=int, default=2)
    wanted = parser.parse_args(arguments)
    prepare()
    corpus = data.corpus("tiny_shakespeare")
    train, validation = (encode(part, corpus.alphabet) for part in (corpus.train, corpus.validation))
    V = len(corpus.alphabet)
    unseen = masked_windows(validation, V, LENGTH, 2_000, seed=999)
    content: dict[str, Any] = dict(
        width=WIDTH, heads=HEADS, layers=LAYERS, length=LENGTH, batch=BATCH, rate=RATE, steps=wanted.steps,
        accuracy={name: [] for name in WAYS}, accuracy_on_training_text={name: [] for name in WAYS},
    )  # fmt: skip
    for seed in range(wanted.seeds):
        drawn = masked_windows(train, V, LENGTH, BATCH * wanted.steps, seed)
        for name, causal in WAYS.items():
            seed_everything(seed)
            model = Transformer(V + 1, WIDTH, HEADS, LAYERS, causal=causal)
            fit(model, Batches(*drawn, BATCH), Batches(*unseen, 250), lr=RATE, validations=1, label="")
            content["accuracy"][name].append(round(share_found(model, *unseen), 4))
            seen = [part[:2_000] for part in drawn]
            content["accuracy_on_training_text"][name].append(round(share_found(model, *seen), 4))
            print(f"seed {seed}, {name}: {content['accuracy'][name][-1]}", flush=True)
            record(RECORD, "record_masked", **content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
