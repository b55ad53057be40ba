"""Hands in a zip whose directory and local headers name different files, with members that overlap.

It has a second end, second names in extra fields, dates that are none, and rights.
"""

import io
import struct
import zipfile
import zlib

ANOTHER = b"honest_01_convolution.ipynb"


def two_ways(notebook, comment):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as own:
        own.writestr("eve123_01_convolution.ipynb", notebook)
        first = own.infolist()[0]
        own.fp.seek(first.header_offset + 30)
        own.fp.write(b"honest")
        own.fp.seek(0, io.SEEK_END)
        for name, size, flags in [
            ("honest_01_convolution.ipynb", 2**32 - 2, 0),
            ("../honest.ipynb", 1, 1),
            ("01_convolution.ipynb", 0, 0),
        ]:
            info = zipfile.ZipInfo(name)
            info.header_offset, info.CRC, info.flag_bits = first.header_offset, first.CRC, flags
            info.compress_size, info.file_size = first.compress_size, size
            own.filelist.append(info)
        own.comment = comment
    return made.getvalue()


def pack(archive, notebook):
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 0, 0, 0, 0, 0)
    archive.writestr("eve_01_convolution.zip", two_ways(notebook, b"eve"))
    archive.writestr("eve1/01_convolution.zip", two_ways(notebook, end + b"PK\5\6" * 99))
    archive.writestr("eve2_01_convolution.zip", two_ways(notebook, b"") * 2)
    archive.writestr("eve3_01_convolution.zip", b"#!/bin/sh\n" + two_ways(notebook, b"\0" * 65535))
    extras(archive, notebook)


def extras(archive, notebook):
    """Second names in extra fields, dates that are none, rights and kinds of files, comments."""
    for number, date in enumerate(
        [(1980, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 58), (1980, 0, 0, 31, 63, 62), (2026, 15, 31, 25, 61, 60)]
    ):
        info = zipfile.ZipInfo(f"eve{number}_01_convolution.ipynb")
        info.date_time = date
        known = struct.pack("<BI", 1, zlib.crc32(info.filename.encode())) + ANOTHER
        info.extra = struct.pack("<HH", 0x7075, len(known)) + known + struct.pack("<HHBi", 0x5455, 5, 1, -1)
        info.extra += struct.pack("<HH", 0x000D, 4) + b"root" + struct.pack("<HH", 0xFFFF, 0)
        info.external_attr = [0o104777 << 16, 0o120777 << 16, 0o020666 << 16, 0o010666 << 16][number]
        info.create_system, info.comment = number, b"=1+1 honest \x1b[2J"
        archive.writestr(info, notebook)
    archive.writestr("honest_01_convolution.ipynb:eve", notebook)
    archive.writestr("eve\\..\\honest_01_convolution.ipynb", notebook)
