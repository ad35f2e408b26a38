#!/usr/bin/env python3
"""Makes tests/fixtures/text_models: tiny GGUF language models and a PEFT adapter, with the answers of transformers on the same
(dequantised) weights. Needs numpy, torch, transformers, peft, gguf, safetensors. Deterministic.

    python3 tests/goldens/make_text_models.py [OUTPUT_FOLDER]
"""
import json
import pathlib
import shutil
import sys

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Q
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

ROLES = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
         "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"}
K_SCALES = {Q.Q4_K: [0, 2], Q.Q5_K: [0, 2], Q.Q6_K: [208]}  # byte offsets of the float16 factors of a block


def permute(weight, heads):  # half-split rows to the adjacent pairs of GGUF llama files
    rows, width = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, width).swapaxes(1, 2).reshape(rows, width)


def unpermute(weight, heads):
    rows, width = weight.shape
    return weight.reshape(heads, rows // heads // 2, 2, width).swapaxes(1, 2).reshape(rows, width)


class Writer:
    """Writes one tensor in a number format and remembers what a reader gets back."""

    def __init__(self, path, arch, random):
        self.gguf, self.random, self.back = gguf.GGUFWriter(path, arch), random, {}

    def add(self, name, values, kind):
        if kind in K_SCALES:  # the gguf package cannot encode K-quants: random valid blocks with small factors
            blocks = self.random.integers(0, 256, (values.size // 256, gguf.GGML_QUANT_SIZES[kind][1]), dtype=np.uint8)
            for at in K_SCALES[kind]:
                factor = self.random.uniform(2e-4, 4e-4, len(blocks)).astype(np.float16)
                if kind != Q.Q6_K:
                    factor = factor * np.float16(4 if at == 0 else 25)
                blocks[:, at:at + 2] = factor.astype(np.float16).view(np.uint8).reshape(-1, 2)
            data = blocks.reshape(values.shape[0], -1)
        elif kind == Q.F32:
            data = values.astype(np.float32)
        elif kind == Q.F16:
            data = values.astype(np.float16)
        else:
            data = gguf.quants.quantize(values.astype(np.float32), kind)
        self.gguf.add_tensor(name, data, raw_dtype=kind)
        plain = kind in (Q.F32, Q.F16)
        self.back[name] = data.astype(np.float32) if plain else gguf.quants.dequantize(data, kind).reshape(values.shape)

    def close(self):
        self.gguf.write_header_to_file()
        self.gguf.write_kv_data_to_file()
        self.gguf.write_tensors_to_file()
        self.gguf.close()


def write_keys(writer, arch, c, rope):
    w = writer.gguf
    w.add_context_length(c["context"])
    w.add_embedding_length(c["width"])
    w.add_block_count(c["layers"])
    w.add_feed_forward_length(c["ff"])
    w.add_head_count(c["heads"])
    w.add_head_count_kv(c["kv"])
    w.add_layer_norm_rms_eps(c["eps"])
    w.add_rope_freq_base(c["theta"])
    if rope == "linear":
        w.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        w.add_rope_scaling_factor(4.0)


def llama3_factors(c):
    half = c["width"] // c["heads"] // 2
    wave = 2 * np.pi * c["theta"] ** (np.arange(half) / half)
    smooth = (64.0 / wave - 1) / (4 - 1)
    middle = 1 / ((1 - smooth) / 8 + smooth)
    return np.where(wave < 64 / 4, 1, np.where(wave > 64 / 1, 8, middle)).astype(np.float32)


def build(folder, name, arch, c, formats, rope=None, tied=False):
    """Returns the transformers model that has the weights of the file."""
    random = np.random.default_rng(c["seed"])
    writer = Writer(folder / f"{name}.gguf", arch, random)
    write_keys(writer, arch, c, rope)
    d = c["width"] // c["heads"]
    shapes = {"self_attn.q_proj": (c["heads"] * d, c["width"]), "self_attn.k_proj": (c["kv"] * d, c["width"]), "self_attn.v_proj": (c["kv"] * d, c["width"]),
              "self_attn.o_proj": (c["width"], c["heads"] * d), "mlp.gate_proj": (c["ff"], c["width"]), "mlp.up_proj": (c["ff"], c["width"]),
              "mlp.down_proj": (c["width"], c["ff"])}
    state = {}

    def put(hf, ggml, values, kind, heads=0):
        rotated = heads and arch == "llama"
        writer.add(ggml, permute(values, heads) if rotated else values, kind)
        back = writer.back[ggml]
        state[hf] = torch.from_numpy(unpermute(back, heads).copy() if rotated else back.copy())

    put("model.embed_tokens.weight", "token_embd.weight", random.normal(0, 1, (c["vocab"], c["width"])), formats["embed"])
    for layer in range(c["layers"]):
        hf, ggml = f"model.layers.{layer}.", f"blk.{layer}."
        for role, short in ROLES.items():
            heads = {"self_attn.q_proj": c["heads"], "self_attn.k_proj": c["kv"]}.get(role, 0)
            put(hf + role + ".weight", ggml + short + ".weight", random.normal(0, 1.2 / np.sqrt(shapes[role][1]), shapes[role]), formats[role], heads)
            if arch == "qwen2" and role in ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"):
                put(hf + role + ".bias", ggml + short + ".bias", random.normal(0, 0.5, shapes[role][0]), Q.F32)
        put(hf + "input_layernorm.weight", ggml + "attn_norm.weight", random.uniform(0.7, 1.3, c["width"]), Q.F32)
        put(hf + "post_attention_layernorm.weight", ggml + "ffn_norm.weight", random.uniform(0.7, 1.3, c["width"]), Q.F32)
    put("model.norm.weight", "output_norm.weight", random.uniform(0.7, 1.3, c["width"]), Q.F32)
    if tied:
        state["lm_head.weight"] = state["model.embed_tokens.weight"]
    else:
        put("lm_head.weight", "output.weight", random.normal(0, 3 / np.sqrt(c["width"]), (c["vocab"], c["width"])), formats["head"])
    if rope == "llama3":
        writer.add("rope_freqs.weight", llama3_factors(c), Q.F32)
    writer.close()
    parameters = {"rope_type": rope or "default", "rope_theta": c["theta"]}
    if rope == "linear":
        parameters["factor"] = 4.0
    if rope == "llama3":
        parameters |= {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64}
    config = (LlamaConfig if arch == "llama" else Qwen2Config)(
        vocab_size=c["vocab"], hidden_size=c["width"], intermediate_size=c["ff"], num_hidden_layers=c["layers"], num_attention_heads=c["heads"],
        num_key_value_heads=c["kv"], max_position_embeddings=c["context"], rms_norm_eps=c["eps"], tie_word_embeddings=tied, rope_parameters=parameters,
        attn_implementation="eager", bos_token_id=None, eos_token_id=None, pad_token_id=None)
    model = (LlamaForCausalLM if arch == "llama" else Qwen2ForCausalLM)(config).float().eval()
    model.load_state_dict(state, strict=True)
    return model


@torch.no_grad()
def answers(model, vocab, seed, name):
    ids = np.random.default_rng(seed).integers(0, vocab, 45).tolist()
    tokens, greedy, margins, first = list(ids), [], [], None
    for _ in range(32):
        logits = model(torch.tensor([tokens])).logits[0, -1].float().numpy()
        first = logits if first is None else first
        order = np.argsort(-logits, kind="stable")
        greedy.append(int(order[0]))
        margins.append(float(logits[order[0]] - logits[order[1]]))
        tokens.append(greedy[-1])
    order = np.argsort(-first, kind="stable")[:10]
    return {"name": name, "prompt": "", "prompt_token_ids": ids, "top10": [[int(i), round(float(first[i]), 5)] for i in order],
            "logits_last": {"n": len(first), "mean": round(float(first.mean()), 7), "mean_abs": round(float(np.abs(first).mean()), 7),
                            "first8": [round(float(v), 5) for v in first[:8]]},
            "greedy32": greedy, "least_margin": round(min(margins), 5)}


def cases(model, vocab, name, count=2):
    """Prompts whose greedy steps are never a close call."""
    found, seed = [], 0
    while len(found) < count:
        case = answers(model, vocab, seed, f"{name}{len(found)}")
        seed += 1
        if case["least_margin"] > 0.01:
            found.append(case)
    return found


def save(folder, cases_of):
    (folder / "expect.json").write_text(json.dumps({"cases": cases_of}, indent=1) + "\n")


def make_lora(folder, model, seed):
    torch.manual_seed(seed)
    peft = get_peft_model(model, LoraConfig(r=4, lora_alpha=6, target_modules=[role.split(".")[1] for role in ROLES], lora_dropout=0.0, task_type="CAUSAL_LM"))
    for name, parameter in peft.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(parameter, 0, 0.12)
    peft.eval()
    peft.save_pretrained(folder / "adapter")
    (folder / "adapter" / "README.md").unlink(missing_ok=True)
    return peft


def main():
    out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[1] / "fixtures/text_models"
    small = {"width": 64, "layers": 2, "heads": 4, "kv": 2, "ff": 96, "vocab": 160, "context": 256, "eps": 1e-5, "theta": 1e4}
    every = {"self_attn.q_proj": Q.F16, "self_attn.k_proj": Q.BF16, "self_attn.v_proj": Q.Q4_0, "self_attn.o_proj": Q.Q4_1, "mlp.gate_proj": Q.Q5_0,
             "mlp.up_proj": Q.Q5_1, "mlp.down_proj": Q.Q8_0, "embed": Q.Q4_0, "head": Q.Q5_1}
    same = lambda kind: {key: kind for key in every}
    k_mix = {"self_attn.q_proj": Q.Q4_K, "self_attn.k_proj": Q.Q4_K, "self_attn.v_proj": Q.Q6_K, "self_attn.o_proj": Q.Q5_K, "mlp.gate_proj": Q.Q4_K,
             "mlp.up_proj": Q.Q5_K, "mlp.down_proj": Q.Q6_K, "embed": Q.Q6_K, "head": Q.Q4_K}
    large = small | {"width": 256, "layers": 1, "ff": 256, "vocab": 96}
    models = [("llama_formats", "llama", small | {"seed": 1}, every, None, False), ("qwen2_tied", "qwen2", small | {"seed": 2, "eps": 1e-6, "theta": 1e6}, every, None, True),
              ("llama_k", "llama", large | {"seed": 3}, k_mix, None, False), ("llama3_rope", "llama", small | {"seed": 4, "theta": 5e5}, same(Q.Q8_0), "llama3", False),
              ("linear_rope", "llama", small | {"seed": 5}, same(Q.Q4_1), "linear", False)]
    for name, arch, c, formats, rope, tied in models:
        folder = out / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        model = build(folder, "model", arch, c, formats, rope, tied)
        plain = cases(model, c["vocab"], "plain")
        if name == "llama_formats":
            adapted = make_lora(folder, model, 11)
            plain += cases(adapted, c["vocab"], "adapted")
        save(folder, plain)
        print(name, [case["least_margin"] for case in plain], (folder / "model.gguf").stat().st_size)


if __name__ == "__main__":
    main()
