"""Calls its folder a group, with the good student in it, and a team whose name is a list of everybody."""

NAMES = [
    "Group A-honest_7_assignsubmission_file_/01_convolution.ipynb",
    "eve, honest_7_assignsubmission_file_/01_convolution.ipynb",
    "eve and honest_7_assignsubmission_file_/01_convolution.ipynb",
    "honest-eve_8_assignsubmission_file_/01_convolution.ipynb",
    "Group honest-eve_9_assignsubmission_file_/01_convolution.ipynb",
    "Team eve+honest/01_convolution.ipynb",
    "eve & honest/01_convolution.ipynb",
    "honest;eve_01_convolution.ipynb",
    "eve_honest_01_convolution.ipynb",
    "eve/honest/01_convolution.ipynb",
    "*/01_convolution.ipynb",
    "all_01_convolution.ipynb",
]


def pack(archive, notebook):
    for name in NAMES:
        archive.writestr(name, notebook)
