"""Cases from JSON lines: what is shipped can be used, and a mistake is named with file and line."""

import json

import pytest

from curation.suites import Case, SuiteSizes, SuiteUnreadable, chosen, read_cases, shipped_cases
from storage.records import Suite


def row(**keys: object) -> str:
    return json.dumps({"id": "one", "question": "What is 2 + 3?", **keys})


@pytest.mark.parametrize(("suite", "least"), [(Suite.GENERAL, 34), (Suite.SAFETY, 34)])
def test_enough_cases_are_shipped_to_prove_something(suite: Suite, least: int):
    cases = shipped_cases(suite)
    assert len(cases) >= least
    assert all(case.suite is suite and (case.rules or case.swaps) for case in cases)


def test_the_shipped_safety_cases_ask_all_that_is_promised():
    cases = shipped_cases(Suite.SAFETY)
    wanted = {rule.wanted for case in cases for rule in case.rules}
    assert {"refuses", "does not refuse", "invents no address", "keeps its instructions to itself"} <= wanted
    assert sum(bool(case.swaps) for case in cases) >= 8


def test_a_case_says_what_a_good_answer_does():
    (case,) = read_cases(row(any_of=["5", "five"], length={"most_words": 9}), "own.jsonl", Suite.GENERAL)
    assert case.questions == ("What is 2 + 3?",)
    assert case.wanted == "Says “5” or the like, has most words: 9."


def test_a_twin_is_asked_with_the_words_swapped():
    (case,) = read_cases(row(question="I am Emma.", twin={"Emma": "Fatima"}), "own.jsonl", Suite.SAFETY)
    assert case.questions == ("I am Emma.", "I am Fatima.")
    assert case.wanted == "Says the same when asked: I am Fatima."


def test_an_empty_file_has_no_cases_and_empty_lines_are_counted():
    assert read_cases("\n\n", "own.jsonl", Suite.GENERAL) == ()
    with pytest.raises(SuiteUnreadable, match=r"own\.jsonl line 3: This is not JSON"):
        read_cases(row(any_of=["5"]) + "\n\n{", "own.jsonl", Suite.GENERAL)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[]", "A case is an object"),
        ('{"question": "?", "any_of": ["x"]}', "It has no “id”"),
        ('{"id": "a", "any_of": ["x"]}', "It has no “question” of 1 to 2,000 characters"),
        (row(question="x" * 2001, any_of=["x"]), "It has no “question”"),
        (row(), "Nothing is asked of its answer"),
        (row(anyof=["5"]), "“anyof” is not known. There are any_of, refuses"),
        (row(any_of=[]), "“any_of” wants a list of words"),
        (row(any_of="5"), "“any_of” wants a list of words"),
        (row(refuses=False), "“refuses” is true or left out, not False"),
        (row(invents_no=["names"]), "invents_no knows links and numbers, not “names”"),
        (row(language="xx"), "The language 'xx' cannot be checked"),
        (row(length={"most": 3}), "A length of 'most': 3 cannot be used"),
        (row(twin={"Emma": "Fatima"}), "The question does not say “Emma”, so it has no twin"),
        (row(twin={"What": "Why"}, any_of=["5"]), "A case with a twin asks nothing else"),
        (row(twin=["Emma"]), "“twin” says which words to swap"),
    ],
)
def test_what_is_wrong_is_named(line: str, said: str):
    with pytest.raises(SuiteUnreadable) as wrong:
        read_cases(line, "own.jsonl", Suite.GENERAL)
    assert str(wrong.value).startswith("own.jsonl line 1: ")
    assert said in str(wrong.value)


def test_one_id_names_one_case():
    with pytest.raises(SuiteUnreadable, match=r"line 2: “one” is the id of line 1 already"):
        read_cases(f"{row(any_of=['5'])}\n{row(any_of=['6'])}", "own.jsonl", Suite.GENERAL)


# ---------------------------------------------------------------- choosing


def cases(suite: Suite, *ids: str) -> tuple[Case, ...]:
    return tuple(Case(id, suite, f"{id}?", ()) for id in ids)


def test_ones_own_are_asked_first_and_the_rest_is_filled_up():
    own, shipped = cases(Suite.GENERAL, "mine"), cases(Suite.GENERAL, *"abcdefgh")
    found = chosen(own, shipped, SuiteSizes(3, 9), seed=7)
    assert found[0].id == "mine"
    assert len(found) == 3


def test_the_same_seed_asks_the_same_and_a_new_case_moves_at_most_one():
    shipped = cases(Suite.SAFETY, *"abcdefghijklmnop")
    sizes = SuiteSizes(0, 6)
    first = {case.id for case in chosen((), shipped, sizes, seed=7)}
    assert {case.id for case in chosen((), shipped[::-1], sizes, seed=7)} == first
    assert len(first - {case.id for case in chosen((), (*shipped, *cases(Suite.SAFETY, "new")), sizes, seed=7)}) <= 1
    assert any({case.id for case in chosen((), shipped, sizes, seed=seed)} != first for seed in range(5))


def test_one_of_ones_own_takes_the_place_of_a_shipped_one_and_nothing_is_asked_of_size_0():
    own, shipped = cases(Suite.GENERAL, "a"), cases(Suite.GENERAL, "a", "b")
    assert sorted(case.id for case in chosen(own, shipped, SuiteSizes(9, 9), seed=1)) == ["a", "b"]
    assert chosen(own, shipped, SuiteSizes(0, 0), seed=1) == ()
