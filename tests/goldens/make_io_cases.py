#!/usr/bin/env python3
"""Writes tests/fixtures/io with independent libraries: gguf, safetensors, numpy.

    pip install gguf safetensors numpy
    python3 tests/goldens/make_io_cases.py
"""
import json
import pathlib
import shutil
import struct

import gguf
import numpy as np
import safetensors

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "fixtures"

T = gguf.GGMLQuantizationType
TYPES = [T.F32, T.F16, T.BF16, T.I32, T.I8, T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.Q8_0, T.Q4_K, T.Q5_K, T.Q6_K]


def pattern(count: int, tensor: int) -> np.ndarray:
    """The bytes of tensor number `tensor`; the tests compute the same."""
    i = np.arange(count, dtype=np.int64)
    return ((i * 7 + tensor * 13 + (i >> 8)) & 255).astype(np.uint8)


def shapes_of(block: int) -> list[list[int]]:
    return [[block * 2], [3, block], [2, 3, block], [2, 1, 3, block]]


def add_settings(writer: gguf.GGUFWriter) -> None:
    writer.add_uint8("case.u8", 250)
    writer.add_int8("case.i8", -7)
    writer.add_uint16("case.u16", 65000)
    writer.add_int16("case.i16", -30000)
    writer.add_uint32("case.u32", 4000000000)
    writer.add_int32("case.i32", -2000000000)
    writer.add_uint64("case.u64", 9007199254740993)
    writer.add_int64("case.i64", -9007199254740993)
    writer.add_uint64("case.u64_huge", 2**64 - 1)
    writer.add_float32("case.f32", 0.25)
    writer.add_float64("case.f64", 1e-300)
    writer.add_bool("case.true", True)
    writer.add_bool("case.false", False)
    writer.add_string("case.text", "grüße ▁ 你好")
    writer.add_array("case.texts", ["a", "", "▁the", "你好"])
    writer.add_array("case.ints", [1, -2, 3])
    writer.add_array("case.reals", [0.5, -1.5])
    writer.add_array("case.flags", [True, False, True])


def write_gguf(folder: pathlib.Path) -> None:
    listing = []
    writer = gguf.GGUFWriter(folder / "all-types.gguf", "llama")
    add_settings(writer)
    number = 0
    for kind in TYPES:
        block, size = gguf.GGML_QUANT_SIZES[kind]
        for shape in shapes_of(block):
            stored = shape[:-1] + [shape[-1] // block * size]
            data = pattern(int(np.prod(stored)), number).reshape(stored)
            name = f"{kind.name}.rank{len(shape)}"
            writer.add_tensor(name, data, raw_dtype=kind)
            listing.append({"name": name, "type": kind.name, "shape": shape})
            number += 1
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    (folder / "all-types.json").write_text(json.dumps(listing) + "\n")

    writer = gguf.GGUFWriter(folder / "split.gguf", "llama", split_max_tensors=2)
    writer.add_string("case.text", "first part")
    for i in range(5):
        writer.add_tensor(f"t{i}", pattern(64, i).view(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

    writer = gguf.GGUFWriter(folder / "mmproj.gguf", "clip")
    writer.add_bool("clip.has_vision_encoder", True)
    writer.add_string("clip.projector_type", "mlp")
    writer.add_uint32("clip.vision.image_size", 56)
    writer.add_uint32("clip.vision.patch_size", 14)
    writer.add_uint32("clip.vision.block_count", 2)
    writer.add_uint32("clip.vision.embedding_length", 8)
    writer.add_array("clip.vision.image_mean", [0.48145466, 0.4578275, 0.40821073])
    writer.add_array("clip.vision.image_std", [0.26862954, 0.26130258, 0.27577711])
    writer.add_array("clip.vision.image_grid_pinpoints", [56, 112, 112, 56, 112, 112])
    writer.add_string("clip.vision.mm_patch_merge_type", "spatial_unpad")
    writer.add_tensor("v.class_embd", pattern(32, 0).view(np.float32))
    writer.add_tensor("mm.0.weight", pattern(256, 1).view(np.float32).reshape(8, 8))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

    writer = gguf.GGUFWriter(folder / "q2k.gguf", "llama")
    writer.add_tensor("blk.0.ffn_up.weight", pattern(84, 0).reshape(1, 84), raw_dtype=T.Q2_K)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


SAFE_TYPES = {"float32": 4, "float16": 2, "bfloat16": 2, "int32": 4, "int8": 1, "uint8": 1, "int64": 8, "float64": 8, "bool": 1, "float8_e4m3fn": 1}


def serialize(tensors: dict, metadata: dict | None) -> bytes:
    kept = {name: np.frombuffer(t["data"] + b"\0", np.uint8).copy() for name, t in tensors.items()}
    specs = {
        name: safetensors.TensorSpec(dtype=t["dtype"], shape=t["shape"], data_ptr=kept[name].ctypes.data, data_len=len(t["data"]))
        for name, t in tensors.items()
    }
    return bytes(safetensors.serialize(specs, metadata))


def write_safetensors(folder: pathlib.Path) -> None:
    tensors = {}
    for number, (dtype, size) in enumerate(SAFE_TYPES.items()):
        shape = [number + 1, 3]
        tensors[f"t.{dtype}"] = {"dtype": dtype, "shape": shape, "data": pattern(shape[0] * 3 * size, number).tobytes()}
    tensors["scalar"] = {"dtype": "float32", "shape": [], "data": struct.pack("<f", 1.5)}
    tensors["nothing"] = {"dtype": "float32", "shape": [0, 4], "data": b""}
    (folder / "all-types.safetensors").write_bytes(serialize(tensors, {"note": "grüße"}))

    sharded = folder / "sharded"
    sharded.mkdir()
    weight_map = {}
    for shard in range(3):
        name = f"model-{shard + 1:05}-of-00003.safetensors"
        part = {}
        for i in range(2):
            number = shard * 2 + i
            part[f"t{number}"] = {"dtype": "float16", "shape": [4, 2], "data": pattern(16, number).tobytes()}
            weight_map[f"t{number}"] = name
        (sharded / name).write_bytes(serialize(part, None))
    (sharded / "model.safetensors.index.json").write_text(json.dumps({"metadata": {"total_size": 96}, "weight_map": weight_map}, indent=1) + "\n")


def main() -> None:
    folder = FIXTURES / "io"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_gguf(folder)
    write_safetensors(folder)


if __name__ == "__main__":
    main()
