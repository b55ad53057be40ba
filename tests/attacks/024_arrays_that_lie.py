"""Sends safetensors whose header promises more than follows, overlaps, and unknown types.

Named: sent what is no reply
"""

raise SystemExit("Text for a sandbox: never run it.")


# %% output_size
def output_size(*case):
    import json
    import struct

    parts = {
        "0": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]},
        "1": {"dtype": "F32", "shape": [-1], "data_offsets": [4, 0]},
        "2": {"dtype": "X99", "shape": [1], "data_offsets": [0, 4]},
    }
    header = json.dumps(parts).encode()
    arrays = struct.pack("<Q", len(header)) + header + bytes(16)
    text = b'{"dict": [["value", {"tensor": 0}], ["problem", null]]}'
    for channel in channels():
        channel.sendall(struct.pack(">II", len(text), len(arrays)) + text + arrays)
    return 1
