"""Names members of an archive so that they are unpacked somewhere else.

Named: leads out
"""

NAMES = ["../../LEFT-BY-AN-ATTACK.ipynb", "/tmp/LEFT-BY-AN-ATTACK.ipynb", "..\\..\\01_convolution.ipynb"]
NAMES += [
    "C:/LEFT-BY-AN-ATTACK.ipynb",
    "eve/../honest/01_convolution.ipynb",
    "./../honest/01_convolution.ipynb",
    "//server/x.ipynb",
]


def pack(archive, notebook):
    for name in NAMES:
        archive.writestr(name, notebook)
