#!/usr/bin/env python3
"""Measures this machine: ours and llama-cpp-python in turn (A B A B), same file, same threads. Ratios above 1: ours is faster.

usage: bench.py [--pairs N] [--threads N] [--no-window] [--json]
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = ROOT / "build/release/bin"


def model_file():
    base = os.environ.get("LAVASCOPE_MODELS") or pathlib.Path(os.environ.get("XDG_DATA_HOME") or pathlib.Path.home() / ".local/share") / "lavascope/models"
    return pathlib.Path(base) / "smollm2-135m-instruct-q4_1/SmolLM2-135M-Instruct.Q4_1.gguf"


def ours(*arguments):
    done = subprocess.run([BIN / "lavascope-engine", "bench", *map(str, arguments), "--json"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"lavascope-engine bench {' '.join(map(str, arguments))} failed: {done.stderr.strip()}")
    return json.loads(done.stdout.strip().splitlines()[-1])


class Peer:
    def __init__(self, model, threads):
        self.process = subprocess.Popen([sys.executable, pathlib.Path(__file__).parent / "peer.py", model, str(threads)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.ask("prefill", 64)  # warm

    def ask(self, what, n, depth=0):
        self.process.stdin.write(json.dumps({"what": what, "n": n, "depth": depth}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit("llama-cpp-python ended. Run ./dev bench again; if it stays so, remove build/python-bench.")
        return json.loads(line)["seconds"]


def span(values, digits=1):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def report(name, unit, our, their, ratios, rows):
    rows.append({"what": name, "unit": unit, "ours": our, "peer": their, "ratio": statistics.median(ratios), "ratios": ratios})
    print(f"{name:34s} ours {span(our):26s} peer {span(their):26s} {unit:9s} ratio {statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})", flush=True)


def compare_text(model, peer, arguments, rows):
    for name, what, n, depth in (("prefill 512", "prefill", 512, 0), ("decode 128", "decode", 128, 0), ("decode 128 at depth 512", "decode", 128, 512)):
        our, their = [], []
        for _ in range(arguments.pairs):
            our.append(ours(what, "--model", model, "-n", n, "--depth", depth, "--threads", arguments.threads, "--repeat", 1)["tokens_per_s"])
            their.append(n / peer.ask(what, n, depth))
        report(name, "tokens/s", our, their, [a / b for a, b in zip(our, their)], rows)


def compare_picture(peer, arguments, rows):
    """The peer has no such model: it gets as many text rows as the picture and its question are, and encodes nothing."""
    our, their = [], []
    for _ in range(arguments.pairs):
        one = ours("ttft", "--model", "default", "--image", ROOT / "resources/demo/cat.png", "--threads", arguments.threads, "--repeat", 1)
        our.append(1e3 * one["seconds"])
        their.append(1e3 * peer.ask("prefill", one["n"]))
    report("picture to first token", "ms", our, their, [b / a for a, b in zip(our, their)], rows)


def measure_detector(arguments, rows):
    """Alone: the peer has no detector."""
    runs = [ours("detect", "--image", ROOT / "resources/demo/cat.png", "--threads", arguments.threads, "--repeat", 3) for _ in range(arguments.pairs)]
    our, processor = [1e3 * run["seconds"] for run in runs], [1e3 * run["cpu_seconds"] for run in runs]
    rows.append({"what": "detect", "unit": "ms", "ours": our, "processor": processor})
    print(f"{'objects of a picture':34s} ours {span(our):26s} ms, processor time {span(processor)}", flush=True)


def first_frame(program, display):
    done = subprocess.run([program], env={**os.environ, "DISPLAY": display, "LAVASCOPE_PRINT_FIRST_FRAME": "1"}, capture_output=True, text=True, timeout=60, check=False)
    numbers = [float(word) for line in done.stdout.splitlines() for word in line.split() if word.replace(".", "", 1).isdigit()]
    if not numbers:
        sys.exit(f"{program} printed no time: {done.stderr.strip()[-300:]}")
    return numbers[-1]


def compare_window(arguments, rows):
    """First frame against a bare Qt Quick window, on a virtual screen."""
    bare = BIN / "lavascope-bare-window"
    if not bare.exists():
        return
    display = ":97"
    screen = subprocess.Popen(["Xvfb", display, "-screen", "0", "1456x900x24"], stderr=subprocess.DEVNULL)
    try:
        for program in (BIN / "lavascope", bare):
            first_frame(program, display)
        our, their = [], []
        for _ in range(arguments.pairs):
            our.append(first_frame(BIN / "lavascope", display))
            their.append(first_frame(bare, display))
    finally:
        screen.terminate()
    ratios = [a / b for a, b in zip(our, their)]
    rows.append({"what": "first frame", "unit": "ms", "ours": our, "peer": their, "ratio": statistics.median(ratios), "ratios": ratios})
    print(f"{'first frame':34s} ours {span(our):26s} bare {span(their):26s} {'ms':9s} {statistics.median(ratios):.2f} times a bare window", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--no-window", action="store_true")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = []
    peer = Peer(model_file(), arguments.threads)
    print(f"{arguments.pairs} pairs, {arguments.threads} threads, {model_file().name}; median (range)")
    compare_text(model_file(), peer, arguments, rows)
    compare_picture(peer, arguments, rows)
    measure_detector(arguments, rows)
    peer.process.terminate()
    if not arguments.no_window:
        compare_window(arguments, rows)
    if arguments.json:
        print(json.dumps(rows))


if __name__ == "__main__":
    main()
