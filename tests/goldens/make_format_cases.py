"""Writes tests/fixtures/formats/cases.bin: random blocks of every weight format widened by the gguf package, and rows encoded by it.

Needs: pip install gguf numpy. Record: 16 bytes name ("decode Q4_0", "encode Q8_0"), u32 values, u32 bytes, encoded bytes, float32 values.
"""
import pathlib
import struct

import numpy as np
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType as T
from gguf.quants import dequantize, quantize

rng = np.random.default_rng(20)
HALVES = {T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0], T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208]}


def record(name, encoded, values):
    encoded = np.ascontiguousarray(encoded).view(np.uint8).tobytes()
    values = np.ascontiguousarray(values, dtype=np.float32)
    return name.encode().ljust(16, b"\0") + struct.pack("<II", values.size, len(encoded)) + encoded + values.tobytes()


def random_blocks(kind, count):
    size = GGML_QUANT_SIZES[kind][1]
    blocks = rng.integers(0, 256, (count, size), dtype=np.uint8)
    for at in HALVES[kind]:
        scale = (rng.standard_normal(count) * 10.0 ** rng.integers(-7, 2, count)).astype(np.float16)
        blocks[:, at:at + 2] = scale.view(np.uint8).reshape(count, 2)
    return blocks


def random_rows(count):
    rows = (rng.standard_normal((count, 32)) * 10.0 ** rng.integers(-3, 3, (count, 1))).astype(np.float32)
    rows[0] = 0.0
    rows[1] = rows[1, 0]
    rows[2] = np.abs(rows[2])
    return rows


out = b""
for kind in HALVES:
    blocks = random_blocks(kind, 16 if GGML_QUANT_SIZES[kind][0] == 32 else 6)
    out += record("decode " + kind.name, blocks, dequantize(blocks.reshape(-1), kind))
halves = np.concatenate([rng.integers(0, 0x7C00, 200), rng.integers(0x8000, 0xFC00, 200)]).astype(np.uint16)
out += record("decode F16", halves, halves.view(np.float16).astype(np.float32))
out += record("decode BF16", halves, dequantize(halves.view(np.uint8), T.BF16))
for kind in (T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.Q8_0):
    rows = random_rows(16)
    out += record("encode " + kind.name, quantize(rows, kind), rows)
spread = (rng.standard_normal(400) * 10.0 ** rng.integers(-9, 5, 400)).astype(np.float32)
out += record("encode F16", spread.astype(np.float16), spread)
out += record("encode BF16", quantize(spread, T.BF16), spread)
target = pathlib.Path(__file__).parent.parent / "fixtures/formats/cases.bin"
target.write_bytes(out)
print(target, len(out))
