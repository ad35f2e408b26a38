"""llama-cpp-python on the same file: prefill and decode, one JSON line per measurement asked for on standard input."""
import json
import sys
import time

from llama_cpp import Llama


def main():
    model, threads = sys.argv[1], int(sys.argv[2])
    llm = Llama(model_path=model, n_ctx=2048, n_threads=threads, n_threads_batch=threads, n_batch=512, verbose=False)
    vocabulary = llm.n_vocab()
    for round_, line in enumerate(sys.stdin):
        what = json.loads(line)
        llm.reset()
        tokens = [(i * 7919 + round_ * 104729 + 11) % vocabulary for i in range(max(what.get("depth", 0), 1) if what["what"] == "decode" else what["n"])]
        start = time.perf_counter()
        llm.eval(tokens)
        if what["what"] == "decode":
            start = time.perf_counter()
            for i in range(what["n"]):
                llm.eval([100 + i])
        seconds = time.perf_counter() - start
        print(json.dumps({"seconds": seconds, "tokens_per_s": what["n"] / seconds}), flush=True)


if __name__ == "__main__":
    main()
