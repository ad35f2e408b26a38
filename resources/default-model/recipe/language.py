"""SmolLM2-135M-Instruct (Apache-2.0) from its GGUF file as a frozen torch network with low-rank adapters (Hu et al. 2021)."""

from __future__ import annotations

import math
from pathlib import Path

import gguf
import numpy as np
import torch
from gguf.quants import dequantize
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor, nn
from torch.nn import functional as F

LAYERS, HEADS, KV_HEADS, HEAD_WIDTH, WIDTH = 30, 9, 3, 64, 576
ROPE_THETA, RMS_EPSILON = 100_000.0, 1e-5
MAX_POSITIONS = 2048
END = 2  # <|im_end|>
PROJECTIONS = {
    "q": ("attn_q", "self_attn.q_proj"),
    "k": ("attn_k", "self_attn.k_proj"),
    "v": ("attn_v", "self_attn.v_proj"),
    "o": ("attn_output", "self_attn.o_proj"),
    "gate": ("ffn_gate", "mlp.gate_proj"),
    "up": ("ffn_up", "mlp.up_proj"),
    "down": ("ffn_down", "mlp.down_proj"),
}


class GgufFile:
    def __init__(self, path: Path):
        self.reader = gguf.GGUFReader(str(path))
        self.tensors = {t.name: t for t in self.reader.tensors}

    def tensor(self, name: str) -> Tensor:
        t = self.tensors[name]
        values = dequantize(t.data, t.tensor_type).astype(np.float32).reshape([int(n) for n in reversed(t.shape)])
        if name.endswith(("attn_q.weight", "attn_k.weight")):  # rows are interleaved for the other rotary convention
            heads = HEADS if "attn_q" in name else KV_HEADS
            values = values.reshape(heads, HEAD_WIDTH // 2, 2, values.shape[1]).swapaxes(1, 2).reshape(values.shape)
        return torch.from_numpy(np.ascontiguousarray(values))

    def tokenizer(self) -> Tokenizer:
        fields = self.reader.fields
        tokens = fields["tokenizer.ggml.tokens"].contents()
        merges = [tuple(m.split(" ")) for m in fields["tokenizer.ggml.merges"].contents()]
        kinds = fields["tokenizer.ggml.token_type"].contents()
        tokenizer = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, merges))
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)]
        )
        tokenizer.decoder = decoders.ByteLevel()
        tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t, kind in zip(tokens, kinds) if kind == 3])
        return tokenizer


class AdaptedLinear(nn.Module):
    """y = W x + (alpha / rank) B A x; W is frozen."""

    def __init__(self, weight: Tensor, rank: int, alpha: float):
        super().__init__()
        self.register_buffer("weight", weight)
        self.scale = alpha / rank if rank else 0.0
        if rank:
            self.a = nn.Parameter(torch.randn(rank, weight.shape[1]) / math.sqrt(weight.shape[1]))
            self.b = nn.Parameter(torch.zeros(weight.shape[0], rank))

    def forward(self, x: Tensor) -> Tensor:
        y = F.linear(x, self.weight)
        if self.scale:
            y = y + F.linear(F.linear(x, self.a.to(x.dtype)), self.b.to(x.dtype) * self.scale)
        return y

    def merge(self) -> None:
        """For evaluation: the adapter becomes part of the weight."""
        if self.scale:
            self.weight += self.scale * (self.b.data.float() @ self.a.data.float()).to(self.weight.dtype)
            self.scale = 0.0


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    """Grouped-query attention as plain products: at these lengths twice as fast to train on a CPU as the fused operator."""
    batch, heads, length, width = q.shape
    groups = k.shape[1]
    scores = q.reshape(batch, groups, heads // groups * length, width) @ k.transpose(-1, -2)
    weights = (scores.view(batch, heads, length, -1) * width**-0.5 + mask).softmax(-1)
    return (weights.view(batch, groups, heads // groups * length, -1) @ v).view(batch, heads, length, width)


class Layer(nn.Module):
    def __init__(self, source: GgufFile, index: int, rank: int, alpha: float, dtype: torch.dtype):
        super().__init__()
        for name, (theirs, _) in PROJECTIONS.items():
            setattr(self, name, AdaptedLinear(source.tensor(f"blk.{index}.{theirs}.weight").to(dtype), rank, alpha))
        self.register_buffer("attention_norm", source.tensor(f"blk.{index}.attn_norm.weight").to(dtype))
        self.register_buffer("mlp_norm", source.tensor(f"blk.{index}.ffn_norm.weight").to(dtype))

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor, cache: list[Tensor] | None) -> Tensor:
        batch, length, _ = x.shape
        h = F.rms_norm(x, (WIDTH,), self.attention_norm, RMS_EPSILON)
        split = lambda y, heads: y.view(batch, length, heads, HEAD_WIDTH).transpose(1, 2)
        q, k, v = rotate(split(self.q(h), HEADS), cos, sin), rotate(split(self.k(h), KV_HEADS), cos, sin), split(self.v(h), KV_HEADS)
        if cache is not None:
            if cache:
                k, v = torch.cat([cache[0], k], 2), torch.cat([cache[1], v], 2)
            cache[:] = [k, v]
        x = x + self.o(attend(q, k, v, mask).transpose(1, 2).reshape(batch, length, WIDTH))
        h = F.rms_norm(x, (WIDTH,), self.mlp_norm, RMS_EPSILON)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


class LanguageModel(nn.Module):
    def __init__(self, gguf_path: Path, rank: int = 0, alpha: float = 16.0, dtype: torch.dtype = torch.float32):
        super().__init__()
        source = GgufFile(gguf_path)
        self.tokenizer = source.tokenizer()
        self.layers = nn.ModuleList(Layer(source, i, rank, alpha, dtype) for i in range(LAYERS))
        self.register_buffer("embeddings", source.tensor("token_embd.weight").to(dtype))
        self.register_buffer("norm", source.tensor("output_norm.weight").to(dtype))
        angles = torch.arange(MAX_POSITIONS).float()[:, None] / ROPE_THETA ** (torch.arange(0, HEAD_WIDTH, 2).float() / HEAD_WIDTH)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)

    def ids(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def text(self, ids: list[int]) -> str:
        return self.tokenizer.decode(ids, skip_special_tokens=False)

    def rows(self, ids: list[int]) -> Tensor:
        """Embeddings [tokens, width], where the model is."""
        return self.embeddings[torch.tensor(ids, device=self.embeddings.device)]

    def embed(self, text: str) -> Tensor:
        """Mean embedding of the tokens, float32."""
        return self.rows(self.ids(text)).float().mean(0)

    def hidden(self, x: Tensor, mask: Tensor, positions: Tensor, caches: list[list[Tensor]] | None = None) -> Tensor:
        """x [batch, length, width], mask [batch, 1, length, keys] added to the scores, positions [batch, length]."""
        x, mask = x.to(self.norm.dtype), mask.to(self.norm.dtype)
        cos, sin = self.cos[positions][:, None].to(x.dtype), self.sin[positions][:, None].to(x.dtype)
        for i, layer in enumerate(self.layers):
            x = layer(x, cos, sin, mask, None if caches is None else caches[i])
        return F.rms_norm(x, (WIDTH,), self.norm, RMS_EPSILON)

    def logits(self, h: Tensor) -> Tensor:
        return F.linear(h.to(self.embeddings.dtype), self.embeddings)

    def merge(self) -> None:
        for module in self.modules():
            if isinstance(module, AdaptedLinear):
                module.merge()

    def adapter(self) -> dict[str, Tensor]:
        """The adapter under the names of the PEFT library."""
        state = {}
        for i, layer in enumerate(self.layers):
            for name, (_, theirs) in PROJECTIONS.items():
                linear = getattr(layer, name)
                prefix = f"base_model.model.model.layers.{i}.{theirs}"
                state[f"{prefix}.lora_A.weight"], state[f"{prefix}.lora_B.weight"] = linear.a.data.clone(), linear.b.data.clone()
        return state

    def load_adapter(self, state: dict[str, Tensor]) -> None:
        for i, layer in enumerate(self.layers):
            for name, (_, theirs) in PROJECTIONS.items():
                linear = getattr(layer, name)
                prefix = f"base_model.model.model.layers.{i}.{theirs}"
                linear.a.data.copy_(state[f"{prefix}.lora_A.weight"])
                linear.b.data.copy_(state[f"{prefix}.lora_B.weight"])


@torch.no_grad()
def generate(model: LanguageModel, prompts: list[Tensor], limit: int = 64) -> list[list[int]]:
    """Greedy answers to prompts of embeddings [length, width], as one left-padded batch."""
    longest, batch = max(len(p) for p in prompts), len(prompts)
    x = torch.stack([F.pad(p, (0, 0, longest - len(p), 0)) for p in prompts])
    pad = torch.tensor([longest - len(p) for p in prompts])
    at = torch.arange(longest)[None]
    positions, seen = (at - pad[:, None]).clamp(min=0), at >= pad[:, None]
    allowed = (torch.tril(torch.ones(longest, longest, dtype=torch.bool))[None] & seen[:, None, :]) | torch.eye(longest, dtype=torch.bool)[None]
    mask = torch.zeros(batch, 1, longest, longest, dtype=x.dtype).masked_fill(~allowed[:, None], -1e9)
    caches: list[list[Tensor]] = [[] for _ in range(LAYERS)]
    h = model.hidden(x, mask, positions, caches)[:, -1]
    answers: list[list[int]] = [[] for _ in prompts]
    open_, position = [True] * batch, longest - pad
    for _ in range(limit):
        tokens = model.logits(h).argmax(-1)
        for i, token in enumerate(tokens.tolist()):
            if open_[i] and token == END:
                open_[i] = False
            elif open_[i]:
                answers[i].append(token)
        if not any(open_):
            break
        seen = torch.cat([seen, torch.ones(batch, 1, dtype=torch.bool)], 1)
        mask = torch.zeros(batch, 1, 1, seen.shape[1], dtype=x.dtype).masked_fill(~seen[:, None, None], -1e9)
        h = model.hidden(model.embeddings[tokens][:, None], mask, position[:, None], caches)[:, -1]
        position = position + 1
    return answers
