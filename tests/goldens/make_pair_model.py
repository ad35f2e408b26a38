#!/usr/bin/env python3
"""Makes tests/fixtures/text_models/llava15_pair: the language model of tests/fixtures/transformers/llava15 as a GGUF file with its
vocabulary, a square picture, and the answer of transformers. Together with tests/fixtures/mmproj/llava15-legacy.gguf it is a whole
model of two files. Needs numpy, torch, transformers, pillow, gguf, safetensors.

    python3 tests/goldens/make_pair_model.py
"""
import json
import pathlib

import gguf
import numpy as np
import torch
from make_text_models import ROLES, permute
from PIL import Image
from safetensors.numpy import load_file
from transformers import CLIPImageProcessorPil, LlavaForConditionalGeneration

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures"
SOURCE = FIXTURES / "transformers/llava15"
OUT = FIXTURES / "text_models/llava15_pair"


def write_vocabulary(writer, config):
    tokenizer = json.loads((SOURCE / "tokenizer.json").read_text())
    size = config["vocab_size"]
    texts, kinds, scores = [f"[unused {i}]" for i in range(size)], [gguf.TokenType.UNUSED] * size, [0.0] * size
    for text, index in tokenizer["model"]["vocab"].items():
        texts[index] = text
        kinds[index] = gguf.TokenType.BYTE if text.startswith("<0x") else gguf.TokenType.NORMAL
        scores[index] = -1e6
    for rank, pair in enumerate(tokenizer["model"]["merges"]):
        scores[tokenizer["model"]["vocab"]["".join(pair)]] = -float(rank)
    for token in tokenizer["added_tokens"]:
        texts[token["id"]], kinds[token["id"]] = token["content"], gguf.TokenType.CONTROL
    kinds[0] = gguf.TokenType.UNKNOWN
    writer.add_tokenizer_model("llama")
    writer.add_token_list(texts)
    writer.add_token_scores(scores)
    writer.add_token_types([int(kind) for kind in kinds])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_pad_token_id(1283)
    writer.add_add_bos_token(True)
    writer.add_add_space_prefix(True)


def write_gguf(config):
    writer = gguf.GGUFWriter(OUT / "llava15-F16.gguf", "llama")
    writer.add_name("llava15")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    write_vocabulary(writer, config)
    weights = {name.removeprefix("language_model."): value for name, value in load_file(SOURCE / "model.safetensors").items()}
    names = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
    for layer in range(config["num_hidden_layers"]):
        names |= {f"model.layers.{layer}.{role}": f"blk.{layer}.{short}" for role, short in ROLES.items()}
        names |= {f"model.layers.{layer}.input_layernorm": f"blk.{layer}.attn_norm", f"model.layers.{layer}.post_attention_layernorm": f"blk.{layer}.ffn_norm"}
    for hf, ggml in names.items():
        value = weights[hf + ".weight"]
        if hf.endswith(("q_proj", "k_proj")):
            value = permute(value, config["num_attention_heads" if hf.endswith("q_proj") else "num_key_value_heads"])
        writer.add_tensor(ggml + ".weight", value.astype(np.float32) if value.ndim == 1 else value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@torch.no_grad()
def answer():
    model = LlavaForConditionalGeneration.from_pretrained(SOURCE, dtype=torch.float32, attn_implementation="eager").eval()
    scene = json.loads((SOURCE / "expect.json").read_text())["cases"][0]
    pixels = CLIPImageProcessorPil.from_pretrained(SOURCE)(Image.open(OUT / "square.png"), return_tensors="pt")["pixel_values"]
    ids = [i for token in scene["prompt_token_ids"] for i in ([token] * 16 if token == scene["image_token_id"] else [token])]
    greedy, margins, first = [], [], None
    for _ in range(32):
        logits = model(input_ids=torch.tensor([ids + greedy]), pixel_values=pixels).logits[0, -1].numpy()
        first = logits if first is None else first
        best = np.argsort(-logits, kind="stable")
        greedy.append(int(best[0]))
        margins.append(float(logits[best[0]] - logits[best[1]]))
    best = np.argsort(-first, kind="stable")[:10]
    case = {"name": "square", "pictures": ["square.png"], "prompt": scene["prompt"], "prompt_token_ids": scene["prompt_token_ids"], "n_image_tokens": [16],
            "views": [{"mean": round(float(pixels.mean()), 7), "mean_abs": round(float(pixels.abs().mean()), 7)}],
            "top10": [[int(i), round(float(first[i]), 5)] for i in best],
            "logits_last": {"n": len(first), "mean": round(float(first.mean()), 7), "mean_abs": round(float(np.abs(first).mean()), 7),
                            "first8": [round(float(v), 5) for v in first[:8]]},
            "greedy32": greedy, "least_margin": round(min(margins), 5)}
    (OUT / "expect.json").write_text(json.dumps({"cases": [case]}, indent=1) + "\n")
    print("least margin", case["least_margin"])


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    config = json.loads((SOURCE / "config.json").read_text())["text_config"]
    y, x = np.mgrid[0:90, 0:90]
    picture = np.stack([x * 2.8, y * 2.8, ((x // 9 + y // 9) % 2) * 200 + 20], -1).astype(np.uint8)
    Image.fromarray(picture).save(OUT / "square.png")
    write_gguf(config)
    answer()


if __name__ == "__main__":
    main()
