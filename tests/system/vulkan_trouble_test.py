#!/usr/bin/env python3
"""lavascope-engine on Vulkan when the driver refuses (tests/vulkan/loader).  usage: vulkan_trouble_test.py ENGINE ROOT LOADER_FOLDER"""
import json
import os
import re
import subprocess
import sys
import time

from engine_program import ENGINE, ROOT, call, check, engine, failures

MODEL = ROOT / "tests/fixtures/transformers/llava15"
TOKEN = "vulkan-token"
QUESTION = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 12, "temperature": 0}


def environment(trouble):
    return {**os.environ, "LAVASCOPE_TOKEN": TOKEN, "LD_LIBRARY_PATH": sys.argv[3], "LAVA_LOADER_TROUBLE": trouble}


class Serving:
    def __init__(self, trouble):
        self.process = subprocess.Popen([ENGINE, "serve", "--model", MODEL, "--port", "0", "--device", "vulkan"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True, env=environment(trouble))
        self.url = json.loads(self.process.stdout.readline())["listening"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def props(self):
        status, found = 503, {}
        while status == 503 and found.get("error", {}).get("code", "busy") == "busy" and self.process.poll() is None:
            time.sleep(0.05)
            status, found = self.call("/props")
        return found

    def call(self, path, body=None):
        try:
            return call(self.url + path, TOKEN, body)
        except OSError as error:  # the engine is gone
            return 0, {"gone": str(error)}

    def ask(self):
        return self.call("/v1/chat/completions", QUESTION)


def check_loss():
    """Early, while loading, and late: the loss is told or the engine is gone by then; its exit status says it either way."""
    for at in (3, 30, 120):
        with Serving(f"lost:{at}") as server:
            server.props()
            status, answer = 200, {}
            asked = time.monotonic()
            while status == 200 and time.monotonic() < asked + 120:
                status, answer = server.ask()
            check(f"loss at call {at} is told", status == 0 or answer.get("error", {}).get("code") == "device_lost", (status, answer))
            try:
                check(f"loss at call {at}: the exit status says it", server.process.wait(30) == 75, server.process.returncode)
            except subprocess.TimeoutExpired:
                check(f"loss at call {at}: the engine ends", False)


def check_memory(answer):
    """No memory is given from one allocation on: the device does not open, or the model runs elsewhere and says so, or a question is refused with a
    sentence, or all fitted."""
    seen = []
    while len(seen) < 200 and seen[-1:] != ["answered"]:
        name = f"memory ends at allocation {len(seen)}"
        with Serving(f"full:{len(seen)}+") as server:
            found = server.props()
            error = found.get("error", {})
            if error:
                check(name + " is refused with a sentence", error["code"] == "out_of_memory" and "not enough memory" in error["message"], found)
                seen.append("refused")
                continue
            status, said = server.ask()
            if status == 200:
                check(name + ": the answer is the same", said["choices"][0]["message"] == answer, (found, said))
                seen.append("said" if found["notice"] else "answered")
                check(name + ": a known sentence", not found["notice"] or "computes instead" in found["notice"] or "nearly full" in found["notice"] or " layers" in found["notice"], found)
            else:
                check(name + ": the question is refused with a sentence", said["error"]["code"] == "out_of_memory" and not found["notice"], (found, said))
                seen.append("question refused")
    check("from no device to one that answers", seen[0] == "refused" and "said" in seen and seen[-1] == "answered", seen)


def main():
    code, _, err = engine("logits", "--model", MODEL, "--prompt", "Hello", "--device", "vulkan")
    if code != 0 and re.search("no Vulkan device|no driver is installed|Vulkan is not installed", err):
        print(err.strip())
        return 77
    with Serving("") as server:
        server.props()
        status, said = server.ask()
    check("without trouble there is an answer", status == 200, said)
    if status == 200:
        check_memory(said["choices"][0]["message"])
        check_loss()
    print(f"{len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
