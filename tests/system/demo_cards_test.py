#!/usr/bin/env python3
"""Every card of the start page, asked as the window asks it: the answer must hold what resources/demo/demo.json expects of it.

usage: demo_cards_test.py ENGINE CLI ROOT

"expect" of a card: "words" that stand in the answer, and "box" {"label", "box" [x1, y1, x2, y2] in pixels, "iou"}: a box with this label
(whole words of it) that overlaps the given one by at least that much.
"""
import json
import pathlib
import re
import subprocess
import sys


def overlap(a, b):
    """Intersection over union."""
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    area = lambda c: (c[2] - c[0]) * (c[3] - c[1])
    return w * h / (area(a) + area(b) - w * h) if w > 0 and h > 0 else 0.0


def says(text, word):
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) is not None


def problems(answer, expect):
    found = [f"'{word}' is not in the answer" for word in expect.get("words", []) if not says(answer["text"], word)]
    if wanted := expect.get("box"):
        best = max((overlap(b["box"], wanted["box"]) for b in answer["boxes"] if says(b["label"], wanted["label"])), default=None)
        if best is None:
            found.append(f"no box of '{wanted['label']}'")
        elif best < wanted["iou"]:
            found.append(f"the box of '{wanted['label']}' overlaps by {best:.2f}, not {wanted['iou']}")
    return found


def check_rules():
    """That an answer can fail."""
    expect = {"words": ["cat"], "box": {"label": "cat", "box": [0, 0, 10, 10], "iou": 0.5}}
    right = {"text": "A cat.", "boxes": [{"label": "brown cat", "box": [0, 0, 10, 8]}]}
    assert problems(right, expect) == []
    assert problems({**right, "text": "A category."}, expect) and problems({**right, "boxes": []}, expect)
    assert problems({**right, "boxes": [{"label": "dog", "box": [0, 0, 10, 10]}]}, expect)
    assert problems({**right, "boxes": [{"label": "cat", "box": [0, 0, 10, 4]}]}, expect)


def main():
    engine, cli, root = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    check_rules()
    here = subprocess.run([engine, "inspect", "default", "--json"], capture_output=True, text=True, check=False)
    if here.returncode != 0 and "SmolLM2-135M" in here.stderr:
        print("the base model is not here: " + here.stderr.strip())
        return 77
    failed = 0
    cards = json.loads((root / "resources/demo/demo.json").read_text())
    for card in cards:
        name = f"{card['title']}: {card['question']}"
        if not card.get("expect"):
            print(f"FAILED {name}: the card says nothing of what it expects")
            failed += 1
            continue
        done = subprocess.run([cli, "ask", "--no-save", "--json", card["question"], str(root / "resources/demo" / card["picture"])],
                              capture_output=True, text=True, check=False)
        found = [done.stderr.strip()] if done.returncode != 0 else problems(json.loads(done.stdout), card["expect"])
        print(("FAILED " if found else "ok     ") + name + "".join(f"\n       {one}" for one in found) + f"\n       {done.stdout.strip()[:400]}")
        failed += bool(found)
    print(f"{failed} of {len(cards)} failed")
    return 1 if failed or not cards else 0


if __name__ == "__main__":
    sys.exit(main())
