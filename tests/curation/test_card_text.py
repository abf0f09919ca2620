"""A card as people and files keep it: a page that says what the record says, and JSON that gives the card again."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from curation.card import make_card, recompute
from curation.card_record import basis_of, card_document
from curation.card_text import card_markdown, cell, prompts_sentence
from curation.cost import Traffic
from curation.examples import LeftOut
from curation.prices import PRICES
from curation.scripts import script_of
from tests.curation.test_card import BASIS, card, line, parts, words

TRAFFIC = Traffic(Decimal(30_000), Decimal(18_000_000), Decimal(4_500_000))


def test_the_card_can_be_kept_as_json():
    document = card_document(card())
    assert json.loads(json.dumps(document)) == document
    training = card().estimates[0].training
    assert training is not None
    assert document["costs"][0]["training"] == f"{training.amount} USD"
    assert document["costs"][1]["training"] is None
    assert document["costs"][1]["unknown"][0].startswith("The price of training for tiny at tuner is unknown")


@pytest.mark.parametrize("traffic", [None, TRAFFIC], ids=["no traffic", "traffic"])
def test_a_kept_card_is_worked_out_again_from_the_versions_files_alone(traffic: Traffic | None):
    """Also when the prices have changed since: it keeps those it was made with."""
    files, lines, left_out = parts()
    targets = (("openai", "gpt-4.1-mini-2025-04-14"), ("tuner", "tiny"))
    basis = replace(BASIS, prices=PRICES, targets=targets, traffic=traffic)
    made = make_card("ds_1", lines, left_out, [], basis, words)
    files = {**files, "ratings.jsonl": b""}
    kept = json.loads(json.dumps(card_document(made)))
    again = recompute("ds_1", files, basis_of(kept), words)
    assert card_document(again) == kept
    assert again.estimates == made.estimates


def test_with_traffic_the_card_says_what_a_month_of_serving_costs():
    basis = replace(BASIS, prices=PRICES, targets=(("openai", "gpt-4.1-mini"),), traffic=TRAFFIC)
    page = card_markdown(make_card("ds", [line(0)], [], [], basis, words))
    assert "| where | training | serving a month | up for a month |" in page
    assert "| openai gpt-4.1-mini | less than $0.01 | $28.80 | $0.00 |" in page
    assert "https://openai.com/api/pricing/" in page


# ---------------------------------------------------------------- as a page


def test_the_page_says_every_number_of_the_record():
    page = card_markdown(card(), {"actor_1": "Ann", "slack:C1": "#help"})
    train = card().numbers.sides["train"]
    for said in (
        f"| train | {train.examples} | {train.groups} | {train.tokens} | {train.longest} |",
        "| Ann | 8 |",
        "| \\#help | 5 |",
        "| moderator | Ann, 66.7% | at most 50.0%, exceeded by Ann |",
        "2 corrections are not in it.",
        f"| {LeftOut.DUPLICATE} | 1 |",
        "| tuner tiny | unknown | unknown |",
        "Built with a system prompt of 3 tokens, 14 fewer than the voice's full one",
        "| Cyrillic | 1 |",
    ):
        assert said in page
    assert f"| openai gpt-4.1 | {card().estimates[0].training} | unknown |" in page


def test_many_values_are_cut_and_the_rest_counted():
    page = card_markdown(make_card("ds", [line(i, moderator=f"m{i:02}") for i in range(14)], [], [], BASIS, words))
    assert "| 4 others | 4 |" in page


def test_a_full_prompt_saves_nothing_and_no_number_is_invented():
    basis = replace(BASIS, full_prompt="")
    assert "fewer" not in card_markdown(make_card("ds", [line(0)], [], [], basis, words))


def test_a_name_cannot_break_the_page():
    assert cell("a|b\n<b>`x` [y](z)") == "a\\|b \\<b\\>\\`x\\` \\[y\\](z)"
    page = card_markdown(make_card("ds", [line(0, moderator="x | 9 |\n# Hi <script>")], [], [], BASIS, words))
    assert "\n# Hi" not in page
    assert "<script>" not in page


# ---------------------------------------------------------------- scripts


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Hello", "Latin"),
        ("Grüße", "Latin"),
        ("Да, OK, конечно", "Cyrillic"),
        ("はい、注文済みです", "Kana"),
        ("订单已发货", "Han"),
        ("네, 그렇습니다", "Hangul"),
        ("نعم", "Arabic"),
        ("Ναι", "Greek"),
        ("नमस्ते", "Devanagari"),
        ("ＯＫ", "Latin"),
        ("42 %", "none"),
        ("😀", "none"),
        ("", "none"),
        ("aя", "Cyrillic"),
    ],
)
def test_the_script_is_that_of_most_letters(text: str, script: str):
    assert script_of(text) == script


@pytest.mark.parametrize(
    ("built", "said"),
    [
        ("", ""),
        ("chat-1", "Its prompts are built without fixes: chat-1."),
        (
            "chat-1 fixes-1 recall-2:words",
            "Its prompts are built with the fixes a reply would be shown: chat-1 fixes-1 recall-2:words.",
        ),
        (
            "chat-1 fixes-1 recall-2:wordllama",
            "Its prompts are built with the fixes a reply would be shown: chat-1 fixes-1 recall-2:wordllama. A model trained "
            "on it is trained for another shape than is served here: chat-1 fixes-1 recall-2:words.",
        ),
    ],
    ids=["from before shapes", "without fixes", "the same", "another retriever"],
)
def test_a_card_says_for_which_prompts_its_models_are(built: str, said: str):
    found = prompts_sentence(built, "chat-1 fixes-1 recall-2:words")
    assert found == said
    assert cell(said) in card_markdown(card(), prompts=found)
