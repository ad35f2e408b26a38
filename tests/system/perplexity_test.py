#!/usr/bin/env python3
"""Fast arithmetic against exact arithmetic on the base model, over the openings of two novels.

usage: perplexity_test.py ENGINE ROOT MODEL [LEVEL]        LEVEL: an instruction set; then on fewer tokens
"""
import ast
import json
import math
import os
import pathlib
import struct
import sys
import tempfile

from engine_program import ROOT, check, engine, failures

MODEL, LEVEL = pathlib.Path(sys.argv[3]), sys.argv[4] if len(sys.argv) > 4 else None
TEXT = ROOT / "tests/fixtures/reading/text.txt"
# In exact arithmetic, of this model and text; the same at every level and in every chunk.
PERPLEXITY = {320: 26.91097, 160: 28.64258}
# Measured in November 2026 at levels that multiply in integers: mean 3.1e-3, 99 % below 1.5e-2, 94 to 97 % the same. The others lose a thousandth of that.
MEAN, P99, SAME_BEST = 4.5e-3, 2.2e-2, 0.91


def perplexity(tokens, *arguments, unscored=10):
    code, out, err = engine("perplexity", "--model", MODEL, "--text", TEXT, "--window", 160, "--unscored", unscored, "--tokens", tokens, *arguments, "--json")
    return json.loads(out) if code == 0 else {"error": err.strip()}


def check_arithmetic(tokens, *arguments):
    name = " ".join(map(str, (tokens, "tokens", *arguments)))
    said = perplexity(tokens, "--against", "exact", *arguments)
    print(json.dumps(said))
    if "error" in said:
        return check(name, False, said)
    exact, gap = said["against"], said["against"]["divergence"]
    check(name + ": every position is scored", (said["windows"], said["scored"]) == (tokens // 160, tokens // 160 * 149), said)
    check(name + ": exact perplexity", abs(exact["perplexity"] / PERPLEXITY[tokens] - 1) < 1e-4, exact)
    check(name + ": fast perplexity", abs(math.log(said["perplexity"] / exact["perplexity"])) < 0.02, said)
    check(name + ": divergence", 0 < gap["mean"] < MEAN and gap["p99"] < P99 and gap["median"] <= gap["p99"] <= gap["largest"], gap)
    check(name + ": likeliest token", exact["same_best"] > SAME_BEST, exact)


# Keys and values in 8 bits under exact arithmetic: measured mean 4.8e-4, 99 % below 2.6e-3, 98 % the same.
def check_int8_keys():
    said = perplexity(160, "--against", "exact", "--exact", "--kv", "int8")
    if "error" in said:
        return check("8-bit keys and values", False, said)
    gap = said["against"]["divergence"]
    check("8-bit keys and values", said["kv_format"] == "Q8_0" and 5e-5 < gap["mean"] < 8e-4 and gap["p99"] < 5e-3 and said["against"]["same_best"] > 0.95, said)


def check_logits_file():
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "logits.npy"
        said = perplexity(160, "--exact", "--logits", file, unscored=155)
        raw = file.read_bytes()
        check("only the finished file is left", [p.name for p in file.parent.iterdir()] == ["logits.npy"])
    length = 10 + struct.unpack("<H", raw[8:10])[0]
    header = ast.literal_eval(raw[10:length].decode())
    rows, vocabulary = header["shape"]
    check("logits file", raw[:8] == b"\x93NUMPY\x01\x00" and length % 64 == 0 and header["descr"] == "<f4" and rows == said["scored"] == 4
          and len(raw) == length + 4 * rows * vocabulary, (header, said))
    ids = json.loads(engine("tokenize", "--model", MODEL, "--file", TEXT, "--json")[1])["ids"]
    surprisal = 0
    for row in range(rows):
        logits = struct.unpack_from(f"<{vocabulary}f", raw, length + 4 * vocabulary * row)
        surprisal += math.log(math.fsum(map(math.exp, logits))) - logits[ids[155 + row + 1]]
    check("its rows say the same perplexity", abs(math.exp(surprisal / rows) / said["perplexity"] - 1) < 1e-5, (math.exp(surprisal / rows), said))


def check_refusals():
    with tempfile.TemporaryDirectory() as folder:
        short = pathlib.Path(folder) / "short.txt"
        short.write_text("a")
        for name, text, arguments, wanted in (("no file", short.with_name("none"), (), "cannot be opened"), ("a text of one token", short, (), "too short"),
                                              ("nothing to foretell", TEXT, ("--unscored", 511), "foretell"), ("too long a window", TEXT, ("--window", 100000), "context")):
            code, _, err = engine("perplexity", "--model", MODEL, "--text", text, *arguments)
            check("refused: " + name, code == 1 and wanted in err and "\n" not in err.strip(), (code, err))


def main():
    if not MODEL.exists():
        print(f"the base model is not here: {MODEL}")
        return 77
    if LEVEL:
        os.environ["LAVASCOPE_ISA"] = LEVEL
        refused = perplexity(2, unscored=0).get("error", "")
        if "cannot run the instruction set" in refused:
            print(refused)
            return 77
        check_arithmetic(160)
    else:
        check_arithmetic(320)
        check_arithmetic(160, "--chunk", 1)
        check_int8_keys()
        check_logits_file()
        check_refusals()
    print(f"{len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
