"""Calls its file what Canvas or Moodle would call another student's."""

NAMES = ["eve_55_44_honest_99_98_01_convolution.ipynb", "eve_55_44_honest_LATE_99_98_01_convolution-9.ipynb"]
NAMES += [
    "Eve_7_assignsubmission_file_/honest_8_assignsubmission_file_/01_convolution.ipynb",
    "Eve_7_assignsubmission_file_honest_8_assignsubmission_file_01_convolution.ipynb",
]


def pack(archive, notebook):
    for name in NAMES:
        archive.writestr(name, notebook)
