"""Has fifty thousand cells.

Named: at most
"""

import json


def hand_in(path, released):
    more = [{"cell_type": "code", "source": "1", "metadata": {}, "outputs": []}] * 50_000
    path.write_text(json.dumps(released | {"cells": released["cells"] + more}))
