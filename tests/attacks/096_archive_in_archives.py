"""Packs a zip in a zip in a zip, fifty deep, with a notebook at the bottom.

Named: not a notebook
"""

import io
import zipfile


def pack(archive, notebook):
    for _ in range(50):
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as outer:
            outer.writestr("eve.zip" if _ else "01_convolution.ipynb", notebook)
        notebook = content.getvalue()
    archive.writestr("eve.zip", notebook)
