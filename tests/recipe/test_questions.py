"""The recipe's questions: right English, fair questions, answers that keep to their conventions and to what can be seen."""

import json
import random
import re
import unittest
from collections import Counter
from pathlib import Path
import sys

sys.path.insert(0, str(Path(__file__).resolve().parent))
from recipe_scenes import BLANKS, SIMILAR, VOCABULARY, boxes_of, fixed, random_scene, simple  # noqa: E402

import questions  # noqa: E402
import relations  # noqa: E402
import scoring  # noqa: E402
import tool_grammar  # noqa: E402
import tool_questions  # noqa: E402
import words  # noqa: E402
from scene import Scene, Thing, View, certainty  # noqa: E402
from wordings import FOLLOW, WORDINGS  # noqa: E402


def answers(scene: Scene, task: str, tries: int = 60) -> set[str]:
    found = (questions.ask(random.Random(i), scene, task, VOCABULARY, SIMILAR) for i in range(tries))
    return {t.answer for t in found if t}


class Words(unittest.TestCase):
    def test_plurals(self):
        for noun, many in {
            "dog": "dogs",
            "person": "people",
            "mouse": "mice",
            "computer mouse": "computer mice",
            "knife": "knives",
            "bus": "buses",
            "wine glass": "wine glasses",
            "sheep": "sheep",
            "strawberry": "strawberries",
            "toy": "toys",
            "grapes": "grapes",
            "scissors": "scissors",
            "toothbrush": "toothbrushes",
            "snowman": "snowmen",
            "human": "humans",
            "fox": "foxes",
            "cup of tea": "cups of tea",
            "potato": "potatoes",
            "piano": "pianos",
            "jellyfish": "jellyfish",
            "traffic light": "traffic lights",
            "octopus": "octopuses",
            "lens": "lenses",
            "dress": "dresses",
        }.items():
            self.assertEqual(words.plural(noun), many)

    def test_articles(self):
        for noun, named in {
            "dog": "a dog",
            "owl": "an owl",
            "grapes": "some grapes",
            "scissors": "a pair of scissors",
            "broccoli": "some broccoli",
            "unicorn": "a unicorn",
            "umbrella": "an umbrella",
            "hourglass": "an hourglass",
            "bus": "a bus",
            "ewe": "a ewe",
            "orange": "an orange",
            "sheep": "a sheep",
            "usb stick": "a usb stick",
            "dice": "a dice",
            "gps": "a gps",
        }.items():
            self.assertEqual(words.article(noun), named)
        self.assertEqual(words.article("car", "orange"), "an orange car")
        self.assertEqual(words.article("orange", "orange"), "an orange")
        self.assertEqual(words.article("scissors", "red"), "a pair of red scissors")
        self.assertEqual(words.counted(3, "scissors"), "three pairs of scissors")
        self.assertEqual(words.counted(12, "dog", "red"), "12 red dogs")

    def test_places_cover_the_square(self):
        self.assertEqual(words.place_words((0, 0, 0.2, 0.2)), "top left")
        self.assertEqual(words.place_words((0.4, 0.4, 0.6, 0.6)), "center")
        self.assertEqual(words.place_words((0.4, 0.8, 0.6, 1)), "bottom")
        self.assertEqual(words.place_words((0.35, 0.35, 0.35, 0.35)), "top left")
        self.assertEqual(words.place_words((0.65, 0.65, 0.65, 0.65)), "bottom right")
        seen = {words.place_words((x / 10, y / 10, x / 10, y / 10)) for x in range(11) for y in range(11)}
        self.assertEqual(seen, set(words.PLACES))

    def test_join(self):
        self.assertEqual([words.join(p) for p in ([], ["a"], ["a", "b"], ["a", "b", "c"])], ["", "a", "a and b", "a, b and c"])

    def test_confusable_is_symmetric(self):
        self.assertTrue(words.confusable("orange", "red") and words.confusable("red", "orange"))
        self.assertFalse(words.confusable("red", "green"))


class Doubt(unittest.TestCase):
    def test_thresholds(self):
        def state(*evidence):
            return certainty(Thing("dog", (0, 0, 1, 1), mark=1, evidence=list(evidence)))

        self.assertEqual(state(("dog", 0.2), ("wolf", 0.1)), "sure")  # the leader may be weak
        self.assertEqual(state(("wolf", 0.2), ("dog", 0.15)), "unsure")  # another leads weakly
        self.assertEqual(state(("wolf", 0.5), ("dog", 0.05)), "unsure")  # the truth is improbable
        self.assertEqual(state(("wolf", 0.9), ("fox", 0.05)), "unsure")  # the truth is not among the three
        self.assertEqual(state(("wolf", 0.5), ("dog", 0.3)), "sure")  # the truth is among the three
        self.assertEqual(state(("dog", 0.04), ("wolf", 0.04)), "unknown")
        self.assertEqual(state(), "sure")

    def test_doubtful_things_are_never_asserted(self):
        thing = Thing("dog", (0.2, 0.2, 0.8, 0.8), "brown", 1, [("wolf", 0.3), ("fox", 0.2)])
        self.assertEqual(answers(Scene([thing]), "unsure"), {"Yes, perhaps: it could be a wolf or a fox [1]."})
        self.assertEqual(answers(Scene([thing]), "grounded"), {"Something that could be a wolf [1]."})
        self.assertEqual(answers(Scene([thing]), "yes"), set())
        said = {
            t.answer for i in range(80) for c in questions.turns(random.Random(i), Scene([thing]), VOCABULARY, SIMILAR) for t in c.turns
        }
        self.assertFalse([a for a in said if "dog" in a and "hot dog" not in a])

    def test_doubt_is_only_asked_for_by_nouns_of_the_evidence(self):
        thing = Thing("dog", (0.2, 0.2, 0.8, 0.8), "brown", 1, [("wolf", 0.3), ("fox", 0.2)])
        asked = [questions.ask(random.Random(i), Scene([thing]), "unsure", VOCABULARY, SIMILAR).want for i in range(30)]
        self.assertEqual({tuple(w["options"]) for w in asked}, {("wolf", "fox")})
        denied = {View(random.Random(i), Scene([thing]), VOCABULARY, SIMILAR).absent() for i in range(200)}
        self.assertFalse({"dog", "puppy", "wolf", "fox"} & denied)

    def test_a_question_that_names_a_guess_is_answered(self):
        wolf = Thing("dog", (0.2, 0.2, 0.8, 0.8), "brown", 1, [("wolf", 0.2), ("dog", 0.1)])
        self.assertEqual(answers(Scene([wolf]), "box"), {"The dog is here [1]."})
        self.assertEqual(answers(Scene([wolf]), "colour"), {"The dog [1] is brown."})
        fox = Thing("fox", (0.0, 0.0, 0.1, 0.1), None, 2, [("cat", 0.2), ("dog", 0.1)])  # may be the dog that is meant
        self.assertEqual(answers(Scene([wolf, fox]), "box"), {"I am not sure; perhaps here [2]."})  # asked for the fox only
        sure = Thing("dog", (0.0, 0.0, 0.1, 0.1), None, 2, [("dog", 0.9)])  # one or two dogs
        self.assertEqual(answers(Scene([wolf, sure]), "count"), set())

    def test_what_was_taken_for_something_else_is_guessed_at(self):
        thing = Thing("dog", (0.0, 0.0, 0.2, 0.2), "brown", 1, [("wolf", 0.6), ("fox", 0.2)])
        self.assertEqual(answers(Scene([thing]), "box"), {"I am not sure; perhaps here [1]."})
        self.assertEqual(answers(Scene([thing]), "position"), {"I am not sure; perhaps [1], at the top left."})
        self.assertEqual(answers(Scene([thing]), "colour"), {"I am not sure; perhaps [1], which is brown."})

    def test_unknown_thing(self):
        thing = Thing("dog", (0.2, 0.2, 0.8, 0.8), None, 1, [("wolf", 0.04), ("fox", 0.02)])
        self.assertEqual(answers(Scene([thing]), "region"), {"There is something [1] I do not recognise."})
        self.assertEqual(answers(Scene([thing]), "caption"), {"Something I do not recognise."})

    def test_small_unmarked_things_are_neither_named_nor_denied(self):
        for i in range(150):
            for chain in questions.turns(random.Random(i), fixed(), VOCABULARY, SIMILAR):
                for turn in chain.turns:
                    self.assertNotRegex(turn.answer, r"\bcup\b")


class Answers(unittest.TestCase):
    def test_conventions(self):
        expected = {
            "caption": "A red car, some green grapes, a dog and something that could be a wolf.",
            "grounded": "A red car [1], a dog [2], something that could be a wolf [3] and some green grapes [4].",
            "region_none": "I see nothing particular there.",
        }
        for task, answer in expected.items():
            self.assertEqual(answers(fixed(), task), {answer})
        self.assertEqual(
            answers(fixed(), "yes"), {"Yes, there is a car [1].", "Yes, there is a dog [2].", "Yes, there are some grapes [4]."}
        )
        self.assertEqual(answers(simple(), "box"), {"The car is here [1].", "The cup is here [2]."})
        self.assertEqual(answers(simple(), "things"), {"Two: a car [1] and a cup [2]."})
        self.assertEqual(answers(simple(), "position"), {"The car [1] is at the top left.", "The cup [2] is at the bottom right."})
        self.assertEqual(answers(simple(), "bigger"), {"The car [1] is bigger than the cup [2]."})
        self.assertIn("The cup [2] is the smallest.", answers(simple(), "extreme"))
        self.assertEqual(
            answers(simple(), "detail"),
            {"A red car is at the top left. A blue cup is at the bottom right. The cup is to the right of the car."},
        )
        self.assertEqual(
            answers(simple(), "is_colour") & {"Yes, the car [1] is red.", "Yes, the cup [2] is blue.", "No, the car [1] is red."},
            {"Yes, the car [1] is red.", "Yes, the cup [2] is blue.", "No, the car [1] is red."},
        )

    def test_several_and_unmarked(self):
        two = Scene([Thing("dog", (0, 0, 0.3, 0.3), "red", 1), Thing("dog", (0.5, 0, 0.8, 0.3), "red", 3)])
        self.assertEqual(answers(two, "box"), {"The dogs are here [1] [3]."})
        self.assertEqual(answers(two, "yes"), {"Yes, there are two dogs [1] [3]."})
        self.assertEqual(answers(two, "count"), {"Two dogs [1] [3]."})
        self.assertEqual(answers(two, "caption"), {"Two red dogs."})
        hidden = Scene([Thing("dog", (0, 0, 0.3, 0.3))])
        self.assertEqual(answers(hidden, "box"), {"There is a dog at the top left, but I cannot mark it."})
        mixed = Scene([Thing("dog", (0, 0, 0.3, 0.3), None, 1), Thing("dog", (0.5, 0, 0.8, 0.3))])
        self.assertEqual(answers(mixed, "box"), {"One dog is here [1]; I cannot mark one more."})

    def test_blank_pictures_are_described_honestly(self):
        self.assertEqual(answers(Scene([], "plain", "gray"), "caption"), {"The picture is plain gray; I see nothing in it."})
        self.assertEqual(answers(Scene([], "noise"), "detail"), {"I see only noise."})
        self.assertEqual(answers(Scene([], "dark"), "grounded"), {"The picture is almost black."})
        self.assertEqual(answers(Scene([], "text"), "caption"), {"I see text. I cannot read it myself; the OCR tool can."})
        for kind in BLANKS:
            for task in ("yes", "count", "box", "colour", "position", "either", "region"):
                self.assertEqual(answers(Scene([], kind), task), set())
            self.assertTrue(all(a.startswith("No, I see no ") for a in answers(Scene([], kind), "no")))

    def test_relations_need_a_clear_difference(self):
        near = Scene([Thing("car", (0.1, 0.1, 0.4, 0.4), "red", 1), Thing("cup", (0.15, 0.15, 0.45, 0.45), "blue", 2)])
        self.assertEqual(answers(near, "relation") | answers(near, "bigger") | answers(near, "extreme"), set())
        self.assertEqual(
            answers(simple(), "relation"), {"The car [1] is to the left of the cup [2].", "The cup [2] is to the right of the car [1]."}
        )

    def test_clear_relations(self):
        def rel(x, y):
            return relations.relation_between(Thing("cup", (x, y, x, y)), Thing("car", (0.5, 0.5, 0.5, 0.5)))

        self.assertEqual([rel(0.4, 0.5), rel(0.6, 0.45), rel(0.3, 0.3)], [None, None, None])
        self.assertEqual([rel(0.3, 0.4), rel(0.7, 0.6)], ["to the left of", "to the right of"])
        self.assertEqual([rel(0.6, 0.1), rel(0.45, 0.9)], ["above", "below"])

    def test_resting(self):
        bowl = Thing("bowl", (0.3, 0.5, 0.7, 0.9))
        resting = [
            relations.rests_on(Thing("cup", box), bowl) for box in ((0.4, 0.2, 0.6, 0.48), (0.4, 0.1, 0.6, 0.4), (0, 0.2, 0.35, 0.5))
        ]
        self.assertEqual(resting, [True, False, False])

    def test_on_top_of_needs_touching_boxes(self):
        stacked = Scene([Thing("cup", (0.4, 0.2, 0.6, 0.5), None, 1), Thing("bowl", (0.3, 0.5, 0.7, 0.9), None, 2)])
        self.assertIn("Yes, the cup [1] is on top of the bowl [2].", answers(stacked, "is_relation"))
        self.assertFalse([a for a in answers(simple(), "is_relation") if "on top of" in a])

    def test_comparison_has_no_marks(self):
        said = {
            t.answer
            for i in range(60)
            for c in questions.compare_turns(random.Random(i), simple(), fixed(), VOCABULARY, SIMILAR)
            for t in c.turns
        }
        self.assertIn(
            "The first picture shows a red car and a blue cup; the second shows a red car, some green grapes, a dog and "
            "something that could be a wolf.",
            said,
        )
        self.assertTrue({"Both.", "Only the second.", "Neither."} <= said)
        self.assertFalse([a for a in said if "[" in a])


class Kinds(unittest.TestCase):
    def test_kinds(self):
        scene = Scene(
            [
                Thing("dog", (0, 0, 0.3, 0.3), None, 1),
                Thing("car", (0.5, 0, 0.8, 0.3), None, 2),
                Thing("dog", (0, 0.5, 0.3, 0.8), None, 3),
            ]
        )
        self.assertTrue(
            {"Yes, there are two dogs [1] [3].", "Yes, there is a car [2].", "No, I see no bird."} <= answers(scene, "kind_yesno", 300)
        )
        self.assertTrue({"Two dogs [1] [3].", "A car [2]."} <= answers(scene, "kind_what"))
        self.assertTrue({"Two animals [1] [3].", "One vehicle [2]."} <= answers(scene, "kind_count"))

    def test_borderline_things_make_no_question(self):
        said = answers(Scene([Thing("teddy bear", (0, 0, 0.3, 0.3), None, 1)]), "kind_yesno", 300)
        self.assertFalse([a for a in said if "animal" in a])
        doubtful = Thing("dog", (0, 0, 0.3, 0.3), None, 1, [("wolf", 0.2), ("dog", 0.15)])
        self.assertEqual(answers(Scene([doubtful]), "kind_yesno"), set())

    def test_other_words_are_asked_but_not_denied(self):
        scene = Scene([Thing("couch", (0, 0, 0.9, 0.9), "red", 1)])
        asked = [questions.ask(random.Random(i), scene, "yes", VOCABULARY + ["couch", "sofa"], SIMILAR) for i in range(100)]
        self.assertEqual({t.answer for t in asked}, {"Yes, there is a couch [1]."})
        self.assertTrue(any("sofa" in t.question for t in asked))
        denied = [View(random.Random(i), scene, ["sofa"], SIMILAR).absent() for i in range(20)]
        self.assertEqual(set(denied), {None})


class Training(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        rng = random.Random(11)
        cls.made = []
        for _ in range(500):
            scene = random_scene(rng)
            chains = questions.turns(rng, scene, VOCABULARY, SIMILAR) + tool_questions.tool_turns(rng, scene, VOCABULARY, SIMILAR)
            cls.made += [(scene, chain) for chain in chains]

    def test_every_answer_scores_as_right(self):
        for scene, chain in self.made:
            for turn in chain.turns:
                self.assertTrue(
                    scoring.score(turn.task, turn.want, turn.answer, boxes=boxes_of(scene), vocabulary=VOCABULARY, similar=SIMILAR), turn
                )

    def test_form(self):
        for scene, chain in self.made:
            for turn in chain.turns:
                json.dumps(turn.want)
                if chain.system is None:
                    self.assertNotRegex(turn.question + turn.answer, r"[{}|]|  |\.\.$| ,|\d\.\d")
                    self.assertRegex(turn.answer, r"^[A-Z].*[.]$")
                    marks = {int(m) for m in re.findall(r"\[(\d+)\]", turn.answer)}
                    self.assertLessEqual(marks, {t.mark for t in scene.things}, turn)
                else:
                    self.assertIsNotNone(tool_grammar.parse(turn.answer), turn)

    def test_balance(self):
        first = Counter(t.answer.split(",")[0] for s, c in self.made if c.system is None and s.kind == "scene" for t in c.turns)
        self.assertGreater(first["Yes"], 0.7 * first["No"])
        self.assertLess(first["Yes"], 1.4 * first["No"])
        plain = [c for _, c in self.made if c.system is None]
        share = sum(len(c.turns) > 1 for c in plain) / len(plain)
        self.assertTrue(0.2 < share < 0.35, share)
        self.assertLessEqual(max(len(c.turns) for c in plain), 3)
        tasks = {t.task for c in plain for t in c.turns}
        self.assertEqual(set(questions.TASKS) - {"count_none", "background", "region_colour"} - tasks, set())

    def test_negatives_are_fair(self):
        for scene, chain in self.made:
            for turn in chain.turns:
                if turn.task in ("no", "absent", "still_no"):
                    present = {t.noun for t in scene.things}
                    near = present | {s for n in present for s in SIMILAR.get(n, ())}
                    self.assertNotIn(turn.want["noun"], near)

    def test_same_seed_same_questions(self):
        a, b = (questions.turns(random.Random(4), fixed(), VOCABULARY, SIMILAR, count=12) for _ in range(2))
        self.assertEqual(a, b)

    def test_likely_nouns_are_denied_more_often(self):
        view = View(random.Random(1), simple(), VOCABULARY, SIMILAR)
        denied = Counter(view.absent() for _ in range(600))
        self.assertGreater(denied["bowl"], 2 * denied["owl"])

    def test_every_task_has_many_wordings(self):
        for table in (WORDINGS, FOLLOW, tool_questions.ASK):
            for key, text in table.items():
                wordings = text.split("|")
                self.assertGreaterEqual(len(wordings), 10, key)
                self.assertEqual(len(wordings), len(set(wordings)), key)

    def test_region_drawn_by_the_user_is_asked_by_its_mark(self):
        scene = simple()
        scene.things[1].region, scene.things[1].mark = True, 7
        asked = [questions.ask(random.Random(i), scene, "region", VOCABULARY, SIMILAR) for i in range(40)]
        self.assertEqual({t.answer for t in asked}, {"A blue cup."})
        self.assertGreater(sum("[7]" in t.question for t in asked), 20)


class Tools(unittest.TestCase):
    def test_reply_is_exact(self):
        text = tool_grammar.reply("I look.", tool_grammar.call("detect", caption="dog . café"), "Wait.")
        self.assertEqual(
            text,
            '"thoughts🤔" I look.\n"actions🚀" [{"API_name": "detect", "API_params": {"caption": "dog . caf\\u00e9"}}]\n"value👉" Wait.',
        )
        self.assertEqual(tool_grammar.parse(text).actions[0]["API_params"], {"caption": "dog . café"})

    def test_result_turn(self):
        self.assertEqual(
            tool_grammar.outputs_turn("ocr", {"texts": ["it's"]}, "Read it."),
            "ocr model outputs: {'texts': [\"it's\"]}\n\nPlease summarize the model outputs and answer my first question: Read it.",
        )

    def test_tools_are_called_only_where_offered(self):
        rng = random.Random(2)
        called = Counter()
        for _ in range(300):
            for chain in tool_questions.tool_turns(rng, random_scene(rng), VOCABULARY, SIMILAR):
                for turn in chain.turns:
                    for action in tool_grammar.parse(turn.answer).actions:
                        called[action["API_name"]] += 1
                        self.assertIn(tool_grammar.TOOLS[action["API_name"]], chain.system)
        self.assertEqual(set(called), set(tool_grammar.TOOLS))

    def test_seen_things_need_no_tool(self):
        turn = questions.ask(random.Random(1), simple(), "no_tool", VOCABULARY, SIMILAR)
        self.assertEqual(tool_grammar.parse(turn.answer).actions, [])
        self.assertEqual(questions.ask(random.Random(1), simple(), "tool", VOCABULARY, SIMILAR).task, "tool")


if __name__ == "__main__":
    unittest.main()
