#!/usr/bin/env python3
"""synth and bench of lavascope-engine: what they write and say, not how fast they are.  usage: engine_measuring_test.py ENGINE ROOT MODULES

MODULES holds the devices that tests bring (tests/support/module).
"""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

from engine_program import ENGINE, ROOT, check, engine, failures


def bench(*arguments):
    code, out, err = engine("bench", *arguments, "--threads", 1, "--json")
    return json.loads(out.strip().splitlines()[-1]) if code == 0 else {"error": err}


def left_in_temporary_folder():
    return set(pathlib.Path(tempfile.gettempdir()).glob("lavascope-bench-*"))


def check_synth(folder):
    code, out, err = engine("synth", "--list")
    check("synth lists shapes and formats", code == 0 and "llava-1.5-7b" in out and "clip-l-336" in out and "q4_k" in out, err)
    model = folder / "smollm2.gguf"
    code, out, err = engine("synth", "--shape", "smollm2-135m", "--format", "q4_1", "-o", model)
    check("synth writes a model", code == 0 and model.exists() and str(model) in out, err)
    code, out, err = engine("inspect", model, "--json")
    facts = json.loads(out) if code == 0 else {}
    check("inspect reads it", facts.get("architecture") == "llama" and facts["shape"]["layers"] == 30 and facts["shape"]["vocabulary"] == 49152, err or facts)
    for arguments, wanted in ((("--shape", "gpt-9", "-o", folder / "x"), "tinyllama-1.1b"), (("--shape", "clip-b-32", "--format", "q3", "-o", folder / "x"), "q4_k_s"),
                              (("--shape", "smollm2-135m", "-o", folder / "no/x"), "folder"), (("--shape", "smollm2-135m", "--text-width", 8, "-o", folder / "x"), "vision")):
        code, out, err = engine("synth", *arguments)
        check(f"synth refuses {' '.join(map(str, arguments[:4]))}", code == 1 and wanted in err, (code, err))
    check("nothing was left behind", [p.name for p in folder.iterdir()] == ["smollm2.gguf"], list(folder.iterdir()))
    return model


def check_interrupt(folder):
    target = folder / "interrupted.gguf"
    run = subprocess.Popen([ENGINE, "synth", "--shape", "smollm2-1.7b", "--format", "f16", "-o", str(target)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    part, deadline = folder / "interrupted.gguf.part", time.monotonic() + 60
    while not (part.exists() and part.stat().st_size > 1 << 20) and run.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    run.send_signal(signal.SIGINT)
    code = run.wait(timeout=60)
    check("Ctrl+C ends synth and leaves nothing", code == -signal.SIGINT and not part.exists() and not target.exists(), (code, list(folder.iterdir())))


def check_speeds(model):
    common = {"seconds", "all_seconds", "gb_per_s", "gop_per_s", "share_of_roof", "roof", "roofs", "threads", "isa", "what"}
    for what in ("prefill", "decode"):
        one = bench(what, "--model", model, "-n", 8, "--depth", 16, "--repeat", 1)
        check(f"bench {what}", common | {"tokens_per_s", "n", "depth"} <= one.keys() and one["tokens_per_s"] > 0, one)
        check(f"bench {what} shares of the roof", one.get("share_of_roof") is None or one["share_of_roof"] > 0, one)
    decode = bench("decode", "--model", model, "-n", 4, "--repeat", 1)
    streamed = decode.get("gb_per_s", 0) * 1e9 * decode.get("seconds", 0) / 4
    # The cached keys and values of so few tokens are small beside the weights.
    check("a step reads the weights once", 0.97 < streamed / model.stat().st_size < 1.03, (streamed, model.stat().st_size))
    tower = bench("encode", "--shape", "clip-b-32", "--format", "q8_0", "--repeat", 1)
    # 11 blocks of 12 W^2 products per row, 50 rows, and attention; the projector to 4096.
    least = 2 * (11 * 50 * 12 * 768**2 + 49 * (768 * 4096 + 4096**2))
    done = tower.get("gop_per_s", 0) * 1e9 * tower.get("seconds", 0)
    check("bench encode counts the tower's work", common | {"views_per_s", "views"} <= tower.keys() and tower["views"] == 1 and 1 < done / least < 1.1, (tower, done / least))
    opened = bench("open", "--model", model, "--repeat", 1)
    check("bench open", {"seconds", "load_seconds", "cold_seconds", "state"} <= opened.keys() and opened["state"] == "warm" and opened["seconds"] >= opened["load_seconds"] > 0, opened)
    memory = bench("memory", "--model", model, "-n", 4, "--context", 256)
    check("bench memory", memory.get("file_bytes") == model.stat().st_size and 0.5 < memory["ratio"] < 10, memory)


def check_ops():
    names = set(re.findall(r"[a-z0-9_]+", (ROOT / "kernels/op.h").read_text().split("enum class OpId")[1].split("{")[1].split("}")[0])) - {"count"}
    everything = bench("ops", "--seconds", 0.001)
    check("bench ops covers every op", {row["op"] for row in everything.get("ops", [])} == names, everything.get("error", names))
    check("bench ops gives times and speeds", all(row["seconds"] > 0 and row["gb_per_s"] > 0 and "share_of_roof" in row for row in everything.get("ops", [{"seconds": 0}])), everything)
    code, out, err = engine("bench", "ops", "--op", "juggle")
    check("bench ops refuses an op that is not", code == 1 and "juggle" in err, err)


TINY = ROOT / "tests/fixtures/text_models/llama_formats/model.gguf"  # without a vocabulary
TINY_ANSWERING = ROOT / "tests/fixtures/transformers/llava15"


def check_device(choice, ops):
    """Every measurement on a device with memory of its own: beside what that device reaches itself."""
    for what in ("prefill", "decode"):
        one = bench(what, "--device", choice, "--model", TINY, "-n", 4, "--repeat", 1)
        check(f"bench {what} on {choice} shares of its own roof", one.get("share_of_roof") is not None and one["share_of_roof"] > 0 and one["backend"] == choice, one)
        roofs = one.get("roofs", {})
        check(f"bench {what} on {choice} names its roofs", all(roofs.get(k, 0) > 0 for k in ("read_gb_per_s", "upload_gb_per_s", "bf16_gop_per_s", "f32_gop_per_s", "int8_gop_per_s")), one)
    check(f"decode on {choice} counts against copies", "copies" in one.get("roof", {}).get("unit", ""), one)
    opened = bench("open", "--device", choice, "--model", TINY_ANSWERING, "--repeat", 1, "--context", 64)
    check(f"bench open on {choice} says how fast the weights went", opened.get("upload_gb_per_s", 0) > 0 and opened["device_bytes"] > 0 and opened["share_of_roof"] > 0 and
          opened["roof"]["gb_per_s"] == min(opened["roofs"].values()), opened)
    for op in ops:
        measured = bench("ops", "--device", choice, "--op", op, "--seconds", 0.001)
        rows = measured.get("ops", [])
        check(f"bench ops on {choice}: {op}", rows and measured["backend"] == choice and all(row["seconds"] > 0 and row["share_of_roof"] > 0 for row in rows), measured)


def check_played_device(modules):
    os.environ["LAVASCOPE_MODULES"] = modules + "/works"
    check_device("cuda", ("rms_norm", "rope_attention", "embed_rows"))
    for arguments in (("ops", "--op", "add"), ("decode", "--model", TINY, "-n", 4)):
        os.environ["LAVA_FAKE_LOSE"] = "30"
        lost = bench(*arguments, "--device", "cuda")
        check(f"bench {arguments[0]} tells that a device was lost", "stopped working" in lost.get("error", ""), lost)
        del os.environ["LAVA_FAKE_LOSE"]
    del os.environ["LAVASCOPE_MODULES"]


def check_vulkan():
    code, out, _ = engine("devices", "--json")
    if code != 0 or not any(device["choice"].startswith("vulkan") for device in json.loads(out)["devices"]):
        print("skipped: no Vulkan device here, so its measurements were not tried")
        return
    check_device("vulkan", ("rms_norm",))


def main():
    before = left_in_temporary_folder()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        model = check_synth(folder)
        check_interrupt(folder)
        check_speeds(model)
    check_ops()
    check_played_device(sys.argv[3])
    check_vulkan()
    code, out, err = engine("bench", "decode", "--shape", "clip-b-32")
    check("bench decode refuses a tower", code == 1 and "language model" in err, err)
    check("temporary models are gone", left_in_temporary_folder() <= before, left_in_temporary_folder() - before)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
