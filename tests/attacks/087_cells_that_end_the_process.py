"""Has hundreds of cells, each of which ends its process, so that it has to be started again.

Named: ended its own process
"""

import json


def hand_in(path, released):
    last = {"cell_type": "code", "source": "import os; os._exit(0)", "metadata": {}, "outputs": []}
    path.write_text(json.dumps(released | {"cells": released["cells"] + [last] * 900}))
