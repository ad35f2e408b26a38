"""Names of colours, by fixed rules on hue, saturation and value: the labels of the data and the features of the model use the same ones."""

from __future__ import annotations

import numpy as np

NAMES = ["red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white", "gray"]
RED, ORANGE, YELLOW, GREEN, BLUE, PURPLE, PINK, BROWN, BLACK, WHITE, GRAY = range(11)


def name_pixels(rgb: np.ndarray) -> np.ndarray:
    """[..., 3] bytes -> [...] index into NAMES. All arithmetic in float32."""
    x = rgb.astype(np.float32) / np.float32(255)
    r, g, b = x[..., 0], x[..., 1], x[..., 2]
    high, low = x.max(-1), x.min(-1)
    span = high - low
    saturation = span / np.maximum(high, np.float32(1e-6))
    safe = np.maximum(span, np.float32(1e-6))
    sixth = np.where(high == r, (g - b) / safe, np.where(high == g, (b - r) / safe + 2, (r - g) / safe + 4))
    hue = np.where(sixth < 0, sixth + 6, sixth) * np.float32(60)

    out = np.full(x.shape[:-1], GRAY, np.int64)
    dark, pale = high < np.float32(0.2), (high > np.float32(0.82)) & (saturation < np.float32(0.12))
    coloured = ~dark & ~pale & (saturation >= np.float32(0.2))
    for first, last, name in ((0, 15, RED), (15, 42, ORANGE), (42, 68, YELLOW), (68, 165, GREEN), (165, 256, BLUE), (256, 292, PURPLE), (292, 340, PINK),
                              (340, 361, RED)):
        out[coloured & (hue >= first) & (hue < last)] = name
    out[coloured & ((hue < 15) | (hue >= 335)) & (high > np.float32(0.75)) & (saturation < np.float32(0.5))] = PINK
    out[coloured & (hue >= 8) & (hue < 50) & ((high < np.float32(0.65)) | ((saturation < np.float32(0.45)) & (high < np.float32(0.85))))] = BROWN
    out[coloured & (hue < 8) & (high < np.float32(0.4))] = BROWN
    out[dark], out[pale] = BLACK, WHITE
    return out


def dominant(rgba: np.ndarray, share: float = 0.6) -> str | None:
    """The name that at least `share` of the opaque pixels have; None where no name does."""
    opaque = rgba[..., 3] > 200
    if opaque.sum() < 100:
        return None
    counts = np.bincount(name_pixels(rgba[opaque][:, :3]), minlength=len(NAMES)) / opaque.sum()
    best = int(counts.argmax())
    return NAMES[best] if counts[best] >= share else None
