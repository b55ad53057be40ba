"""Deletes all answers and checks, and strips the metadata of the rest.

Named: another notebook|deleted
"""

import json


def hand_in(path, released):
    cells = [cell | {"metadata": {}} for cell in released["cells"] if "nbgrader" not in cell["metadata"]]
    path.write_text(json.dumps(released | {"cells": cells}))
