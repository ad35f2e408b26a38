"""The recipe's scorer against right, wrong and hostile answers."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from recipe_scenes import SIMILAR, VOCABULARY  # noqa: E402

import free_text as ft  # noqa: E402
import scoring  # noqa: E402
import tool_grammar  # noqa: E402

CAR, DOG, DOG2 = (0.0, 0.0, 0.4, 0.4), (0.5, 0.5, 0.9, 0.9), (0.5, 0.0, 0.9, 0.4)
BOXES = [CAR, DOG, DOG2, None]


class Scoring(unittest.TestCase):
    def check(self, task, want, right=(), wrong=()):
        for expected, texts in ((True, right), (False, [*wrong, "", "   ", "🐕", "\u202e[١]", "[" * 500])):
            for answer in texts:
                got = scoring.score(task, want, answer, boxes=BOXES, vocabulary=VOCABULARY, similar=SIMILAR)
                self.assertEqual(got, expected, (task, answer))

    def test_yes_no(self):
        self.check(
            "yes",
            {"noun": "dog"},
            ["Yes, there is a dog [2].", "yes", "Yes.", "YES!", "Yes, there is only one dog."],
            ["No.", "Yes and no", "Yes, no.", "Maybe", "There is a dog", "Yes, there is no dog.", "Yesterday"],
        )
        self.check(
            "no",
            {"noun": "dog"},
            ["No, I see no dog.", "no", "No, it is a cat [2]."],
            ["Yes.", "No, yes.", "No and yes", "No, there is a dog [2].", "None", "Nothing"],
        )
        self.check(
            "is_colour",
            {"noun": "car", "colour": "red", "yes": False},
            ["No, the car [1] is red.", "No."],
            ["Yes.", "No, the car is blue."],
        )
        self.check("region_yes", {"noun": "dog", "yes": True}, ["Yes, it is a dog."], ["No, it is a dog."])

    def test_count(self):
        self.check(
            "count",
            {"noun": "dog", "count": 2},
            ["Two dogs [1] [3].", "2", "2.", "There are two dogs.", "Two dogs [12]."],
            ["12 dogs", "Three dogs", "Two or three dogs", "2.5 dogs", "-2", "[2]", "twenty two", "many", "0x2", "²³", "2" * 400],
        )
        self.check("count", {"noun": "dog", "count": 0}, ["No dogs.", "0", "None.", "There are zero dogs."], ["One dog.", "Dogs."])
        self.check("count", {"noun": "dog", "count": 1}, ["One dog [1].", "There is a dog."], ["a dog and a dog"])
        self.check("things", {"count": 3}, ["Three: a car [1], a dog [2] and a cat [3].", "3 things"], ["A car.", "Two: three"])

    def test_colour(self):
        self.check(
            "colour",
            {"noun": "car", "colour": "gray"},
            ["The car [1] is gray.", "Grey", "It is grey and shiny."],
            ["red", "The car is red, not gray.", "gray or black", "not gray", "grayish-looking"],
        )
        self.check("colour", {"noun": "orange", "colour": "orange"}, ["The orange [1] is orange."], ["The orange is green."])
        self.check("colour", {"noun": "orange", "colour": "green"}, ["The orange [1] is green."], ["The orange [1] is orange."])

    def test_position(self):
        self.check(
            "position",
            {"noun": "car", "place": "top left"},
            ["The car [1] is at the top left.", "Top-left.", "upper left corner", "left, at the top"],
            ["top", "left", "top right", "bottom left", "top left or bottom right", "center", "here"],
        )
        self.check("position", {"noun": "car", "place": "center"}, ["in the centre", "In the middle.", "center"], ["top center", "left"])
        self.check("position", {"noun": "car", "place": "top"}, ["at the top", "top center"], ["top left"])

    def test_relation(self):
        want = {"noun": "dog", "other": "car", "relation": "to the right of"}
        self.check(
            "relation",
            want,
            ["The dog [2] is to the right of the car [1].", "Right.", "right of the car", "The car is left of the dog."],
            ["The dog is left of the car.", "The car is to the right of the dog.", "left or right", "above", "not right of the car"],
        )
        self.check(
            "bigger",
            {"noun": "car", "other": "cup"},
            ["The car [1] is bigger than the cup [2].", "The cup is smaller than the car.", "The car."],
            ["The cup is bigger than the car.", "The car is smaller.", "both"],
        )

    def test_box(self):
        self.check("box", {"noun": "dog", "boxes": [DOG]}, ["[0.5, 0.5, 0.9, 0.72]"], ["[0.5, 0.5, 0.9, 0.68]"])  # IoU .55 and .45
        self.check(
            "box",
            {"noun": "dog", "boxes": [DOG]},
            ["The dog is here [2].", "[ 2 ]", "[0.52, 0.5, 0.9, 0.88]", "[.5 .5 .9 .9]"],
            [
                "[1]",
                "[12]",
                "[0]",
                "[4]",
                "[2] [1]",
                "The dog is here.",
                "[2.0]",
                "[0.5, 0.5, 0.9]",
                "[9, 9, 99, 99]",
                "[0.9, 0.9, 0.5, 0.5]",
                "[1, 2]",
                "2",
            ],
        )
        self.check(
            "box",
            {"noun": "dog", "boxes": [DOG, DOG2]},
            ["[2] [3]", "The dogs are here [3] [2].", "[2] [3] [2]"],
            ["[2]", "[2] [1]", "[1] [2] [3]"],
        )
        self.check(
            "box",
            {"noun": "dog", "boxes": []},
            ["There is a dog at the top left, but I cannot mark it."],
            ["The dog is here [2].", "I see no dog."],
        )

    def test_caption(self):
        want = {"nouns": ["car", "dog"], "also": ["car", "dog", "cup"], "evidence": ["fox"]}
        self.check(
            "caption",
            want,
            ["A red car and two dogs.", "A truck and a puppy.", "A car, a cup and a dog.", "A car and something that could be a fox."],
            ["A banana.", "A cup.", "A red car, a dog and a banana.", "A car and a fox.", "Nothing."],
        )
        self.check("caption", {"nouns": [], "also": [], "blank": "noise"}, ["I see only noise."], ["A dog.", "I do not know."])
        placed = want | {"placed": [("car", CAR), ("dog", DOG)]}
        self.check(
            "grounded",
            placed,
            ["A red car [1] and a dog [2]."],
            ["A car [2] and a dog [1].", "A car and a dog.", "A car [1], a dog [9]."],
        )
        report = scoring.caption_report(scoring.Judge(BOXES, ft.NounFinder(VOCABULARY), SIMILAR), want, "A puppy, an owl and a banana.")
        self.assertEqual((report.recall, report.hallucinated), (0.5, ["owl", "banana"]))

    def test_sets_and_regions(self):
        self.check(
            "what_colour",
            {"colour": "red", "nouns": ["car", "cup"]},
            ["The car [1] and the cup [2]."],
            ["The car.", "The car, the cup and the owl."],
        )
        self.check("what_at", {"nouns": []}, ["I see nothing there."], ["A dog.", "No dog is there but a cat."])
        self.check(
            "region",
            {"noun": "dog", "colour": "red"},
            ["A red dog.", "dogs", "It is a puppy."],
            ["A cat.", "A dog or a cat.", "A hot dog.", "It could be a dog."],
        )
        self.check("kind_what", {"nouns": []}, ["I see no animal."], ["A dog [2].", "I see no animal [2]."])
        self.check("region_none", {"mark": 4}, ["I see nothing particular there."], ["A dog.", "There is no dog, but a cat."])
        self.check("either", {"noun": "dog", "not": "cat"}, ["It is a dog [1]."], ["It is a cat.", "A dog and a cat.", "Yes."])

    def test_doubt_and_absence(self):
        self.check(
            "unsure",
            {"options": ["wolf", "dog"]},
            ["I am not sure; it could be a wolf or a dog [1].", "It might be a wolf.", "I do not recognize it."],
            ["A wolf.", "Yes, it is a wolf.", "No.", "It could be a banana."],
        )
        self.check(
            "absent", {"noun": "dog"}, ["I see no dog.", "There is no dog."], ["The dog is here [2].", "I see no dog [2].", "It is red."]
        )
        self.check("cannot", {"kind": "who"}, ["I cannot tell who a person is.", "I can't tell."], ["Albert Einstein.", "Noted."])

    def test_two_pictures(self):
        self.check(
            "which",
            {"noun": "dog", "first": False, "second": True},
            ["Only the second.", "The second picture."],
            ["The first.", "Both.", "The first and the second.", "2"],
        )
        self.check(
            "which",
            {"noun": "dog", "first": False, "second": False},
            ["Neither.", "None of them."],
            ["Both.", "Neither the first nor the second has one."],
        )
        self.check("more", {"first": 2, "second": 1}, ["The first: two against one."], ["The second.", "The same."])
        want = {"first": ["car"], "second": ["dog"], "same": False, "also": ["car", "dog"]}
        self.check(
            "difference",
            want,
            ["The first picture shows a red car; the second shows two dogs."],
            ["A car and a dog.", "The first shows an owl."],
        )

    def test_tool_calls(self):
        def reply(actions, value="Wait."):
            return tool_grammar.reply("t", actions, value)

        detect = {"tool": "detect", "params": {"caption": "dog . wine glass"}}
        self.check(
            "tool",
            detect,
            [reply(tool_grammar.call("detect", caption="wine glass . dog"))],
            [
                reply([]),
                reply(tool_grammar.call("detect", caption="dog")),
                reply(tool_grammar.call("ocr")),
                "dog",
                reply(tool_grammar.call("detect", caption="dog . wine glass", x=1)),
                reply(tool_grammar.call("detect", caption="dog . wine glass") * 2),
                '"thoughts🤔" t\n"actions🚀" [{"API_name": "detect"\n"value👉" v',
                reply({"API_name": "detect"}),
                reply([["detect"]]),
                reply([None]),
                reply(tool_grammar.call("detect", caption="dog . wine glass")).replace("🤔", ""),
                '"thoughts🤔" t\n"actions🚀" ' + "[" * 100000 + '\n"value👉" v',
            ],
        )
        self.check(
            "tool",
            {"tool": "crop", "params": {"mark": 2}},
            [reply(tool_grammar.call("crop", mark=2))],
            [reply(tool_grammar.call("crop", mark=m)) for m in (1, "2", True, -2, 2.0, None)]
            + [reply(tool_grammar.call("crop", box=[0, 0, 1, 1]))],
        )
        self.check(
            "tool",
            {"tool": "crop", "params": {"box": [0.1, 0.2, 0.5, 0.6]}},
            [reply(tool_grammar.call("crop", box=[0.1, 0.2, 0.5, 0.61]))],
            [
                reply(tool_grammar.call("crop", box=b))
                for b in ([0.1, 0.2, 0.5], [0.5, 0.6, 0.1, 0.2], [0, 0, 2, 2], "all", [True] * 4, [0, 0, 1, 1])
            ],
        )
        self.check(
            "tool",
            {"tool": "search", "params": {"query": "dog weight"}},
            [reply(tool_grammar.call("search", query="Dog weight in kg"))],
            [reply(tool_grammar.call("search", query=q)) for q in ("", " ", "cat weight", 3)],
        )

    def test_replies_without_tools(self):
        def reply(value, actions=()):
            return tool_grammar.reply("t", list(actions), value)

        inner = {"inner": "colour", "want": {"noun": "car", "colour": "red"}}
        self.check(
            "no_tool",
            inner,
            [reply("The car is red.")],
            [reply("Blue."), reply(""), "The car is red.", reply("red", tool_grammar.call("ocr"))],
        )
        self.check(
            "tool_answer",
            {"contains": ["Café 9"]},
            [reply('It says "CAFÉ 9".')],
            [reply("It says Cafe."), reply("Café 9", tool_grammar.call("ocr"))],
        )
        self.check(
            "tool_answer",
            {"numbers": {"dog": 2, "wine glass": 0}},
            [reply("I found two dogs on the left and no wine glass.")],
            [reply("I found one dog and no wine glass."), reply("I found two dogs."), reply("12 dogs and no wine glass")],
        )
        self.assertTrue(scoring.valid_tool_reply(reply("x")))
        self.assertFalse(scoring.valid_tool_reply("x") or scoring.valid_tool_reply(None))

    def test_unknown_task_and_types(self):
        for answer in (None, 3, b"yes", ["yes"]):
            self.assertFalse(scoring.score("yes", {"noun": "dog"}, answer))
        self.assertFalse(scoring.score("poetry", {}, "Yes."))


class FreeText(unittest.TestCase):
    def test_nouns(self):
        finder = ft.NounFinder(VOCABULARY)
        self.assertEqual(finder.nouns("Two hot dogs, a traffic light and mice."), ["hot dog", "traffic light", "mouse"])
        self.assertEqual(finder.nouns("An orange car is on the left. An orange is near; the cup is orange."), ["car", "orange", "cup"])
        self.assertEqual(finder.nouns("cardboard, Scars and dogma"), [])
        self.assertEqual(finder.nouns("A ＤＯＧ’s"), [])
        self.assertEqual(finder.nouns("DOGS; people!"), ["dog", "person"])
        self.assertEqual(ft.NounFinder([]).nouns("a dog"), [])

    def test_guesses_are_not_asserted(self):
        said = ft.asserted("A smiley, something that could be a box, a cat and something that could be a wolf or a fox.")
        self.assertEqual(ft.NounFinder(["smiley", "box", "cat", "wolf", "fox"]).nouns(said), ["smiley", "cat"])
        self.assertEqual(ft.asserted("A box and a cat."), "a box and a cat.")

    def test_verbs_are_no_nouns(self):
        finder = ft.NounFinder(["can", "saw", "bow"])
        self.assertEqual(finder.nouns("The OCR tool can. I saw a saw and a red can [1], can I?"), ["saw", "can"])

    def test_other_words_count(self):
        finder = ft.NounFinder(["television", "person"])
        self.assertEqual(finder.nouns("Two TVs and a man"), ["tv", "man"])
        self.assertTrue(
            scoring.score(
                "caption", {"nouns": ["television", "person"], "also": []}, "Two TVs and a man.", vocabulary=["television", "person"]
            )
        )

    def test_marks_behind_nouns(self):
        self.assertEqual(
            ft.NounFinder(VOCABULARY).with_marks("Two dogs [1] [3], a red car [2] and a cup."),
            [("dog", [1, 3]), ("car", [2]), ("cup", [])],
        )

    def test_iou(self):
        self.assertEqual(ft.iou(CAR, CAR), 1.0)
        self.assertEqual(ft.iou(CAR, DOG), 0.0)
        self.assertEqual(ft.iou((0, 0, 0, 0), (0, 0, 0, 0)), 0.0)
        self.assertAlmostEqual(ft.iou((0, 0, 1, 1), (0.5, 0, 1.5, 1)), 1 / 3)


if __name__ == "__main__":
    unittest.main()
