"""Packs a zip with tens of thousands of empty notebooks.

Named: holds more than
"""

import io
import zipfile


def pack(archive, notebook):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as inner:
        for number in range(20_000):
            inner.writestr(f"{number}.ipynb", "")
    archive.writestr("eve.zip", content.getvalue())
