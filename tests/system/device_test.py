#!/usr/bin/env python3
"""Commands of lavascope-engine on a device that a module brings (tests/support/module).  usage: device_test.py ENGINE ROOT MODULES"""
import json
import os
import subprocess
import sys
import tempfile
import time

from engine_program import ENGINE, ROOT, call, check, engine, failures

MODEL = ROOT / "tests/fixtures/transformers/llava15"
os.environ["LAVASCOPE_MODULES"] = sys.argv[3] + "/works"
cache = tempfile.TemporaryDirectory()  # what is found out about devices
os.environ["XDG_CACHE_HOME"] = cache.name
TOKEN = "device-token"


def logits(*options):
    code, out, err = engine("logits", "--model", MODEL, "--prompt", "Hello", "--greedy", 12, *options)
    return json.loads(out) if code == 0 else (code, err)


def check_list():
    code, out, _ = engine("devices", "--json")
    listed = json.loads(out)
    check("devices lists them", code == 0 and [d["choice"] for d in listed["devices"]] == ["cuda:0", "cuda:1", "vulkan:0", "vulkan:1", "cpu"], out)
    code, out, _ = engine("devices")
    check("devices for people", code == 0 and "Card of cuda, 8.6 GB" in out and "played by the processor" in out, out)
    check("and what auto would take", "--device auto tries cuda:1 first" in out and listed["auto"] == "cuda:1" and listed["absent"] == [], out)
    check_list_without_modules()


def check_list_without_modules():
    modules = os.environ["LAVASCOPE_MODULES"]
    with tempfile.TemporaryDirectory() as empty:
        os.environ["LAVASCOPE_MODULES"] = empty
        code, out, _ = engine("devices", "--json")
        listed = json.loads(out)
        absent = listed["absent"]
        check("what is not installed is spoken of", code == 0 and listed["auto"] == "cpu" and len(absent) == 2 and f"lavascope-cuda.so is not in {empty}" in absent[0], out)
        code, out, _ = engine("devices")
        check("to people too", code == 0 and out.startswith("cpu ") and "The Vulkan part of the program is not installed" in out, out)
    os.environ["LAVASCOPE_MODULES"] = modules


def check_logits():
    processor = logits("--device", "cpu")
    check("logits answer", isinstance(processor, dict) and len(processor["greedy_ids"]) == 12, processor)
    check("logits without --device are the processor's", logits() == processor)
    for choice in ("auto", "cuda", "vulkan:1"):
        check(f"logits on {choice} are the processor's", logits("--device", choice) == processor)
    for layers in ("0", "1", "2", "99", "auto"):
        check(f"logits with {layers} layers on the device are the processor's", logits("--device", "cuda", "--gpu-layers", layers) == processor)
    for nonsense in ("-1", "1.5", "many"):
        code, err = logits("--device", "cuda", f"--gpu-layers={nonsense}")
        check(f"'{nonsense}' is refused as a number of layers", code != 0 and "no number of layers" in err, err)
    code, err = logits("--gpu-layers", "1")
    check("layers without a device are refused with a sentence", code != 0 and "no device for the layers" in err and "--device" in err, err)
    check("no layers need no device", logits("--gpu-layers", "0") == processor)
    code, err = logits("--device", "cuda:7")
    check("a device that is not there is refused with a sentence", code == 1 and "There is no such CUDA device" in err and "devices" in err, err)
    code, err = logits("--device", "gpu")
    check("a word that is none is refused", code != 0 and "cuda:0" in err, err)


def check_told():
    told = "1 of 2 layers are computed by Card of cuda, the others by the processor, as asked for."
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as text:
        text.write("Hello, is there anybody in there? " * 4)
        text.flush()
        for command, arguments in (("logits", ("--prompt", "Hello")), ("perplexity", ("--text", text.name, "--json"))):
            code, out, err = engine(command, "--model", MODEL, "--device", "cuda", "--gpu-layers", "1", *arguments)
            check(f"{command} tells how layers are shared, beside its JSON", code == 0 and told in err and json.loads(out), (code, out, err))
            code, out, err = engine(command, "--model", MODEL, "--device", "cuda", *arguments)
            check(f"{command} tells nothing where all is well", code == 0 and err == "", (code, err))


def serve(*options, **environment):
    server = subprocess.Popen([ENGINE, "serve", "--model", MODEL, "--port", "0", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env={**os.environ, "LAVASCOPE_TOKEN": TOKEN, **environment})
    return server, json.loads(server.stdout.readline())["listening"]


def props(server, url):
    status, found = 503, {}
    while status == 503 and server.poll() is None:
        time.sleep(0.05)
        status, found = call(url + "/props", TOKEN)
    return found


def check_untrusted():
    for fault, told in (("cuda=glu,vulkan=glu", "Card of cuda (cuda:1) computes wrong: glu"), ("cuda=crash,vulkan=crash", "Card of vulkan (vulkan:1) crashed while it was checked"),
                        ("cuda=hang,vulkan=hang", "Card of cuda (cuda:1) did not answer for 2 seconds")):
        for time_of_use in ("first", "second"):
            start = time.monotonic()
            server, url = serve(LAVA_FAKE_CARD=fault, LAVA_FAKE_DRIVER=fault, LAVASCOPE_DEVICE_CHECK_SECONDS="2" if "hang" in fault else "60")
            try:
                found = props(server, url)
                check(f"{fault}: the processor computes and it is told why, the {time_of_use} time", found.get("backend") == "cpu" and told in found.get("notice", "")
                      and found["notice"].endswith("The processor computes instead."), found)
                if "hang" in fault and time_of_use == "second":
                    check("what hung is not waited for again", time.monotonic() - start < 2, time.monotonic() - start)
            finally:
                server.terminate()
                check("it is in the log", told in server.communicate(timeout=10)[1])


def check_serve():
    server, url = serve()
    try:
        phases = set()
        while (health := call(url + "/health", TOKEN)[1]).get("status") == "loading":
            phases.add(health.get("phase"))
        check("while a card is checked that is told", "Checking the graphics card once" in phases, phases)
        found = props(server, url)
        check("serve takes the best device", found.get("device") == "Card of cuda" and found.get("backend") == "cuda" and found.get("notice") == "", found)
    finally:
        server.terminate()
        server.wait(10)
    server, url = serve("--gpu-layers", "1")
    try:
        found = props(server, url)
        told = "1 of 2 layers are computed by Card of cuda, the others by the processor, as asked for."
        check("layers on two devices are told", found.get("notice") == told and found.get("layers") == {"all": 2, "device": 1} and found.get("backend") == "cuda", found)
    finally:
        server.terminate()
        check("they are in the log", told in server.communicate(timeout=10)[1])
    server, url = serve(LAVA_FAKE_DEVICES="unopened")
    try:
        found = props(server, url)
        check("serve falls back and says so", found.get("backend") == "cpu" and "The card is full" in found.get("notice", ""), found)
    finally:
        server.terminate()
        check("the notice is in the log", "The processor computes instead" in server.communicate(timeout=10)[1])


def check_loss():
    question = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 200, "temperature": 0}
    server, url = serve(LAVA_FAKE_LOSE="2000")
    try:
        props(server, url)
        status, answer = 200, {}
        while status == 200:
            status, answer = call(url + "/v1/chat/completions", TOKEN, question)
        check("a lost device is told", answer.get("error", {}).get("code") == "device_lost", (status, answer))
        check("and the engine ends in its own way", server.wait(10) == 75, server.returncode)
    finally:
        server.kill()
        server.wait()


check_list()
check_serve()
check_logits()
check_told()
check_untrusted()
check_loss()
sys.exit(1 if failures else 0)
