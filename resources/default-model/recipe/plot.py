"""The loss curve as a picture, with nothing but Pillow."""

from __future__ import annotations

import json
import math
from pathlib import Path

from PIL import Image, ImageDraw

WIDTH, HEIGHT, MARGIN = 900, 420, 50
SMOOTHING = 0.95


def loss_curve(source: Path, target: Path) -> None:
    points = [(entry["step"], entry["loss"]) for entry in map(json.loads, source.read_text().splitlines())]
    if len(points) < 2:
        return
    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(image)
    low, high = math.log(max(min(p[1] for p in points), 1e-3)), math.log(max(p[1] for p in points))
    last = points[-1][0]

    def place(step: float, loss: float) -> tuple[float, float]:
        x = MARGIN + (WIDTH - 2 * MARGIN) * step / last
        return x, HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (math.log(max(loss, 1e-3)) - low) / max(high - low, 1e-6)

    for value in (0.05, 0.1, 0.2, 0.5, 1, 2, 4):
        if low <= math.log(value) <= high:
            y = place(0, value)[1]
            draw.line([(MARGIN, y), (WIDTH - MARGIN, y)], "#dddddd")
            draw.text((8, y - 6), f"{value}", "#555555")
    mean = points[0][1]
    smooth = []
    for step, loss in points:
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
        smooth.append(place(step, mean))
    draw.point([place(*p) for p in points], "#9db7d5")
    draw.line(smooth, "#1f4e8c", 2)
    draw.text((MARGIN, HEIGHT - MARGIN + 14), f"loss on answers, {last} steps", "#333333")
    image.save(target)
