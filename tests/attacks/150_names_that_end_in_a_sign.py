"""Is called as the good student is but for a sign at an end, or for the mark of a copy.

Named: does not say clearly
"""

NAMES = ["honest._", "honest-_", "honest__", "_honest_", "-honest-", "honest copy_", "honest-kopie_", "honest,._"]
BEHIND = ["_honest.", "-honest-", "_honest_", " - .honest", "_honest-copy"]


def pack(archive, notebook):
    for name in NAMES:
        archive.writestr(f"{name}01_convolution.ipynb", notebook)
    for name in BEHIND:
        archive.writestr(f"01_convolution{name}.ipynb", notebook)
    for name in ("honest.", "honest-", "honest_", ".honest"):
        archive.writestr(f"{name}/01_convolution.ipynb", notebook)
