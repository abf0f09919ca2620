"""Approved corrections become examples; each one left out carries its reason."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from curation.examples import Example, Kind, LeftOut, Provenance, key_of_group
from curation.normal import normalised
from curation.selecting import Circumstances, select_examples
from storage.records import Correction, CorrectionState, Judgement, Message

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def correction(number: int, question: str = "", answer: str = "", **changes: object) -> Correction:
    made = Correction(
        id=f"corr_{number:03}",
        voice_id="voice_1",
        reply_id=f"reply_{number}",
        conversation_id=f"conv_{number}",
        origin="reply",
        key=f"key_{number}",
        history=(),
        question=question or f"Question {number}?",
        served_text="old",
        corrected_text=answer or f"Answer {number}.",
        reason=Judgement.TONE,
        note="",
        state=CorrectionState.APPROVED,
        proposed_by="actor_1",
        proposed_at=NOW,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_only_approved_corrections_become_examples():
    states = [correction(i, state=state) for i, state in enumerate(CorrectionState)]
    assert [e.source_id for e in select_examples(states).examples] == [
        c.id for c in states if c.state is CorrectionState.APPROVED
    ]


def test_nothing_gives_nothing():
    assert select_examples([]).examples == ()


def test_the_newest_answer_to_the_same_question_wins_and_the_older_is_named():
    chosen = select_examples([correction(1, "Refund?", "In 5 days."), correction(2, "refund", "In 7 days.")])
    assert [e.answer for e in chosen.examples] == ["In 7 days."]
    assert chosen.left_out == (("corr_001", LeftOut.OUTVOTED),)


def test_a_repeated_example_is_left_out_as_a_duplicate():
    chosen = select_examples([correction(1, "Refund?", "Yes."), correction(2, "Refund?", "Yes.")])
    assert chosen.left_out == (("corr_001", LeftOut.DUPLICATE),)


def test_the_same_question_in_another_conversation_context_is_another_example_of_the_same_group():
    said = (Message("user", "I bought a lamp."), Message("assistant", "Nice!"))
    chosen = select_examples([correction(1, "Refund?", "Yes."), correction(2, "Refund?", "Lamps too.", history=said)])
    assert len(chosen.examples) == 2
    assert len({e.group_key for e in chosen.examples}) == 1


def test_examples_of_one_conversation_share_a_group():
    chosen = select_examples(
        [correction(1, conversation_id="conv_a"), correction(2, conversation_id="conv_a"), correction(3)]
    )
    keys = [e.group_key for e in chosen.examples]
    assert keys[0] == keys[1] != keys[2]


def test_groups_join_through_a_shared_question_across_conversations():
    chain = [
        correction(1, "A?", conversation_id="conv_a"),
        correction(2, "B?", conversation_id="conv_a"),
        correction(
            3, "B?", "Other.", conversation_id="conv_b", history=(Message("user", "x"), Message("assistant", "y"))
        ),
        correction(4, "C?", conversation_id="conv_b"),
    ]
    assert len({e.group_key for e in select_examples(chain).examples}) == 1


def test_questions_of_only_emoji_stay_apart():
    chosen = select_examples([correction(1, "😀"), correction(2, "😡")])
    assert [e.question for e in chosen.examples] == ["😀", "😡"]
    assert len({e.group_key for e in chosen.examples}) == 2


def test_an_empty_answer_is_left_out_with_its_reason():
    assert select_examples([correction(1, "Q?", "  ")]).left_out == (("corr_001", LeftOut.EMPTY),)


def test_normalised_ignores_case_signs_and_width():
    assert normalised("Wo ist\tmein PAKET?!") == normalised("wo ist mein ｐａｋｅｔ") == "wo ist mein paket"


def test_what_was_kept_out_of_training_is_left_out_and_says_so():
    chosen = select_examples([correction(1), correction(2, is_for_training=False)])
    assert [e.source_id for e in chosen.examples] == ["corr_001"]
    assert chosen.left_out == (("corr_002", LeftOut.NOT_FOR_TRAINING),)


def test_imported_answers_of_one_conversation_stand_on_one_side_and_others_do_not():
    opening = (Message("user", "Hello there"), Message("assistant", "Ahoy!"))
    loose = {"reply_id": None, "conversation_id": None, "origin": "import:tickets.csv:3"}
    first = correction(1, "Hello there", "Ahoy!", **loose)
    second = correction(2, "Where is it?", "At sea.", history=opening, **loose)
    third = correction(3, "And now?", "Here.", history=(*opening, Message("user", "Where is it?")), **loose)
    stranger = correction(4, "Is it vegan?", "No.", **loose)
    keys = {e.source_id: e.group_key for e in select_examples([first, second, third, stranger]).examples}
    assert keys["corr_001"] == keys["corr_002"] == keys["corr_003"]
    assert keys["corr_004"] != keys["corr_001"]


# ---------------------------------------------------------------- what says nearly the same

SHORT = "How do I change the delivery address of my order?"
LONG = "How do I change the delivery adress of my order please?"
ANSWER = "Open your order, choose Change address, and save before four o'clock on the day it ships."
NEARLY = "Open your order, choose Change address and save, before four o'clock on the day it ships!"


def test_nearly_the_same_question_and_answer_become_one_that_speaks_for_both():
    chosen = select_examples([correction(1, SHORT, ANSWER), correction(2, LONG, NEARLY), correction(3)])
    assert [(e.source_id, e.merged) for e in chosen.examples] == [("corr_002", ("corr_001",)), ("corr_003", ())]
    assert chosen.left_out == (("corr_001", LeftOut.NEAR_DUPLICATE),)


def test_who_speaks_for_one_speaks_for_those_it_spoke_for():
    three = [correction(1, SHORT, ANSWER), correction(2, SHORT, ANSWER), correction(3, LONG, NEARLY)]
    (example,) = select_examples(three).examples
    assert (example.source_id, example.merged) == ("corr_003", ("corr_001", "corr_002"))


def test_another_answer_to_nearly_the_same_question_stays_and_stands_on_the_same_side():
    other = "Write to us with the number of the order, and a person will change it for you at once."
    chosen = select_examples([correction(1, SHORT, ANSWER), correction(2, LONG, other)])
    assert [e.merged for e in chosen.examples] == [(), ()]
    assert len({e.group_key for e in chosen.examples}) == 1
    assert {e.provenance.topic for e in chosen.examples} == {SHORT}


def test_a_question_that_says_the_opposite_is_another_one():
    pair = [correction(1, "How do I enable the newsletter?"), correction(2, "How do I disable the newsletter?")]
    assert len({e.group_key for e in select_examples(pair).examples}) == 2


def test_after_another_conversation_nearly_the_same_is_not_the_same():
    said = (Message("user", "It is a gift."), Message("assistant", "How nice!"))
    chosen = select_examples([correction(1, SHORT, ANSWER), correction(2, LONG, NEARLY, history=said)])
    assert len(chosen.examples) == 2


# ---------------------------------------------------------------- what is kept out


def test_both_sides_of_a_dispute_are_left_out_and_say_so():
    chosen = select_examples([correction(i) for i in range(3)], Circumstances(disputed={"corr_000", "corr_002"}))
    assert [e.source_id for e in chosen.examples] == ["corr_001"]
    assert chosen.left_out == (("corr_000", LeftOut.DISPUTED), ("corr_002", LeftOut.DISPUTED))


def test_an_answer_whose_time_is_over_is_left_out():
    soon, over = correction(1, expires_at=NOW + timedelta(days=1)), correction(2, expires_at=NOW)
    chosen = select_examples([soon, over], Circumstances(at=NOW))
    assert [e.source_id for e in chosen.examples] == ["corr_001"]
    assert chosen.left_out == (("corr_002", LeftOut.EXPIRED),)


def test_a_reply_marked_as_good_yields_to_a_correction_of_nearly_the_same_question():
    own = marked_good("reply_9", "conv_9", "Do you ship to Norway?")
    beside = marked_good("reply_8", "conv_8", LONG)
    chosen = select_examples([correction(1, SHORT, ANSWER)], Circumstances(marked=[own, beside]))
    assert [e.source_id for e in chosen.marked] == ["reply_9"]
    assert chosen.left_out == (("reply_8", LeftOut.CORRECTED),)


def test_a_marked_reply_stands_where_its_conversation_does():
    in_conversation = correction(1, conversation_id="conv_a")
    chosen = select_examples([in_conversation], Circumstances(marked=[marked_good("reply_9", "conv_a", "Norway?")]))
    assert chosen.marked[0].group_key == chosen.examples[0].group_key


def marked_good(reply_id: str, conversation_id: str, question: str) -> Example:
    key = key_of_group(conversation_id)
    return Example(reply_id, key, (), question, "Yes.", provenance=Provenance(Kind.MARK))
