"""The three-line reply of LLaVA-Plus (arXiv 2311.05437): thoughts, actions as JSON, value."""
from __future__ import annotations

import json
import re
from dataclasses import dataclass

THOUGHTS, ACTIONS, VALUE = '"thoughts🤔" ', '"actions🚀" ', '"value👉" '
_REPLY = re.compile(r'\s*"thoughts🤔" (?P<thoughts>[^\n]*)\n"actions🚀" (?P<actions>[^\n]*)\n"value👉" (?P<value>.*)', re.S)

TOOLS = {
    "detect": 'detect finds things by name and marks them, API_params {"caption": "dog . car"}',
    "ocr": "ocr reads text in the picture, API_params {}",
    "crop": 'crop looks closer at a part, API_params {"mark": 2} or {"box": [x1, y1, x2, y2]}',
    "search": 'search looks up facts, API_params {"query": "..."}',
}


def tool_system(names: list[str]) -> str:
    """The system text that offers these tools."""
    return "You can use tools. " + "; ".join(TOOLS[n] for n in names) + ". Answer in three lines: thoughts, actions, value."


TOOL_SYSTEM = tool_system(list(TOOLS))


@dataclass
class Reply:
    thoughts: str
    actions: list  # [] or [{"API_name": ..., "API_params": {...}}]
    value: str


def reply(thoughts: str, actions: list, value: str) -> str:
    return f"{THOUGHTS}{thoughts}\n{ACTIONS}{json.dumps(actions)}\n{VALUE}{value}"


def call(name: str, **params: object) -> list:
    return [{"API_name": name, "API_params": params}]


def parse(text: str) -> Reply | None:
    """The reply, or None where its form, JSON, tool or parameters are wrong."""
    found = _REPLY.fullmatch(text)
    if not found:
        return None
    try:
        actions = json.loads(found["actions"])
    except (ValueError, RecursionError):
        return None
    if not isinstance(actions, list) or len(actions) > 1 or not all(valid_call(a) for a in actions):
        return None
    return Reply(found["thoughts"].strip(), actions, found["value"].strip())


def valid_call(action: object) -> bool:
    """Whether a call names a known tool with exactly the parameters it takes."""
    if not isinstance(action, dict) or set(action) != {"API_name", "API_params"} or not isinstance(action["API_params"], dict):
        return False
    name, params = action["API_name"], action["API_params"]
    if name == "ocr":
        return not params
    if name in ("detect", "search"):
        key = "caption" if name == "detect" else "query"
        return set(params) == {key} and isinstance(params[key], str) and bool(params[key].strip())
    return name == "crop" and (_valid_mark(params) or _valid_box(params))


def _valid_mark(params: dict) -> bool:
    return set(params) == {"mark"} and type(params["mark"]) is int and params["mark"] > 0


def _valid_box(params: dict) -> bool:
    box = params.get("box")
    if set(params) != {"box"} or not isinstance(box, list) or len(box) != 4:
        return False
    numbers = all(type(v) in (int, float) and 0 <= v <= 1 for v in box)
    return numbers and box[0] < box[2] and box[1] < box[3]


def outputs_turn(name: str, outputs: dict, question: str) -> str:
    """The user turn that feeds a tool's result back: the dict as Python prints it."""
    return f"{name} model outputs: {outputs!r}\n\nPlease summarize the model outputs and answer my first question: {question}"
