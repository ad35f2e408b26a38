"""How far quantised arithmetic is from exact arithmetic on the same file: ours, and llama-cpp-python's.

usage: kl.py [--engine FILE] [--threads N] [--windows N] [--chunk N] [--work FOLDER] --text FILE... --models FILE...

Per file, over the second halves of windows of 512 tokens: perplexity, and the Kullback-Leibler divergence of the next-token distribution from ours in exact
arithmetic (nats). Both programs read the same token ids. --chunk 1: token by token, as an answer is written. Runs in a Python that has llama-cpp-python 0.3.36
(tests/bench/requirements.txt); needs about 1 GB in --work for a vocabulary of 50,000.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import llama_cpp
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
WINDOW, UNSCORED = 512, 256


def engine(arguments, *words):
    done = subprocess.run([arguments.engine, *map(str, words)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"lavascope-engine {' '.join(map(str, words))} failed: {done.stderr.strip()}")
    return json.loads(done.stdout)


def windows_of(arguments, model, text, bos):
    ids = engine(arguments, "tokenize", "--model", model, "--file", text, "--json")["ids"][: arguments.windows * WINDOW]
    windows = [ids[i : i + WINDOW] for i in range(0, len(ids) - WINDOW + 1, WINDOW)]
    return windows if bos is None else [[bos] + window[1:] for window in windows]


def log_softmax(logits):
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


class Gaps:
    """Of one program's logits from the reference's, window by window."""

    def __init__(self):
        self.divergence, self.same, self.surprisal = [], [], []

    def add(self, log_p, p, logits, window):
        q = log_softmax(logits)
        self.divergence.append((p * (log_p - q)).sum(axis=-1))
        self.same.append(p.argmax(axis=-1) == q.argmax(axis=-1))
        following = np.asarray(window[UNSCORED + 1 :])
        self.surprisal.append(-q[np.arange(len(following)), following])

    def summary(self):
        divergence = np.concatenate(self.divergence)
        return {
            "scored": len(divergence),
            "perplexity": float(np.exp(np.concatenate(self.surprisal).mean())),
            "mean": float(divergence.mean()),
            "median": float(np.median(divergence)),
            "p99": float(np.quantile(divergence, 0.99)),
            "largest": float(divergence.max()),
            "same_best": float(np.concatenate(self.same).mean()),
        }


def peer_logits(arguments, model, windows):
    llm = llama_cpp.Llama(model_path=str(model), n_ctx=WINDOW, n_batch=arguments.chunk, n_ubatch=arguments.chunk, n_threads=arguments.threads,
                          n_threads_batch=arguments.threads, logits_all=True, verbose=False)
    for window in windows:
        llm.reset()
        llm.eval(window[:-1])
        yield np.array(llm.scores[UNSCORED : WINDOW - 1])


def compare(arguments, model, text):
    ours = {}
    for arithmetic in ("exact", "fast"):
        file = arguments.work / f"{arithmetic}.npy"
        words = ["perplexity", "--model", model, "--text", text, "--tokens", arguments.windows * WINDOW, f"--{arithmetic}", "--logits", file, "--json"]
        words += ["--threads", arguments.threads, "--window", WINDOW, "--unscored", UNSCORED]
        said = engine(arguments, *words, *(["--chunk", arguments.chunk] if arithmetic == "fast" else []))
        ours[arithmetic] = np.load(file, mmap_mode="r"), said
    windows = windows_of(arguments, model, text, ours["exact"][1]["bos"])
    rows = WINDOW - 1 - UNSCORED
    gaps = {"exact": Gaps(), "ours": Gaps(), "llama-cpp-python": Gaps()}
    for i, (window, peer) in enumerate(zip(windows, peer_logits(arguments, model, windows), strict=True)):
        exact, fast = (ours[arithmetic][0][i * rows : (i + 1) * rows] for arithmetic in ("exact", "fast"))
        log_p = log_softmax(exact)
        for name, logits in (("exact", exact), ("ours", fast), ("llama-cpp-python", peer)):
            gaps[name].add(log_p, np.exp(log_p), logits, window)
    result = {name: gap.summary() for name, gap in gaps.items()}
    for name, said in (("exact", ours["exact"][1]), ("ours", ours["fast"][1])):  # two programs, one perplexity: the ids and positions are the same
        if abs(said["perplexity"] / result[name]["perplexity"] - 1) > 1e-6:
            sys.exit(f"lavascope-engine says perplexity {said['perplexity']}, its logits say {result[name]['perplexity']}")
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", default=ROOT / "build/release/bin/lavascope-engine", type=pathlib.Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--windows", type=int, default=8)
    parser.add_argument("--chunk", type=int, default=256)
    parser.add_argument("--work", type=pathlib.Path)
    parser.add_argument("--text", nargs="+", type=pathlib.Path, required=True)
    parser.add_argument("--models", nargs="+", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.work) as folder:
        arguments.work = pathlib.Path(folder)
        text = arguments.work / "text.txt"
        text.write_text("\n".join(file.read_text() for file in arguments.text))
        print("| file | arithmetic | perplexity | mean KL | median | 99 % | largest | same best |\n|---|---|---|---|---|---|---|---|")
        for model in arguments.models:
            for name, one in compare(arguments, model, text).items():
                print(f"| {model.stem} | {name} | {one['perplexity']:.4f} | {one['mean']:.2e} | {one['median']:.2e} | {one['p99']:.2e} | {one['largest']:.2e} "
                      f"| {100 * one['same_best']:.2f} % |", flush=True)


if __name__ == "__main__":
    main()
