"""The process in which a student's LaTeX becomes MathML, and nothing else happens: see `converter`.

A line of JSON comes in, [LaTeX, whether it is a block], and one goes out: MathML, or null for what cannot be read. What
takes longer than MOST_SECONDS ends the process, by a signal of the kernel's, since the library cannot be interrupted.
"""

import json
import signal
import sys

from math_core import LatexToMathML

MOST_SECONDS = 0.5  # of processor time for one formula; those of the course take a thousandth

# A command that is defined may be used twice in the next definition, and so on, so none is.
_CONVERTER = LatexToMathML(xml_namespace=False, fancy_error=False, max_expansions=0)


def _mathml(latex: str, is_block: bool) -> str | None:
    signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
    try:
        return _CONVERTER.convert_with_local_state(latex, displaystyle=is_block)
    except BaseException:  # LatexError, halves of surrogate pairs, and a panic of Rust's, which is no Exception
        return None
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(_mathml(*json.loads(line))), flush=True)
