"""Brings the folders of a whole class of nbgrader's, so that the export is read as one, with the good student in it.

Named: does not say clearly|nbgrader's own
"""


def pack(archive, notebook):
    for step in ("submitted", "autograded", "feedback", "source", "Submissions", "downloads"):
        archive.writestr(f"{step}/honest/01_convolution/01_convolution.ipynb", notebook)
        archive.writestr(f"{step}/honest/01_convolution/timestamp.txt", "2099-01-01 00:00:00 UTC")
        archive.writestr(f"{step}/honest_01_convolution.ipynb", notebook)
    archive.writestr("release/01_convolution/01_convolution.ipynb", notebook)
    archive.writestr("notebooks/honest_01_convolution.ipynb", notebook)
