"""What is in a packed picture."""

import json
import struct
import zlib

import numpy as np

from pages.ui.pictures.payload import MAGIC


def unpack(packed: bytes) -> dict:
    """The decoder of pages/ui/player/frontend/decode.js, in Python."""
    assert packed[:4] == MAGIC
    (run_length,) = struct.unpack_from("<I", packed, 4)
    raw = zlib.decompress(packed[8 + run_length :])
    (length,) = struct.unpack_from("<I", raw)
    header = json.loads(raw[4 : 4 + length])
    offset, arrays = 4 + length, {}
    for name, dtype, size in header["arrays"]:
        assert offset % 8 == 0
        arrays[name] = np.frombuffer(raw, dtype=dtype, count=size, offset=offset)
        offset += -(-arrays[name].nbytes // 8) * 8
    n, d = header["points"], len(header["columns"])
    high, low = arrays["positions"].reshape(2, d, n).astype(np.uint16)
    deltas = np.frombuffer(raw, dtype=np.uint8, offset=offset)
    return {
        **header,
        **arrays,
        "rows": np.cumsum(arrays["rows"], dtype=np.uint32),
        "positions": ((high << 8) | low).T,
        "posteriors": np.bitwise_xor.accumulate(deltas.reshape(-1, header["planes"], n), axis=0),
    }
