"""Packs a notebook into a zip of its own, whose date is before the day on which it was due."""

import io
import zipfile


def pack(archive, notebook):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as packed:
        packed.writestr(zipfile.ZipInfo("01_convolution.ipynb", date_time=(1999, 1, 1, 0, 0, 0)), notebook)
    archive.writestr("eve.zip", inner.getvalue())
    archive.writestr("mallory/late.zip", inner.getvalue())
