#!/usr/bin/env python3
"""Measures this machine: ours, and with --peers llama-cpp-python in turn (A B A B) on the same files with the same threads.

usage: bench.py [--peers] [--pairs N] [--threads N] [--models FILE ...] [--shapes NAME:FORMAT ...] [--no-window] [--json] [--write FILE]

Ratios above 1: ours is faster, or takes less. With --peers the part of docs/benchmarks.md between its marks is written anew (--write: of another file;
--write - : of none). Shapes are random weights (lavascope-engine synth) in build/bench-models, removed afterwards.
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys

from report import Report, span

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = ROOT / "build/release/bin"
MADE = ROOT / "build/bench-models"
PICTURE = ROOT / "resources/demo/cat.png"
PEER_PYTHON = ROOT / "build/python-bench/bin/python"
SHAPES = ["tinyllama-1.1b:q4_0", "tinyllama-1.1b:q4_k", "tinyllama-1.1b:bf16", "clip-l-336:bf16", "clip-l-336:f16", "llava-1.5-7b:q4_0"]
SEEING = {"tinyllama-1.1b": 2048, "llava-1.5-7b": 4096}  # given a tower, with the width of their rows


def base_model():
    base = os.environ.get("LAVASCOPE_MODELS") or pathlib.Path(os.environ.get("XDG_DATA_HOME") or pathlib.Path.home() / ".local/share") / "lavascope/models"
    return pathlib.Path(base) / "smollm2-135m-instruct-q4_1/SmolLM2-135M-Instruct.Q4_1.gguf"


def engine(*arguments):
    done = subprocess.run([BIN / "lavascope-engine", *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"lavascope-engine {' '.join(map(str, arguments))} failed: {done.stderr.strip()}")
    return done.stdout


def ours(*arguments):
    return json.loads(engine("bench", *arguments, "--json").strip().splitlines()[-1])


class Peer:
    def __init__(self, arguments, *files):
        command = [arguments.peer_python, pathlib.Path(__file__).parent / "peer.py", files[0], str(arguments.threads), *files[1:]]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.opened = self.line()

    def line(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit("llama-cpp-python ended. Run ./dev bench --peers again; if it stays so, remove build/python-bench.")
        return json.loads(line)

    def ask(self, what, n=0, depth=0):
        self.process.stdin.write(json.dumps({"what": what, "n": n, "depth": depth}) + "\n")
        self.process.stdin.flush()
        return self.line()

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)


def compare_text(name, model, arguments, report):
    """Speed in turn; the peer keeps its model loaded, ours loads it every time before the clock runs."""
    peer = Peer(arguments, model) if arguments.peers else None
    if peer:
        peer.ask("prefill", 64)  # warm
    large = model.stat().st_size > 3e9
    steps = 24 if large else 64 if model.stat().st_size > 3e8 else 128
    prompt, depth_of = (576, 640) if large else (512, 512)  # a picture of LLaVA-1.5; after it and a question
    for what, n, depth in (("prefill", prompt, 0), ("decode", steps, 0), ("decode", steps, depth_of)):
        our, their, shares, reads = [], [], [], []
        for _ in range(arguments.pairs):
            one = ours(what, "--model", model, "-n", n, "--depth", depth, "--threads", arguments.threads, "--repeat", 1)
            our.append(one["tokens_per_s"])
            shares.append(one["share_of_roof"])
            reads.append(one["roofs"]["read_gb_per_s"])
            if peer:
                their.append(peer.ask(what, n, depth)["tokens_per_s"])
        title = f"{what} {n}" + (f" at depth {depth}" if depth else "")
        report.add(name, title, "tokens/s", our, their, shares, reads)
    if peer:
        peer.close()


def compare_one_thread(name, model, arguments, report):
    one = argparse.Namespace(**{**vars(arguments), "threads": 1})
    peer = Peer(one, model) if arguments.peers else None
    our, their, shares, reads = [], [], [], []
    for _ in range(arguments.pairs):
        ran = ours("decode", "--model", model, "-n", 48, "--threads", 1, "--repeat", 1)
        our.append(ran["tokens_per_s"])
        shares.append(ran["share_of_roof"])
        reads.append(ran["roofs"]["read_gb_per_s"])
        if peer:
            their.append(peer.ask("decode", 48)["tokens_per_s"])
    if peer:
        peer.close()
    report.add(name, "decode 48, one thread", "tokens/s", our, their, shares, reads)


def compare_picture(name, shape, width, model, arguments, report):
    """From a picture to the first token, and a second question about it. The peer's time is its tower's and that of as many rows of prompt."""
    mmproj = model.parent / f"mmproj-{shape}-f16.gguf"
    engine("synth", "--shape", "clip-l-336", "--format", "f16", "--text-width", width, "-o", mmproj)
    peer = Peer(arguments, model, mmproj, PICTURE) if arguments.peers else None
    our, again, their = [], [], []
    for _ in range(arguments.pairs):
        one = ours("ttft", "--model", model, "--image", PICTURE, "--context", 2048, "--threads", arguments.threads, "--repeat", 1)
        our.append(one["seconds"])
        again.append(one["second_question_seconds"] / one["seconds"])
        if peer:
            their.append(peer.ask("encode")["seconds"] + peer.ask("prefill", one["n"])["seconds"])
    if peer:
        peer.close()
    report.add(name, "picture to first token", "s", our, their, less=True, digits=2)
    report.add(name, "second question about it / first", "", again, [], less=True, digits=3)
    mmproj.unlink()


def compare_opening(name, model, arguments, report):
    """A new process each time, files in the page cache: seconds to the first token, and the most memory beside the size of the files."""
    our, their, our_memory, their_memory = [], [], [], []
    size = model.stat().st_size
    for _ in range(arguments.pairs):
        our.append(ours("open", "--model", model, "--context", 2048, "--threads", arguments.threads, "--repeat", 1)["seconds"])
        our_memory.append(ours("memory", "--model", model, "--context", 2048, "--threads", arguments.threads)["ratio"])
        if arguments.peers:
            peer = Peer(arguments, model)
            their.append(peer.opened["seconds"])
            their_memory.append(peer.ask("memory")["peak_bytes"] / size)
            peer.close()
    report.add(name, "open, warm", "s", our, their, less=True, digits=3)
    report.add(name, "memory to the first tokens / file", "", our_memory, their_memory, less=True, digits=2)


def compare_tower(name, shape, number_format, arguments, report):
    """The peer wants a language model beside the projector: the base model, whose width the projector gets."""
    mmproj = MADE / f"mmproj-{shape}-{number_format}.gguf"
    engine("synth", "--shape", shape, "--format", number_format, "--text-width", 576, "-o", mmproj)
    peer = Peer(arguments, base_model(), mmproj, PICTURE) if arguments.peers else None
    precisions = {"auto": "a picture through tower and projector", "int8": "the same in 8 bits"}
    our, shares, their = {p: [] for p in precisions}, {p: [] for p in precisions}, []
    for i in range(arguments.pairs + 1):  # the first is warm-up
        for precision in precisions:
            one = ours("encode", "--model", mmproj, "--image", PICTURE, "--threads", arguments.threads, "--repeat", 1, "--vision-precision", precision)
            if i > 0:
                our[precision].append(1e3 * one["seconds"])
                shares[precision].append(one["share_of_roof"])
        theirs = peer.ask("encode")["seconds"] if peer else 0
        if i > 0 and peer:
            their.append(1e3 * theirs)
    if peer:
        peer.close()
    for precision, title in precisions.items():
        report.add(name, title, "ms", our[precision], their, shares[precision], less=True)
    mmproj.unlink()


def measure_default_model(arguments, report):
    """The peer has no such model and no detector."""
    picture = [1e3 * ours("ttft", "--model", "default", "--image", PICTURE, "--threads", arguments.threads, "--repeat", 1)["seconds"] for _ in range(arguments.pairs)]
    report.add("the default model", "picture to first token", "ms", picture, [], less=True)
    detector = [1e3 * ours("detect", "--image", PICTURE, "--threads", arguments.threads, "--repeat", 3)["seconds"] for _ in range(arguments.pairs)]
    report.add("the default model", "detector alone", "ms", detector, [], less=True)


def first_frame(program, display):
    done = subprocess.run([program], env={**os.environ, "DISPLAY": display, "LAVASCOPE_PRINT_FIRST_FRAME": "1"}, capture_output=True, text=True, timeout=60, check=False)
    numbers = [float(word) for line in done.stdout.splitlines() for word in line.split() if word.replace(".", "", 1).isdigit()]
    if not numbers:
        sys.exit(f"{program} printed no time: {done.stderr.strip()[-300:]}")
    return numbers[-1]


def compare_window(arguments, report):
    """First frame against a bare Qt Quick window, on a virtual screen."""
    window, bare = BIN / "lavascope", BIN / "lavascope-bare-window"
    if not bare.exists() or not window.exists() or not shutil.which("Xvfb"):
        return
    display = ":97"
    screen = subprocess.Popen(["Xvfb", display, "-screen", "0", "1456x900x24"], stderr=subprocess.DEVNULL)
    try:
        for program in (window, bare):
            first_frame(program, display)
        our, their = [], []
        for _ in range(arguments.pairs):
            our.append(first_frame(window, display))
            their.append(first_frame(bare, display))
    finally:
        screen.terminate()
    report.add("the window", "first frame; beside a bare Qt Quick window", "ms", our, their, less=True)


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", action="store_true", help="llama-cpp-python in turn, and write docs/benchmarks.md")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--models", nargs="*", type=pathlib.Path, default=None, help="GGUF language models (the base model)")
    parser.add_argument("--shapes", nargs="*", default=None, metavar="NAME:FORMAT", help=f"random weights (with --peers: {' '.join(SHAPES)})")
    parser.add_argument("--no-window", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", default=None, metavar="FILE")
    parser.add_argument("--peer-python", default=PEER_PYTHON, type=pathlib.Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.pairs < 1 or arguments.threads < 1:
        parser.error("--pairs and --threads are at least 1")
    arguments.models = [base_model()] if arguments.models is None else arguments.models
    arguments.shapes = (SHAPES if arguments.peers else []) if arguments.shapes is None else arguments.shapes
    for shape in arguments.shapes:
        if shape.count(":") != 1:
            parser.error(f"{shape} is not NAME:FORMAT")
    for model in arguments.models:
        if not model.is_file():
            parser.error(f"there is no file {model}")
    return arguments


def measure_shape(shape, arguments, report):
    name, number_format = shape.split(":")
    title = f"{name} {number_format.upper()}, random weights"
    MADE.mkdir(parents=True, exist_ok=True)
    if name.startswith(("clip", "siglip")):
        return compare_tower(title, name, number_format, arguments, report)
    model = MADE / f"{name}-{number_format}.gguf"
    engine("synth", "--shape", name, "--format", number_format, "-o", model)
    compare_text(title, model, arguments, report)
    if name.startswith("tinyllama") and number_format == "q4_0":
        compare_one_thread(title, model, arguments, report)
    compare_opening(title, model, arguments, report)
    if number_format == "q4_0" and name in SEEING:
        compare_picture(f"{title} and CLIP-L/336 F16", name, SEEING[name], model, arguments, report)
    model.unlink()


def main():
    arguments = parsed()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    report = Report(arguments, ROOT)
    print(report.head(), flush=True)
    try:
        for model in arguments.models:
            compare_text(model.stem, model, arguments, report)
            compare_opening(model.stem, model, arguments, report)
        for shape in arguments.shapes:
            measure_shape(shape, arguments, report)
    finally:
        shutil.rmtree(MADE, ignore_errors=True)
    measure_default_model(arguments, report)
    if not arguments.no_window:
        compare_window(arguments, report)
    if arguments.json:
        print(json.dumps(report.rows))
    target = arguments.write or (ROOT / "docs/benchmarks.md" if arguments.peers else "-")
    if str(target) != "-":
        report.write(pathlib.Path(target))


if __name__ == "__main__":
    main()
