"""Brings a receipt, a timestamp, a lock, a result and a grade of its own, each in the place where the class keeps it."""

import io
import json
import zipfile

RECEIPT = {
    "submitted": "2000-01-01T00:00:00+00:00",
    "student": "honest",
    "members": ["honest", "eve"],
    "late": False,
    "points": 99,
}


def pack(archive, notebook):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as own:
        for root in ("", "submitted/", "eve/", "eve/01_convolution/"):
            for name in (
                "receipt.json",
                "results/01_convolution/eve.json",
                "results/01_convolution/honest.json",
                "roster.json",
            ):
                own.writestr(root + name, json.dumps(RECEIPT))
            own.writestr(root + "results/01_convolution.batch.json", json.dumps({"seed": 1}))
            own.writestr(root + "due.csv", "assignment,student,due\n01_convolution,eve,2999-01-01 00:00\n")
            own.writestr(root + "timestamp.txt", "2000-01-01 00:00:00 UTC")
            own.writestr(root + "nbgrader_config.py", "import os; os.system('touch /tmp/left_by_config')")
            own.writestr(root + ".grading.lock", "1")
            own.writestr(root + "gradebook.db", b"SQLite format 3\0")
            own.writestr(root + "late_policy.py", "import os; os.system('touch /tmp/left_by_config')")
        own.writestr("submitted/eve/01_convolution/01_convolution.ipynb", notebook)
        own.writestr("autograded/honest/01_convolution/01_convolution.ipynb", notebook)
        own.writestr("release/01_convolution/01_convolution.ipynb", notebook)
        own.writestr("feedback/honest/01_convolution/01_convolution.html", "<script>alert(1)</script>")
    archive.writestr("eve_01_convolution.zip", made.getvalue())
    archive.writestr("eve2/01_convolution.zip", made.getvalue())
