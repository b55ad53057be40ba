"""Shows, in forty cells, as much as each of them may, so that all together fill the grader's memory and its disk.

Named: outputs
"""

import copy

SOURCE = """
from IPython.display import display
for number in range(39):
    display({"text/plain": "x" * 99_000}, raw=True)
"""


def hand_in(path, released):
    import json

    notebook = copy.deepcopy(released)
    own = [
        {
            "cell_type": "code",
            "id": f"flood-{n}",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": SOURCE,
        }
        for n in range(40)
    ]
    notebook["cells"] += own
    path.write_text(json.dumps(notebook), encoding="utf-8")
