"""llama-cpp-python on the same files: one JSON line per measurement asked for on standard input; the first line says what opening took.

usage: peer.py MODEL THREADS [MMPROJ PICTURE]
"""
import ctypes
import json
import pathlib
import sys
import time

import llama_cpp
from llama_cpp import Llama


def status(key):
    """Bytes of a line of /proc/self/status."""
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return 1024 * int(line.split()[1])
    return 0


class Tower:
    """The vision half of libmtmd, without its language model's part."""

    def __init__(self, llm, mmproj, picture, threads):
        from llama_cpp import mtmd_cpp as mtmd

        self.mtmd = mtmd
        parameters = mtmd.mtmd_context_params_default()
        parameters.use_gpu, parameters.print_timings, parameters.n_threads, parameters.warmup = False, False, threads, False
        self.context = mtmd.mtmd_init_from_file(str(mmproj).encode(), llm.model, parameters)
        if not self.context:
            sys.exit("libmtmd does not load the projector file")
        data = bytearray(pathlib.Path(picture).read_bytes())
        bitmap = mtmd.mtmd_helper_bitmap_init_from_buf(self.context, (ctypes.c_uint8 * len(data)).from_buffer(data), len(data), False)
        text = mtmd.mtmd_input_text()
        marker = mtmd.mtmd_default_marker()
        text.text, text.text_len, text.add_special, text.parse_special = marker, len(marker), True, True
        chunks = mtmd.mtmd_input_chunks_init()
        if mtmd.mtmd_tokenize(self.context, chunks, ctypes.byref(text), (mtmd.mtmd_bitmap_p_ctypes * 1)(bitmap), 1) != 0:
            sys.exit("libmtmd does not take the picture")
        all_chunks = [mtmd.mtmd_input_chunks_get(chunks, i) for i in range(mtmd.mtmd_input_chunks_size(chunks))]
        self.pictures = [chunk for chunk in all_chunks if mtmd.mtmd_input_chunk_get_type(chunk) == mtmd.MTMD_INPUT_CHUNK_TYPE_IMAGE]
        self.tokens = sum(mtmd.mtmd_input_chunk_get_n_tokens(chunk) for chunk in self.pictures)

    def encode(self):
        start = time.perf_counter()
        for chunk in self.pictures:
            if self.mtmd.mtmd_encode_chunk(self.context, chunk) != 0:
                sys.exit("libmtmd does not encode the picture")
        return {"seconds": time.perf_counter() - start, "tokens": self.tokens}


def run_text(llm, what, round_):
    vocabulary = llm.n_vocab()
    decode, depth = what["what"] == "decode", what.get("depth", 0)
    ids = lambda count: [(i * 7919 + round_ * 104729 + 11) % vocabulary for i in range(count)]
    llm.reset()
    if decode:
        llm.eval(ids(max(depth, 1)))
        start = time.perf_counter()
        for i in range(what["n"]):
            llm.eval([100 + i % 100])
    else:
        start = time.perf_counter()
        llm.eval(ids(what["n"]))
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "tokens_per_s": what["n"] / seconds}


def main():
    model, threads = sys.argv[1], int(sys.argv[2])
    before, start = status("VmRSS:"), time.perf_counter()
    llm = Llama(model_path=model, n_ctx=2048, n_threads=threads, n_threads_batch=threads, n_batch=512, verbose=False)
    llm.eval([1])
    opened = {"seconds": time.perf_counter() - start, "version": llama_cpp.__version__}
    tower = Tower(llm, sys.argv[3], sys.argv[4], threads) if len(sys.argv) > 3 else None
    print(json.dumps(opened), flush=True)
    for round_, line in enumerate(sys.stdin):
        what = json.loads(line)
        if what["what"] == "memory":  # what the interpreter held before is not the model's
            answer = {"peak_bytes": status("VmHWM:") - before}
        elif what["what"] == "encode":
            answer = tower.encode()
        else:
            answer = run_text(llm, what, round_)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
