"""Approved corrections become examples; each one left out carries its reason."""

from dataclasses import replace
from datetime import UTC, datetime

from curation.examples import LeftOut
from curation.normal import normalised
from curation.selecting import select_examples
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
