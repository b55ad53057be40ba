"""Packs symbolic links to the gradebook, to another student's folder, and to the whole disk.

Named: a link
"""

import stat
import zipfile


def pack(archive, notebook):
    links = {"eve/01_convolution.ipynb": "../../gradebook.db", "mallory": "honest", "trudy": "/"}
    for name, target in links.items():
        info = zipfile.ZipInfo(name)
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, target)
    archive.writestr("mallory/01_convolution.ipynb", notebook)
    archive.writestr("trudy/tmp/LEFT-BY-AN-ATTACK.ipynb", notebook)
