"""`python -m bench [name …]`: run the benches, merge their results into bench/results.json, print a table.

At its top stands the last run of each bench. Beside it, under "kinds", stands the last run on each kind of processor:
a ratio of training times is another one where vectors are wider. What the course promises is the lowest of them.
"""

import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.cnn_speedup import cnn_speedup
from bench.grading_speed import grading_first_mark, grading_per_minute_one_core, grading_speedup, grading_two_cores
from bench.machine import kind, machine, prepare
from bench.scan_speedup import scan_speedup
from bench.targets import TARGETS
from bench.text_speedup import lstm_speedup, transformer_speedup
from utils.download import DataError
from utils.files import write_whole

BENCHES = {  # name: (bench, what it has to reach)
    bench.__name__: (bench, TARGETS[bench.__name__].at_least)
    for bench in (
        cnn_speedup,
        lstm_speedup,
        transformer_speedup,
        scan_speedup,
        grading_per_minute_one_core,
        grading_speedup,
        grading_first_mark,
        grading_two_cores,
    )
}
RESULTS = Path(__file__).with_name("results.json")


def main(names: list[str]) -> int:
    """Run the benches of these names, or all; the results of the others stay as they are."""
    if unknown := set(names) - set(BENCHES):
        print(f"No bench is called {', '.join(sorted(unknown))}. There are: {', '.join(BENCHES)}.", file=sys.stderr)
        return 2
    prepare()
    results: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"details": {}}
    failed = False
    for name in names or BENCHES:
        try:
            ratio, details = BENCHES[name][0]()
        except DataError as error:
            ratio, details, failed = None, {"refused": str(error)}, True
            print(error, file=sys.stderr)
        results[name] = ratio
        results["details"][name] = details | machine()
        if ratio is not None:
            results.setdefault("kinds", {}).setdefault(kind(), {})[name] = ratio
        write_whole(RESULTS, json.dumps(results, indent=2) + "\n")
    Console().print(table(results))
    return int(failed)


def table(results: dict) -> Table:
    rows = Table("bench", "result", "target", "seconds (ours)", "seconds (reference)", title="make bench")
    for name, (_, target) in BENCHES.items():
        if name not in results:
            continue
        details = results["details"][name]
        seconds = [
            ", ".join(f"{s:.2g}" if s < 0.1 else f"{s:.1f}" for s in details.get(key, []))
            for key in ("seconds", "reference_seconds")
        ]
        ratio = "refused" if results[name] is None else f"{results[name]:.1f}"
        rows.add_row(name, ratio, f"at least {target}", *seconds)
    return rows


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
