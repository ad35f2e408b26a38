"""Writes the projector files under tests/fixtures/mmproj from the tiny models under tests/fixtures/transformers.

  python tests/goldens/make_mmproj.py          (needs: pip install gguf numpy)

llava15-legacy.gguf   as the first converters wrote them: no projector type, the two matrices of the MLP under exchanged names,
                      block 0 in F32, block 1 and the patches in F16
llava_next-q8_0.gguf  current names, pinpoints and newline vector, matrices in Q8_0 where their rows allow it
"""
import json
import pathlib
import struct

import gguf
import numpy as np

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures"


def read_safetensors(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        raw = data[8 + length + begin : 8 + length + end]
        if entry["dtype"] == "BF16":
            values = (np.frombuffer(raw, np.uint16).astype(np.uint32) << 16).view(np.float32)
        else:
            values = np.frombuffer(raw, {"F16": np.float16, "F32": np.float32}[entry["dtype"]]).astype(np.float32)
        tensors[name] = values.reshape(entry["shape"])
    return tensors


def layer_names(i, swapped):
    up, down = ("ffn_down", "ffn_up") if swapped else ("ffn_up", "ffn_down")
    pairs = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.out_proj": "attn_out",
             "layer_norm1": "ln1", "layer_norm2": "ln2", "mlp.fc1": up, "mlp.fc2": down}
    return {f"encoder.layers.{i}.{theirs}": f"v.blk.{i}.{ours}" for theirs, ours in pairs.items()}


def add(writer, name, values, kind):
    """kind: F32, F16 or Q8_0; vectors stay F32, rows that do not divide into blocks become F16."""
    if values.ndim == 1 or kind == "F32":
        writer.add_tensor(name, values)
    elif kind == "Q8_0" and values.ndim == 2 and values.shape[1] % 32 == 0:
        quantized = gguf.quants.quantize(values, gguf.GGMLQuantizationType.Q8_0)
        writer.add_tensor(name, quantized, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    else:
        writer.add_tensor(name, values.astype(np.float16))


def add_settings(writer, config, layers):
    vision = config["vision_config"]
    writer.add_bool("clip.has_vision_encoder", True)
    writer.add_bool("clip.use_gelu", False)
    writer.add_uint32("clip.vision.image_size", vision["image_size"])
    writer.add_uint32("clip.vision.patch_size", vision["patch_size"])
    writer.add_uint32("clip.vision.embedding_length", vision["hidden_size"])
    writer.add_uint32("clip.vision.feed_forward_length", vision["intermediate_size"])
    writer.add_uint32("clip.vision.projection_dim", vision["projection_dim"])
    writer.add_uint32("clip.vision.attention.head_count", vision["num_attention_heads"])
    writer.add_float32("clip.vision.attention.layer_norm_epsilon", vision["layer_norm_eps"])
    writer.add_uint32("clip.vision.block_count", layers)
    writer.add_array("clip.vision.image_mean", [0.48145466, 0.4578275, 0.40821073])
    writer.add_array("clip.vision.image_std", [0.26862954, 0.26130258, 0.27577711])


def add_tensors(writer, tensors, layers, swapped, kind_of_block, other):
    tower = "vision_tower."
    add(writer, "v.class_embd", tensors[tower + "embeddings.class_embedding"], "F32")
    add(writer, "v.patch_embd.weight", tensors[tower + "embeddings.patch_embedding.weight"], "F16")
    add(writer, "v.position_embd.weight", tensors[tower + "embeddings.position_embedding.weight"], "F32")
    for part in ("weight", "bias"):
        add(writer, f"v.pre_ln.{part}", tensors[f"{tower}pre_layrnorm.{part}"], "F32")
        for index, name in ((1, "mm.0"), (2, "mm.2")):
            add(writer, f"{name}.{part}", tensors[f"multi_modal_projector.linear_{index}.{part}"], other)
        for i in range(layers):
            for theirs, ours in layer_names(i, swapped).items():
                add(writer, f"{ours}.{part}", tensors[f"{tower}{theirs}.{part}"], kind_of_block(i))


def make(model, file, swapped, kind_of_block, other, extra):
    folder = FIXTURES / "transformers" / model
    config = json.loads((folder / "config.json").read_text())
    tensors = read_safetensors(folder / "model.safetensors")
    layers = config["vision_config"]["num_hidden_layers"] - 1  # the last one is never read: converters leave it out
    writer = gguf.GGUFWriter(str(FIXTURES / "mmproj" / file), "clip")
    add_settings(writer, config, layers)
    extra(writer, config, tensors)
    add_tensors(writer, tensors, layers, swapped, kind_of_block, other)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def legacy(writer, config, tensors):
    writer.add_bool("clip.has_text_encoder", False)
    writer.add_bool("clip.has_llava_projector", True)


def anyres(writer, config, tensors):
    writer.add_string("clip.projector_type", "mlp")
    writer.add_string("clip.vision.mm_patch_merge_type", "spatial_unpad")
    writer.add_string("clip.vision.image_aspect_ratio", "anyres")
    writer.add_array("clip.vision.image_grid_pinpoints", [side for height, width in config["image_grid_pinpoints"] for side in (width, height)])
    writer.add_tensor("model.image_newline", tensors["image_newline"])


(FIXTURES / "mmproj").mkdir(exist_ok=True)
make("llava15", "llava15-legacy.gguf", True, lambda i: "F32" if i == 0 else "F16", "F16", legacy)
make("llava_next", "llava_next-q8_0.gguf", False, lambda i: "Q8_0", "Q8_0", anyres)
