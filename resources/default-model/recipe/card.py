"""Writes the scores of an evaluation into the model card, between its markers."""

from __future__ import annotations

import json
from pathlib import Path

BEGIN, END = "<!-- scores: made by the recipe -->", "<!-- end of scores -->"
SETS = {"known": "new scenes of known cut-outs", "new": "cut-outs never seen", "photographs": "real photographs"}
ROWS = {
    "yes/no balanced": ("yes / no, balanced", 0.92), "count": ("count 0 to 4", 0.85), "count above one": ("count, more than one", None), "colour": ("colour", 0.90), "position": ("position, one of nine", 0.85),
    "relation": ("left, right, above, below of two", None), "box": ("box, IoU >= .5", 0.85), "caption named": ("nouns named in the caption", 0.80),
    "caption invented": ("nouns of the caption that are not there", 0.10), "caption asserted": ("the same, without what it only calls possible", None), "region": ("what is in this region", 0.80), "tool valid": ("tool call valid", 0.95), "tool": ("right tool", 0.85), "no_tool": ("no tool where none is needed", None),
}
WHO = ("model", "detector and template", "another picture")


def cell(scores: dict, key: str) -> str:
    return f"{100 * scores[key]:.0f} %" if key in scores else "-"


def table(scores: dict[str, dict[str, dict[str, float]]]) -> str:
    lines = []
    for name, title in SETS.items():
        if name not in scores:
            continue
        questions = int(scores[name]["model"]["questions"])
        lines += [f"### On {title} ({questions} questions)", "", "| | goal | model | detector and template | control: another picture |", "|---|---|---|---|---|"]
        for key, (label, goal) in ROWS.items():
            if key in scores[name]["model"]:
                sign = "<=" if key == "caption invented" else ">="
                wanted = f"{sign} {100 * goal:.0f} %" if goal else ""
                lines.append(f"| {label} | {wanted} | {' | '.join(cell(scores[name][who], key) for who in WHO)} |")
        lines.append("")
    return "\n".join(lines)


def write(scores_file: Path, card: Path) -> None:
    text = card.read_text()
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    card.write_text(f"{before}{BEGIN}\n\n{table(json.loads(scores_file.read_text()))}\n{END}{after}")
