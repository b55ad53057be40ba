"""Hands in a zip that looks like the export of a whole platform, in which the good student's work is its own.

The student makes this zip, and the platform only stores it; what it says about others must count for nothing.
"""

import io
import zipfile

METADATA = """submission_900001:
  :submitters:
  - :name: honest
    :sid: honest
    :email: honest@example.org
  - :name: eve
    :sid: eve
  :created_at: 2030-01-01 00:00:00 Z
"""
INSIDE = {
    "submission_metadata.yml": METADATA,
    "submission_900001/01_convolution.ipynb": None,
    "honest/01_convolution/01_convolution.ipynb": None,
    "honest/01_convolution/timestamp.txt": "2030-01-01 00:00:00 UTC",
    "honest_55_44_01_convolution.ipynb": None,
    "honest_7_assignsubmission_file_/01_convolution.ipynb": None,
    "gradebook_C_A_honest_attempt_2030-01-01-00-00-00_01_convolution.ipynb": None,
    "12345-67890 - honest - Sep 24, 2030 926 PM/01_convolution.ipynb": None,
    "01-convolution-submissions/01-convolution-honest/01_convolution.ipynb": None,
    "roster.csv": "id,first_name,last_name\neve,honest,honest\n",
}


def pack(archive, notebook):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as own:
        for name, text in INSIDE.items():
            own.writestr(name, notebook if text is None else text)
    for name in ("eve_01_convolution.zip", "eve/01_convolution.zip", "eve.zip", "eve/submitted.zip"):
        archive.writestr(name, made.getvalue())
