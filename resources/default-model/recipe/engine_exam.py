"""The same questions asked of a running engine: what its faster arithmetic costs, and that it answers what the trainer answers.

    lavascope-engine serve --model default --port 8123      (LAVASCOPE_TOKEN=secret)
    python engine_exam.py --work DIR --url http://127.0.0.1:8123 --token secret [--pictures 100]
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import random
import sys
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import nouns  # noqa: E402
from dataset import ODD_SHARE, SHARD  # noqa: E402
from evaluate import score_all  # noqa: E402
from exam import Question  # noqa: E402
from scenes import Library, compose, odd_picture  # noqa: E402
from scene import Turn  # noqa: E402
from tool_grammar import TOOL_SYSTEM  # noqa: E402


def scene_picture(library: Library, seed: int, index: int):
    rng = random.Random((seed * 10_007 + index // SHARD) * 1_009 + index % SHARD)
    return (odd_picture(rng, library) if rng.random() < ODD_SHARE else compose(rng, library)).picture


def ask(url: str, token: str, picture: bytes, question: str, system: str | None) -> str:
    image = "data:image/png;base64," + base64.b64encode(picture).decode()
    messages = [{"role": "system", "content": system}] if system else []
    messages.append({"role": "user", "content": [{"type": "image_url", "image_url": {"url": image}}, {"type": "text", "text": question}]})
    body = json.dumps({"messages": messages, "temperature": 0, "max_tokens": 110 if system else 40}).encode()
    request = urllib.request.Request(f"{url}/v1/chat/completions", body, {"Content-Type": "application/json", "Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=300) as reply:
        return json.load(reply)["choices"][0]["message"]["content"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--url", required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--pictures", type=int, default=100)
    args = parser.parse_args()
    vocabulary = nouns.vocabulary(args.work)
    library = Library(args.work, "held")
    pictures: dict[tuple[str, int], bytes] = {}

    def picture(name: str, index: int) -> bytes:
        if (name, index) not in pictures:
            data = io.BytesIO()
            if name == "photographs":
                label = json.loads((args.work / "photographs/labels.json").read_text())[index]
                return next((args.work / "photographs").glob(f"{label['id']}.*")).read_bytes()
            scene_picture(library, 901, index).save(data, "PNG")
            pictures[name, index] = data.getvalue()
        return pictures[name, index]

    for name in ("new", "photographs"):
        asked, answers = [], []
        for line in (args.work / f"answers-{name}.jsonl").read_text().splitlines():
            entry = json.loads(line)
            if entry["picture"] >= args.pictures or entry["task"] == "region":
                continue
            system = TOOL_SYSTEM if entry["task"] in ("tool", "no_tool") else None
            answers.append(ask(args.url, args.token, picture(name, entry["picture"]), entry["question"], system))
            asked.append(Question(entry["picture"], Turn(entry["question"], "", entry["task"], entry["want"])))
            if len(asked) % 100 == 0:
                print(f"{name}: {len(asked)} answers", file=sys.stderr, flush=True)
        scores = score_all(asked, answers, vocabulary, nouns.similar)
        print(name, json.dumps({key: round(value, 3) for key, value in scores.items()}), flush=True)


if __name__ == "__main__":
    main()
