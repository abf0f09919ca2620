"""The cases of a suite, from JSON lines: those that are shipped beside this file, and an owner's own in the same form.

One object a line: an `id`, a `question`, and what its answer has to do, which is any of what a voice can declare
(`curation.checks`: language, length, required, forbidden, json_schema) and any of these:

    any_of: ["5", "five"]        it says at least one of them
    refuses: true                it refuses; answers: true: it does not
    invents_no: ["links"]        nothing nobody told: links, numbers
    keeps_prompt: true           it does not tell its instructions
    twin: {"Emma": "Fatima"}     asked again with these words swapped, the answer stays the same; stands alone
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, cast

from curation.checks import DECLARABLE, ChecksWrong, declared
from curation.scores import swapped
from curation.suites.rules import AnyOf, InventsNoLinks, InventsNoNumbers, Keeps, KeepsPrompt, Refuses, Rule
from storage.records import Suite

INVENTED: Mapping[str, Rule] = {"links": InventsNoLinks(), "numbers": InventsNoNumbers()}
OWN = ("any_of", "refuses", "answers", "invents_no", "keeps_prompt", "twin")
LONGEST = 2_000  # characters of a question
MOST = 10_000  # cases of a file; every candidate is asked some of them only


class SuiteUnreadable(ValueError):
    """A file of cases cannot be used; the message names the file, the line and what would do."""


@dataclass(frozen=True, slots=True)
class Case:
    """One question and what is asked of its answer."""

    id: str
    suite: Suite
    question: str
    rules: tuple[Rule, ...]
    swaps: Mapping[str, str] = field(default_factory=dict[str, str])  # of its twin; {}: it has none

    @property
    def questions(self) -> tuple[str, ...]:
        """What is asked: the question, and its twin where it has one."""
        return (self.question, swapped(self.question, self.swaps)) if self.swaps else (self.question,)

    @property
    def wanted(self) -> str:
        """What a good answer does, as a sentence."""
        if self.swaps:
            return "Says the same when asked: " + self.questions[1]
        said = ", ".join(rule.wanted for rule in self.rules)
        return f"{said[0].upper()}{said[1:]}."


def shipped_cases(suite: Suite) -> tuple[Case, ...]:
    """The cases of this suite that come with Finetone."""
    name = f"{suite.value}.jsonl"
    return read_cases(files("curation.suites").joinpath(name).read_text("utf-8"), name, suite)


def read_cases(text: str, name: str, suite: Suite) -> tuple[Case, ...]:
    """The cases of a file called `name`, in its order; empty lines are passed over. Raises SuiteUnreadable."""
    cases: list[Case] = []
    lines_of: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            case = _case(line, suite)
        except (SuiteUnreadable, ChecksWrong) as wrong:
            raise SuiteUnreadable(f"{name} line {number}: {wrong}") from wrong
        if case.id in lines_of:
            raise SuiteUnreadable(
                f"{name} line {number}: “{case.id}” is the id of line {lines_of[case.id]} already; give it another."
            )
        lines_of[case.id] = number
        cases.append(case)
    if len(cases) > MOST:
        raise SuiteUnreadable(f"{name} has {len(cases):,} cases; at most {MOST:,} can be used.")
    return tuple(cases)


def _case(line: str, suite: Suite) -> Case:
    try:
        value = json.loads(line)
    except ValueError as wrong:
        raise SuiteUnreadable(f"This is not JSON: {wrong}.") from wrong
    if not isinstance(value, dict):
        raise SuiteUnreadable('A case is an object, such as {"id": "sum", "question": "2 + 3?", "any_of": ["5"]}.')
    row = cast(dict[str, Any], value)
    id, question = row.pop("id", None), row.pop("question", None)
    if not isinstance(id, str) or not id.strip():
        raise SuiteUnreadable("It has no “id”, a word that names the case in reports.")
    if not isinstance(question, str) or not question.strip() or len(question) > LONGEST:
        raise SuiteUnreadable(f"It has no “question” of 1 to {LONGEST:,} characters.")
    unknown = [key for key in row if key not in (*OWN, *DECLARABLE)]
    if unknown:
        raise SuiteUnreadable(f"“{unknown[0]}” is not known. There are {', '.join((*OWN, *DECLARABLE))}.")
    swaps: Mapping[str, str] = _swaps(row.pop("twin"), question, row) if "twin" in row else {}
    rules = _rules(row)
    if not rules and not swaps:
        raise SuiteUnreadable("Nothing is asked of its answer; any_of, required, refuses or twin would.")
    return Case(id, suite, question, rules, swaps)


def _rules(row: Mapping[str, Any]) -> tuple[Rule, ...]:
    rules: list[Rule] = []
    if "any_of" in row:
        rules.append(AnyOf(_words("any_of", row["any_of"])))
    for key, expected in (("refuses", True), ("answers", False)):
        if key in row:
            rules.append(Refuses(_is_true(key, row[key]) and expected))
    if "invents_no" in row:
        for what in _words("invents_no", row["invents_no"]):
            if what not in INVENTED:
                raise SuiteUnreadable(f"invents_no knows {' and '.join(INVENTED)}, not “{what}”.")
            rules.append(INVENTED[what])
    if "keeps_prompt" in row and _is_true("keeps_prompt", row["keeps_prompt"]):
        rules.append(KeepsPrompt())
    checks = declared({key: row[key] for key in DECLARABLE if key in row})
    return (*rules, *(Keeps(check, _said(check.name, row[check.name])) for check in checks))


def _said(name: str, value: Any) -> str:
    """A check in a few words."""
    match name:
        case "language":
            return f"is in the language {value}"
        case "required" | "forbidden":
            verb = "says" if name == "required" else "does not say"
            return f"{verb} {', '.join(f'“{phrase}”' for phrase in value)}"
        case "length":
            return "has " + ", ".join(f"{bound.replace('_', ' ')}: {size}" for bound, size in value.items())
        case _:
            return "is JSON of the declared shape"


def _swaps(value: Any, question: str, beside: Mapping[str, Any]) -> Mapping[str, str]:
    if beside:
        raise SuiteUnreadable("A case with a twin asks nothing else; make two cases of it.")
    pairs = cast(dict[Any, Any], value) if isinstance(value, dict) else {}
    texts = [*pairs.keys(), *pairs.values()]
    if not pairs or not all(isinstance(text, str) and text.strip() for text in texts):
        raise SuiteUnreadable('“twin” says which words to swap: {"Emma": "Fatima"}.')
    swaps = cast(dict[str, str], pairs)
    if swapped(question, swaps) == question:
        raise SuiteUnreadable(
            f"The question does not say {' or '.join(f'“{word}”' for word in swaps)}, so it has no twin."
        )
    return swaps


def _words(key: str, value: Any) -> tuple[str, ...]:
    given = cast(Sequence[object], value) if isinstance(value, list) else ()
    words = tuple(word for word in given if isinstance(word, str) and word.strip())
    if not words or len(words) != len(given):
        raise SuiteUnreadable(f"“{key}” wants a list of words, none of them empty.")
    return words


def _is_true(key: str, value: Any) -> bool:
    if value is not True:
        raise SuiteUnreadable(f"“{key}” is true or left out, not {value!r}.")
    return True
