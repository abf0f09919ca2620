"""A version's card: every number of it comes out again from the version's own files, counted by other means."""

import json
from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.agreement import Rating
from curation.card import (
    LEFT_OUT_FILE,
    LINEAGE_FILE,
    RATINGS_FILE,
    Basis,
    Card,
    CardLine,
    Kind,
    Largest,
    Origin,
    SideNumbers,
    lineage_files,
    make_card,
    recompute,
)
from curation.card_text import card_markdown
from curation.dataset import FILE_OF_SIDE, HELD_OUT_FILE, TRAIN_FILE, Dataset, Rules, build_dataset
from curation.examples import LeftOut
from curation.prices import Item, Price, PriceKey, Unit
from curation.selecting import select_examples
from storage.records import Message, Side
from tests.curation.test_selecting import correction

FULL = "You are the voice of Puffin & Co. Be kind, be brief, and never promise a date."
SHORT = "You are Puffin."
RULES = Rules(minimum_train=10, minimum_held_out=2, held_out_share=0.2, context_tokens=200)
PRICES = {
    PriceKey("openai", "gpt-4.1", Item.TRAINING): Price(
        Decimal(25), Unit.MILLION_TOKENS, "USD", "https://example.com", date(2026, 11, 21)
    )
}
BASIS = Basis(
    "words",
    epochs=3,
    full_prompt=FULL,
    caps={"moderator": 0.5, "day": 0.9},
    targets=(("openai", "gpt-4.1"), ("tuner", "tiny")),
    prices=PRICES,
)
RATINGS = [
    Rating("r1", "ann", "tone"),
    Rating("r1", "bob", "tone"),
    Rating("r2", "ann", "wrong"),
    Rating("r2", "bob", "tone"),
]


def words(contents: list[str]) -> int:
    return sum(len(content.split()) for content in contents)


def dataset() -> Dataset:
    """Twelve corrections and what is left out: one said twice, one kept out of training."""
    made = [correction(i, answer="Да, конечно." if i == 3 else "") for i in range(12)]
    repeated = replace(made[0], id="corr_000b")
    private = correction(50, is_for_training=False)
    selection = select_examples([*made, repeated, private])
    return build_dataset(selection, {}, system_prompt=SHORT, rules=RULES, count_tokens=words, counter_name="words")


def origin_of(correction_id: str, side: Side, position: int, group_key: str) -> Origin:
    number = int(correction_id[5:8])
    return Origin(
        side,
        position,
        correction_id,
        group_key,
        Kind.IMPORT if number >= 10 else Kind.CORRECTION,
        channel="" if number >= 10 else ("slack:C1" if number % 2 else "discord:7"),
        reason="tone" if number < 9 else "wrong",
        language="ru" if number == 3 else "en",
        moderator="actor_1" if number < 8 else "actor_2",
        day="2026-11-20" if number < 6 else "2026-11-21",
    )


def parts() -> tuple[dict[str, bytes], list[CardLine], list[tuple[str, str]]]:
    """A version's files, its lines as records, and what was left out."""
    made = dataset()
    lines: list[CardLine] = []
    for side, examples in ((Side.TRAIN, made.train), (Side.HELD_OUT, made.held_out)):
        for position, example in enumerate(examples):
            origin = origin_of(example.source_id, side, position, example.group_key)
            messages = (
                Message("system", SHORT),
                Message("user", example.question),
                Message("assistant", example.answer),
            )
            lines.append(CardLine(origin, messages))
    left_out = [(name, reason) for name, reason in made.card["left_out_corrections"].items()]
    files = {**made.files, **lineage_files([line.origin for line in lines], left_out, RATINGS)}
    return files, lines, left_out


def card() -> Card:
    _, lines, left_out = parts()
    return make_card("ds_1", lines, left_out, RATINGS, BASIS, words)


# ---------------------------------------------------------------- numbers


def test_the_card_comes_out_again_from_the_versions_own_files():
    files, _, _ = parts()
    assert recompute("ds_1", files, BASIS, words) == card()


def read(files: dict[str, bytes], name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in files[name].decode().strip().split("\n")]


def test_every_number_is_what_a_plain_count_of_the_files_gives():
    """The counting here is written apart from the card's: by command-line means, line by line."""
    files, _, _ = parts()
    numbers = card().numbers
    train, held_out, lineage = read(files, TRAIN_FILE), read(files, HELD_OUT_FILE), read(files, LINEAGE_FILE)
    for side, found in (("train", train), ("held_out", held_out)):
        tokens = [sum(len(m["content"].split()) for m in row["messages"]) for row in found]
        groups = {row["group_key"] for row in lineage if row["side"] == side}
        assert numbers.sides[side] == SideNumbers(len(found), len(groups), sum(tokens), max(tokens))
    assert numbers.held_out_share == round(len(held_out) / len(train + held_out), 4)
    for name in ("kind", "channel", "reason", "language", "moderator", "topic", "day"):
        assert numbers.counts[name] == Counter(row[name] or "unknown" for row in lineage)
    assert numbers.counts["script"] == {"Latin": 11, "Cyrillic": 1}
    assert numbers.left_out == Counter(row["reason"] for row in read(files, LEFT_OUT_FILE))
    assert numbers.repeated_lines == len(train + held_out) - len({json.dumps(row) for row in train + held_out})
    assert numbers.prompt_tokens == len(SHORT.split())
    assert numbers.saved_tokens_per_reply == len(FULL.split()) - len(SHORT.split())
    estimate = card().estimates[0]
    assert estimate.training is not None
    assert estimate.training.amount == Decimal(numbers.sides["train"].tokens) * 3 * 25 / 1_000_000
    assert card().agreement.overall.ratings == len(read(files, RATINGS_FILE))


def test_the_numbers_of_twelve_corrections_counted_by_hand():
    numbers = card().numbers
    assert numbers.sides["train"].examples + numbers.sides["held_out"].examples == 12
    assert numbers.counts["moderator"] == {"actor_1": 8, "actor_2": 4}
    assert numbers.counts["kind"] == {"correction": 10, "import": 2}
    assert numbers.counts["channel"] == {"discord:7": 5, "slack:C1": 5, "unknown": 2}
    assert numbers.largest["moderator"] == Largest("actor_1", 0.6667)
    assert numbers.over_cap == {"moderator": Largest("actor_1", 0.6667)}
    assert numbers.left_out == {str(LeftOut.DUPLICATE): 1, str(LeftOut.NOT_FOR_TRAINING): 1}
    assert (numbers.repeated_lines, numbers.repeated_questions, numbers.torn_groups) == (0, 0, 0)
    assert (numbers.prompt_tokens, numbers.saved_tokens_per_reply) == (3, 14)


def test_the_card_is_the_same_as_the_one_the_dataset_was_built_with():
    built = dataset()
    numbers = card().numbers
    assert numbers.sides["train"].tokens == built.card["train_tokens"]
    assert numbers.left_out == built.card["left_out"]


def line(position: int, text: str = "A?", side: Side = Side.TRAIN, **changes: Any) -> CardLine:
    origin = Origin(side, position, f"corr_{position}", f"group_{position}", Kind.CORRECTION)
    return CardLine(replace(origin, **changes), (Message("user", text), Message("assistant", "B.")))


def numbers_of(*lines: CardLine, basis: Basis = BASIS) -> Any:
    return make_card("ds_1", lines, [], [], basis, words).numbers


def test_the_most_frequent_comes_first_and_of_equals_the_first_by_name():
    numbers = numbers_of(*(line(i, moderator=name) for i, name in enumerate("cabbc")))
    assert list(numbers.counts["moderator"].items()) == [("b", 2), ("c", 2), ("a", 1)]


def test_without_a_system_prompt_none_is_counted():
    """With a counter that adds the marks around a message, as the real ones do."""
    numbers = make_card(
        "ds_1", [line(0)], [], [], replace(BASIS, full_prompt=""), lambda texts: 4 + words(texts)
    ).numbers
    assert (numbers.prompt_tokens, numbers.saved_tokens_per_reply) == (0, 0)


def test_a_lineage_line_is_json_with_its_keys_in_order_and_text_as_it_is():
    origin = Origin(Side.TRAIN, 0, "corr_1", "g", Kind.MARK, topic="größe", merged=("corr_0",))
    files = lineage_files([origin], [("corr_2", LeftOut.EMPTY)], [RATINGS[0]])
    assert files[LINEAGE_FILE].decode() == (
        '{"channel": "", "day": "", "fixes": [], "group_key": "g", "kind": "mark", "language": "", "merged": ["corr_0"], '
        '"moderator": "", "position": 0, "reason": "", "side": "train", "source_id": "corr_1", "topic": "größe"}\n'
    )
    assert files[LEFT_OUT_FILE].decode() == ('{"reason": "its question or answer is empty", "source_id": "corr_2"}\n')
    assert files[RATINGS_FILE].decode() == '{"rater": "ann", "unit": "r1", "value": "tone"}\n'


def test_lines_and_questions_that_repeat_are_counted():
    answered = CardLine(line(2).origin, (Message("user", "A?"), Message("assistant", "Other.")))
    numbers = numbers_of(line(0), line(1), answered)
    assert (numbers.repeated_lines, numbers.repeated_questions) == (1, 2)


def test_a_group_on_both_sides_is_counted_as_torn():
    numbers = numbers_of(line(0, group_key="g"), line(0, "C?", Side.HELD_OUT, group_key="g"), line(1))
    assert numbers.torn_groups == 1


@pytest.mark.parametrize(
    ("moderators", "over"),
    [
        pytest.param("aabb", {}, id="half is not above a half"),
        pytest.param("aaab", {"moderator": Largest("a", 0.75)}, id="three quarters are"),
        pytest.param(["", "", "", "b"], {}, id="nobody has no cap"),
    ],
)
def test_whoever_has_more_than_the_cap_is_named(moderators: str, over: dict[str, Largest]):
    lines = [line(i, moderator=name, day=str(i)) for i, name in enumerate(moderators)]
    assert numbers_of(*lines).over_cap == over


def test_an_empty_version_has_a_card_of_zeros():
    numbers = numbers_of()
    assert numbers.sides["train"] == SideNumbers(0, 0, 0, 0)
    assert (numbers.held_out_share, numbers.largest, numbers.over_cap) == (0.0, {}, {})
    assert card_markdown(make_card("ds_1", [], [], [], BASIS, words)).startswith("# Dataset ds_1")


def test_a_version_from_before_lineage_files_still_has_its_counts():
    files, _, _ = parts()
    bare = {name: files[name] for name in (TRAIN_FILE, HELD_OUT_FILE)}
    old = recompute("ds_1", bare, BASIS, words).numbers
    assert old.sides["train"].tokens == card().numbers.sides["train"].tokens
    assert old.counts["kind"] == {"unknown": 12}
    assert old.counts["script"] == card().numbers.counts["script"]
    assert (old.left_out, old.over_cap) == ({}, {})


def test_the_lineage_files_are_the_same_whatever_order_they_are_made_in():
    _, lines, left_out = parts()
    origins = [line.origin for line in lines]
    assert lineage_files(origins, left_out, RATINGS) == lineage_files(origins[::-1], left_out[::-1], RATINGS[::-1])


word = st.text(max_size=8)
any_lines = st.lists(
    st.builds(
        lambda side, values, question, answer: (side, values, question, answer),
        st.sampled_from(Side),
        st.fixed_dictionaries(
            {name: word for name in ("channel", "reason", "language", "moderator", "topic", "day", "group_key")}
        ),
        word,
        word,
    ),
    max_size=8,
)


@given(any_lines, st.lists(st.tuples(word, word), max_size=3, unique_by=lambda pair: pair[0]))
def test_any_version_gives_the_same_card_twice(made: list[Any], left_out: list[tuple[str, str]]):
    positions: Counter[Side] = Counter()
    lines: list[CardLine] = []
    for side, values, question, answer in sorted(made, key=lambda item: item[0] is Side.HELD_OUT):
        origin = Origin(side, positions[side], f"corr_{len(lines)}", kind=Kind.MARK, **values)
        positions[side] += 1
        lines.append(CardLine(origin, (Message("user", question), Message("assistant", answer))))
    files = lineage_files([line.origin for line in lines], left_out, [])
    for side, name in FILE_OF_SIDE.items():
        rows = [
            {"messages": [{"role": m.role, "content": m.content} for m in line.messages]}
            for line in lines
            if line.origin.side is side
        ]
        files[name] = b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)
    assert recompute("ds_1", files, BASIS, words) == make_card("ds_1", lines, left_out, [], BASIS, words)
