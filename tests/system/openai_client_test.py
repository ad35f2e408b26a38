#!/usr/bin/env python3
"""Drives `lavascope-engine serve` with the real OpenAI client.  usage: openai_client_test.py ENGINE MODEL PICTURE [--text-only]"""
import base64
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request

import openai

ENGINE, MODEL, PICTURE = sys.argv[1:4]
TEXT_ONLY = "--text-only" in sys.argv
TOKEN = "token-of-the-test"
failures = []


def check(name, ok, detail=""):
    print(("ok    " if ok else "FAILED") + " " + name + (f": {detail}" if not ok else ""), flush=True)
    if not ok:
        failures.append(name)


def expect_error(name, kinds, call, *words):
    try:
        call()
    except kinds as error:
        text = str(error)
        check(name, all(word in text for word in words), text)
    else:
        check(name, False, "no error")


def wait_ready(url):
    for _ in range(1200):
        try:
            with urllib.request.urlopen(url + "/health", timeout=10) as answer:
                return json.load(answer)["status"] == "ok"
        except urllib.error.HTTPError as error:
            body = json.load(error)
            if body["status"] == "error":
                print(body, file=sys.stderr)
                return False
        time.sleep(0.1)
    return False


def data_url(path):
    with open(path, "rb") as file:
        return "data:image/png;base64," + base64.b64encode(file.read()).decode()


def picture_message(text):
    return {"role": "user", "content": [{"type": "image_url", "image_url": {"url": data_url(PICTURE)}}, {"type": "text", "text": text}]}


def text_checks(client, model):
    hello = [{"role": "user", "content": "Say hello."}]
    whole = client.chat.completions.create(model=model, messages=hello, max_tokens=12, temperature=0)
    check("a whole answer", bool(whole.choices[0].message.content) and whole.usage.completion_tokens <= 12)
    check("finish reason", whole.choices[0].finish_reason in ("stop", "length"))
    stream = client.chat.completions.create(model=model, messages=hello, max_tokens=12, temperature=0, stream=True, stream_options={"include_usage": True})
    text, usage = "", None
    for chunk in stream:
        usage = chunk.usage or usage
        if chunk.choices and chunk.choices[0].delta.content:
            text += chunk.choices[0].delta.content
    check("stream equals whole", text == whole.choices[0].message.content, repr((text, whole.choices[0].message.content)))
    check("usage in the stream", usage is not None and usage.completion_tokens == whole.usage.completion_tokens)
    one = client.chat.completions.create(model=model, messages=hello, max_tokens=12, temperature=1, seed=7)
    two = client.chat.completions.create(model=model, messages=hello, max_tokens=12, temperature=1, seed=7)
    check("a seed repeats", one.choices[0].message.content == two.choices[0].message.content)
    logs = client.chat.completions.create(model=model, messages=hello, max_tokens=3, temperature=0, logprobs=True, top_logprobs=5)
    tokens = logs.choices[0].logprobs.content
    check("log-probabilities", tokens and all(t.logprob <= 0 and len(t.top_logprobs) == 5 for t in tokens))
    check("greedy takes the best", all(abs(t.logprob - t.top_logprobs[0].logprob) < 1e-5 for t in tokens))
    full = client.chat.completions.create(model=model, messages=hello, max_tokens=40, temperature=0).choices[0].message.content
    if len(full) > 8:
        cut = client.chat.completions.create(model=model, messages=hello, max_tokens=40, temperature=0, stop=[full[4:7]])
        check("stop string", cut.choices[0].message.content == full[:full.index(full[4:7])], repr((full, cut.choices[0].message.content)))
        check("stop gives its reason", cut.choices[0].finish_reason == "stop")


def error_checks(client, model, url):
    expect_error("a wrong model is named", openai.NotFoundError, lambda: client.chat.completions.create(model="nope", messages=[{"role": "user", "content": "x"}]), "nope")
    expect_error("a bad temperature is named", openai.BadRequestError,
                 lambda: client.chat.completions.create(model=model, messages=[{"role": "user", "content": "x"}], temperature=99), "temperature")
    stranger = openai.OpenAI(base_url=url + "/v1", api_key="wrong", max_retries=0)
    expect_error("a wrong token is refused", openai.AuthenticationError, stranger.models.list)
    long = "word " * 200000
    expect_error("a prompt too long is a sentence", openai.APIStatusError,
                 lambda: client.chat.completions.create(model=model, messages=[{"role": "user", "content": long}]))


def picture_checks(client, model):
    first = client.chat.completions.create(model=model, messages=[picture_message("What is in this picture?")], max_tokens=32, temperature=0)
    text = first.choices[0].message.content
    extension = first.model_extra["lavascope"]
    check("the cat is seen", "cat" in text.lower(), text)
    check("the picture costs tokens", extension["pictures"][0]["tokens"] > 0 and extension["pictures"][0]["width"] > 0, extension)
    again = client.chat.completions.create(model=model, messages=[picture_message("Where is the cat?")], max_tokens=48, temperature=0)
    extension = again.model_extra["lavascope"]
    check("a second question reuses the picture", extension["pictures"][0]["cached"] and extension["timings"]["cached_tokens"] >= extension["pictures"][0]["tokens"], extension)
    check("it has a box", len(extension["boxes"]) == 1 and extension["boxes"][0]["box"][2] > extension["boxes"][0]["box"][0], extension)


def cancel_check(client, model):
    stream = client.chat.completions.create(model=model, messages=[{"role": "user", "content": "Write a long story about the sea."}], max_tokens=2000, temperature=1, seed=1, stream=True)
    for chunk in stream:
        if chunk.choices and chunk.choices[0].delta.content:
            break
    stream.close()
    start = time.monotonic()
    client.chat.completions.create(model=model, messages=[{"role": "user", "content": "Hi."}], max_tokens=1)
    check("a client that leaves frees the engine", time.monotonic() - start < 10)


def main():
    server = subprocess.Popen([ENGINE, "serve", "--model", MODEL, "--port", "0"], stdout=subprocess.PIPE, text=True, env={**os.environ, "LAVASCOPE_TOKEN": TOKEN})
    try:
        url = json.loads(server.stdout.readline())["listening"]
        if not wait_ready(url):
            check("the model loads", False)
            return 1
        client = openai.OpenAI(base_url=url + "/v1", api_key=TOKEN, max_retries=0, timeout=300)
        model = client.models.list().data[0].id
        text_checks(client, model)
        error_checks(client, model, url)
        if TEXT_ONLY:
            expect_error("a text model refuses pictures with a sentence", openai.APIStatusError,
                         lambda: client.chat.completions.create(model=model, messages=[picture_message("What is this?")]), "picture")
        else:
            picture_checks(client, model)
        cancel_check(client, model)
        server.terminate()
        check("it ends when asked", server.wait(20) == 0)
    finally:
        server.kill()
    print(f"{len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
