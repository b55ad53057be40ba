"""Packs members that are encrypted, damaged, or there twice.

Named: cannot be|damaged
"""

import io
import warnings
import zipfile


def pack(archive, notebook):
    content = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(content, "w") as inner:
        inner.writestr("01_convolution.ipynb", notebook)
        inner.writestr("01_convolution.ipynb", b"{}" + notebook)
    whole = bytearray(content.getvalue())
    archive.writestr("eve.zip", bytes(whole[:-30]))
    whole[6] |= 1  # encrypted, says the first member
    whole[40:60] = bytes(20)
    archive.writestr("mallory.zip", bytes(whole))
    archive.writestr("trudy.zip", b"PK\x05\x06" + b"\xff" * 18)
