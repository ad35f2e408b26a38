"""Other number formats of one LLaMA GGUF file, for comparing arithmetics on real weights.

usage: make_variants.py BASE.gguf FOLDER FORMAT...        (F32 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q4_K_S Q4_K_M Q5_K_M Q6_K)

Needs the PyPI packages llama-cpp-python and gguf. The base's own rounding stays in all of them: they say nothing about formats, only about arithmetic.
K formats want rows of a multiple of 256 values, so the model is widened first with zeros to the next such width. It computes the same function: zero
heads and channels add nothing, and the norms take the mean over more channels, which their weights and epsilon make up for.
"""
import math
import pathlib
import sys

import gguf
import llama_cpp
import numpy as np

BLOCK = 256
WIDTH_KEYS = {"embedding_length", "attention.head_count", "attention.head_count_kv", "attention.layer_norm_rms_epsilon"}


def next_multiple(n, step=BLOCK):
    return -(-n // step) * step


def widened(tensor, width, new_width):
    """The values as float32 [out, in]; extents that belong to the width or to heads grow, the feed-forward stays."""
    values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
    grow = lambda axis: next_multiple(values.shape[axis])
    if values.ndim == 1:
        out = np.zeros(new_width, np.float32)
        out[:width] = values * math.sqrt(width / new_width)
        return out
    rows = values.shape[0] if tensor.name == "token_embd.weight" or tensor.name == "output.weight" else grow(0)
    out = np.zeros((rows, grow(1)), np.float32)
    out[: values.shape[0], : values.shape[1]] = values
    return out


def write_f32(base, path):
    reader = gguf.GGUFReader(base)
    value = lambda key: reader.fields["llama." + key].contents()
    width, heads, kv_heads = value("embedding_length"), value("attention.head_count"), value("attention.head_count_kv")
    new_width, head = next_multiple(width), width // heads
    new_heads, new_kv_heads = next_multiple(width) // head, next_multiple(kv_heads * head) // head
    if new_heads * kv_heads != heads * new_kv_heads:
        sys.exit(f"{heads} heads in groups of {kv_heads} cannot be widened to {new_heads} in groups of {new_kv_heads}")
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_embedding_length(new_width)
    writer.add_head_count(new_heads)
    writer.add_head_count_kv(new_kv_heads)
    writer.add_layer_norm_rms_eps(value("attention.layer_norm_rms_epsilon") * width / new_width)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    skip = {"general.architecture", "general.file_type", "general.quantization_version"} | {"llama." + key for key in WIDTH_KEYS}
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name in skip:
            continue
        kind = field.types[0]
        writer.add_key_value(name, field.contents(), kind, field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, widened(tensor, width, new_width))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    base, folder, formats = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]
    folder.mkdir(parents=True, exist_ok=True)
    f32 = folder / "F32.gguf"
    write_f32(base, f32)
    for name in formats:
        if name == "F32":
            continue
        parameters = llama_cpp.llama_model_quantize_default_params()
        parameters.ftype = getattr(llama_cpp, "LLAMA_FTYPE_MOSTLY_" + name)
        if llama_cpp.llama_model_quantize(str(f32).encode(), str(folder / f"{name}.gguf").encode(), parameters) != 0:
            sys.exit(f"{name} could not be made")
    if "F32" not in formats:
        f32.unlink()


if __name__ == "__main__":
    main()
