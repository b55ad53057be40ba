"""Packs notebooks of a few kilobytes that unpack to hundreds of megabytes.

Named: more than 20 MB
"""

import zipfile


def pack(archive, notebook):
    with archive.open("eve/01_convolution.ipynb", "w") as member:
        for _ in range(40):
            member.write(bytes(1_000_000))
    for name, kind in {"mallory": zipfile.ZIP_BZIP2, "trudy": zipfile.ZIP_LZMA}.items():
        archive.writestr(f"{name}/01_convolution.ipynb", bytes(21_000_000), compress_type=kind)
