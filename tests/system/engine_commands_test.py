#!/usr/bin/env python3
"""Commands of lavascope-engine on the default model, against its recorded answers.  usage: engine_commands_test.py ENGINE ROOT"""
import base64
import json
import math
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request

from engine_program import ENGINE, ROOT, check, engine, failures


def recorded_objects(golden, side):
    """What the recorded outputs of the original graph say, one class at a time, boxes that overlap a better one by half left out."""

    def overlap(a, b):
        w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
        area = lambda c: (c[2] - c[0]) * (c[3] - c[1])
        return 0 if w <= 0 or h <= 0 else w * h / (area(a) + area(b) - w * h)

    kept = []
    for entry in golden["top"]:
        (cy, cx, h, w), (ty, tx, th, tw) = entry["anchor_cy_cx_h_w"], entry["box_code"]
        cy, cx, h, w = cy + ty / 10 * h, cx + tx / 10 * w, h * math.exp(th / 5), w * math.exp(tw / 5)
        box = [side * min(max(v, 0), 1) for v in (cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2)]
        if not any(entry["class"] == c and overlap(box, b) > 0.5 for c, b, _ in kept):
            kept.append((entry["class"], box, 1 / (1 + math.exp(-entry["logit"]))))
    return kept


def detect(url, body, headers=()):
    request = urllib.request.Request(url, data=body, headers={"Authorization": "Bearer detect-token", **dict(headers)})
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def check_detector():
    folder = ROOT / "tests/fixtures/detector"
    picture, golden = (folder / "detector-golden.png").read_bytes(), json.loads((folder / "detector-golden.json").read_text())
    wanted = recorded_objects(golden, 300)
    least = 1 / (1 + math.exp(-golden["top"][-1]["logit"])) - 1e-4
    server = subprocess.Popen([ENGINE, "serve", "--model", "default", "--port", "0"], stdout=subprocess.PIPE, text=True, env={**os.environ, "LAVASCOPE_TOKEN": "detect-token"})
    try:
        url = json.loads(server.stdout.readline())["listening"]
        status, found = 503, {}
        while status == 503 and server.poll() is None:
            time.sleep(0.05)  # the model is still loading
            status, found = detect(f"{url}/v1/detect?threshold={least}&max=100", picture)
        near = status == 200 and len(found["objects"]) == len(wanted) and all(
            o["label"] == "cat" and c == 17 and abs(o["score"] - s) < 1e-3 and all(abs(a - b) < 0.05 for a, b in zip(o["box"], box))
            for o, (c, box, s) in zip(found["objects"], wanted))
        check("detect equals the original graph", near and (found["width"], found["height"]) == (300, 300), (status, found, wanted))
        data_url = "data:image/png;base64," + base64.b64encode(picture).decode()
        body = json.dumps({"image_url": {"url": data_url}, "threshold": least, "max": 100}).encode()
        check("detect takes JSON", detect(f"{url}/v1/detect", body, {"Content-Type": "application/json"}.items()) == (200, found))
        status, error = detect(f"{url}/v1/detect", picture[: len(picture) // 2])
        check("detect refuses half a picture", status == 422 and error["error"]["message"] and error["error"]["cause"] is not None, (status, error))
    finally:
        server.terminate()
        server.wait(timeout=30)
    code, out, err = engine("bench", "detect", "--image", folder / "detector-golden.png", "--threads", 2, "--repeat", 3, "--json")
    measured = json.loads(out) if code == 0 else {}
    check("bench detect", code == 0 and measured["objects"] == 1 and measured["width"] == 300 and measured["seconds"] > 0 and measured["cpu_seconds"] > 0, err or out)
    code, _, err = engine("bench", "detect", "--image", ROOT / "README.md")
    check("bench detect of no picture is a sentence", code == 1 and "\n" not in err.strip() and "picture" in err, (code, err))


def main():
    code, out, err = engine("inspect", "default", "--json")
    if code != 0 and "SmolLM2-135M" in err:
        print("the base model is not here: " + err.strip())
        return 77
    facts = json.loads(out)
    check("inspect default", facts["kind"] == "vision-language model" and "vision tower" in facts["parts"] and facts["memory"]["weight_bytes"] > 1e8, out[:500])
    check("tokenize default", json.loads(engine("tokenize", "--model", "default", "--text", "Hello world", "--json")[1])["ids"] == [19556, 905])
    recorded = [json.loads(line) for line in (ROOT / "tests/fixtures/default/golden.jsonl").read_text().splitlines()]
    for case in recorded:
        tokens = min(len(case["answer_ids"]) + 1, 64)  # and the end; no longer ones were recorded
        marker = "<image>\n" if case["picture"] == "chelsea.png" else ""  # both ways of saying where the picture stands
        code, out, err = engine("logits", "--model", "default", "--image", ROOT / "tests/fixtures/default" / case["picture"], "--prompt", marker + case["question"],
                                "--chat", "--greedy", tokens, "--json")
        answer = json.loads(out) if code == 0 else {}
        name = f"{case['picture']}: {case['question']}"
        check(name, code == 0 and answer["prompt_ids"] == case["prompt_before"] + case["prompt_after"] and answer["image_tokens"] == case["visual_rows"], err or out[:300])
        if code == 0:
            end = answer["greedy_ids"].index(2) if 2 in answer["greedy_ids"] else None
            check(name + " answer", answer["greedy_ids"][:end] == case["answer_ids"], (answer["greedy_ids"], case["answer_ids"]))
            check(name + " logits", all(abs(a[1] - b[1]) < 2e-4 * abs(b[1]) for a, b in zip(answer["top"], case["top5"])), (answer["top"][:5], case["top5"]))
    check_detector()
    code, _, err = engine("logits", "--model", ROOT / "README.md", "--prompt", "x", "--json")
    check("a wrong file is a sentence", code == 1 and "README.md" in err and "\n" not in err.strip(), (code, err))
    print(f"{len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
