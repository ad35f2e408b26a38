#!/usr/bin/env python3
"""Commands of lavascope-engine on the default model, against its recorded answers.  usage: engine_commands_test.py ENGINE ROOT"""
import json
import pathlib
import subprocess
import sys

ENGINE, ROOT = sys.argv[1], pathlib.Path(sys.argv[2])
failures = []


def engine(*arguments):
    done = subprocess.run([ENGINE, *map(str, arguments)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def check(name, ok, detail=""):
    print(("ok    " if ok else "FAILED") + " " + name + ("" if ok else f": {detail}"))
    if not ok:
        failures.append(name)


def main():
    code, out, err = engine("inspect", "default", "--json")
    if code != 0 and "SmolLM2-135M" in err:
        print("the base model is not here: " + err.strip())
        return 77
    facts = json.loads(out)
    check("inspect default", facts["kind"] == "vision-language model" and "vision tower" in facts["parts"] and facts["memory"]["weight_bytes"] > 1e8, out[:500])
    check("tokenize default", json.loads(engine("tokenize", "--model", "default", "--text", "Hello world", "--json")[1])["ids"] == [19556, 905])
    recorded = [json.loads(line) for line in (ROOT / "tests/fixtures/default-v0/golden.jsonl").read_text().splitlines()]
    for case in recorded:
        marker = "<image>\n" if case["picture"] == "chelsea.png" else ""  # both ways of saying where the picture stands
        code, out, err = engine("logits", "--model", "default", "--image", ROOT / "tests/fixtures/default-v0" / case["picture"], "--prompt", marker + case["question"],
                                "--chat", "--greedy", 32, "--json")
        answer = json.loads(out) if code == 0 else {}
        name = f"{case['picture']}: {case['question']}"
        check(name, code == 0 and answer["prompt_ids"] == case["prompt_before"] + case["prompt_after"] and answer["image_tokens"] == case["visual_rows"], err or out[:300])
        if code == 0:
            end = answer["greedy_ids"].index(2) if 2 in answer["greedy_ids"] else None
            check(name + " answer", answer["greedy_ids"][:end] == case["answer_ids"], (answer["greedy_ids"], case["answer_ids"]))
            check(name + " logits", all(abs(a[1] - b[1]) < 2e-4 * abs(b[1]) for a, b in zip(answer["top"], case["top5"])), (answer["top"][:5], case["top5"]))
    code, _, err = engine("logits", "--model", ROOT / "README.md", "--prompt", "x", "--json")
    check("a wrong file is a sentence", code == 1 and "README.md" in err and "\n" not in err.strip(), (code, err))
    print(f"{len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
