"""Recorded answers for gpu-check, as lines that a shell reads: when, name, model, pictures, prompt, option, count, ids, between tabs."""
import json
import pathlib
import shutil

QUICK = {("llava15", "scene"), ("llava_next", "scene"), ("text_qwen2", "text0")}
LARGEST_PICTURE = 500_000  # bytes
FOLDERS = ("llava15", "llava_next", "llava_onevision", "text_mistral", "text_qwen2")


def line(quick, name, model, pictures, prompt, option, count, ids):
    text = prompt.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")
    return "\t".join(["quick" if quick else "full", name, model, " ".join(pictures) or "-", text, option or "-", str(count), ",".join(map(str, ids))]) + "\n"


def of_folder(fixtures, folder, model=None):
    """The cases of an expect.json: what a prompt with its pictures is continued with."""
    lines, short = "", folder.split("/")[-1]
    for case in json.loads((fixtures / folder / "expect.json").read_text())["cases"]:
        if not case["prompt"] or "<video>" in case["prompt"]:
            continue  # clips are not read yet; a case of ids alone has no text
        if any((fixtures / folder / name).stat().st_size > LARGEST_PICTURE for name in case.get("pictures", [])):
            continue
        is_quick = (short, case["name"]) in QUICK
        pictures = [f"{folder}/{name}" for name in case.get("pictures", [])]
        lines += line(is_quick, f"{short}: {case['name']}", model or folder, pictures, case["prompt"], None, len(case["greedy32"]), case["greedy32"])
    return lines


def of_default(fixtures):
    lines = ""
    for number, text in enumerate((fixtures / "default/golden.jsonl").read_text().splitlines()):
        case = json.loads(text)
        count = min(len(case["answer_ids"]) + 1, 64)  # and the end; no longer ones were recorded
        lines += line(number == 0, f"default: {case['picture']}: {case['question']}", "default", [f"default/{case['picture']}"], case["question"], "--chat", count,
                      case["answer_ids"])
    return lines


def write(fixtures, target):
    lines = ""

    def skip(folder, names):
        return [n for n in names if n in ("expect.json", "golden.jsonl") or (n.endswith(".png") and (pathlib.Path(folder) / n).stat().st_size > LARGEST_PICTURE)]

    for name in FOLDERS:
        shutil.copytree(fixtures / "transformers" / name, target / "transformers" / name, ignore=skip)
        lines += of_folder(fixtures, f"transformers/{name}")
    pair = "text_models/llava15_pair"  # the same as two GGUF files, the projector beside the language model
    shutil.copytree(fixtures / pair, target / pair, ignore=skip)
    shutil.copyfile(fixtures / "mmproj/llava15-legacy.gguf", target / pair / "mmproj-llava15.gguf")
    lines += of_folder(fixtures, pair, pair + "/llava15-F16.gguf")
    shutil.copytree(fixtures / "default", target / "default", ignore=skip)
    (target / "cases").write_text(lines)
    (target / "cases-default").write_text(of_default(fixtures))
