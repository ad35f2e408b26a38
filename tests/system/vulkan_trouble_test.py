#!/usr/bin/env python3
"""lavascope-engine on Vulkan when the driver refuses (tests/vulkan/loader).  usage: vulkan_trouble_test.py ENGINE ROOT LOADER_FOLDER"""
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request

from engine_program import ENGINE, ROOT, check, engine, failures

MODEL = ROOT / "tests/fixtures/transformers/llava15"
TOKEN = "vulkan-token"
QUESTION = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 12, "temperature": 0}


def environment(trouble):
    return {**os.environ, "LAVASCOPE_TOKEN": TOKEN, "LD_LIBRARY_PATH": sys.argv[3], "LAVA_LOADER_TROUBLE": trouble}


def call(url, body=None):
    request = urllib.request.Request(url, data=body and json.dumps(body).encode(), headers={"Authorization": "Bearer " + TOKEN})
    try:
        with urllib.request.urlopen(request, timeout=120) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
    except OSError as error:  # the engine is gone
        return 0, {"gone": str(error)}


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
        while status == 503 and found.get("error", {}).get("code") != "device_lost" and self.process.poll() is None:
            time.sleep(0.05)
            status, found = call(self.url + "/props")
        return found

    def ask(self):
        return call(self.url + "/v1/chat/completions", QUESTION)


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


def sentences(notice):
    smaller = re.search(r"The memory of .+ is nearly full: prompts are read \d+ tokens at a time\.", notice)
    processor = re.search(r"The memory of .+ is too small for this model: the processor computes instead\.", notice)
    return "pieces" if smaller else "processor" if processor else "none" if not notice else "unknown"


def check_memory(answer):
    """No memory is given from one allocation on: the device does not open, or the model runs somewhere and says where, or all fitted."""
    seen = []
    while len(seen) < 200 and seen[-1:] != ["none"]:
        name = f"memory ends at allocation {len(seen)}"
        with Serving(f"full:{len(seen)}+") as server:
            found = server.props()
            if "notice" not in found:
                server.process.wait(30)
                told = server.process.stderr.read().strip().splitlines()[-1:]
                check(name + " is refused with a sentence", server.process.returncode == 1 and told and "not enough memory" in told[0], (server.process.returncode, told, found))
                seen.append("refused")
                continue
            seen.append(sentences(found["notice"]))
            status, said = server.ask()
            check(name + ": the answer is the same, with a known sentence", status == 200 and said["choices"][0]["message"] == answer and seen[-1] != "unknown", (found, said))
    check("every step of the ladder is met", {"refused", "processor", "pieces", "none"} <= set(seen), seen)


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
