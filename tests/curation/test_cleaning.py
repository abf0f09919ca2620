"""What an approval takes out of a correction, what stays because it is the brand's own, and what a version refuses to hold."""

import pytest

from curation.cleaning import PersonalDataLeft, cleaned, require_clean, rules_for, told
from curation.scrub import Kind, Person
from storage.records import Message
from tests.curation.test_selecting import correction

PROMPT = "You are Puffin Parcel. People reach us at help@puffin.example."


def test_the_same_value_has_one_number_over_history_question_reply_and_answer():
    made = correction(
        1,
        "Mail it to cleo@mail.example, or call +49 151 23456789.",
        "Done: cleo@mail.example. Or write to help@puffin.example.",
        history=(Message("user", "I am at cleo@mail.example"), Message("assistant", "Thanks.")),
        served_text="We mailed ole@mail.example.",
    )
    found = cleaned(made, rules_for(PROMPT, ()))
    assert found.correction.history[0].content == "I am at [email 1]"
    assert found.correction.question == "Mail it to [email 1], or call [phone 1]."
    assert found.correction.served_text == "We mailed [email 2]."
    assert found.correction.corrected_text == "Done: [email 1]. Or write to help@puffin.example."
    assert found.taken_out == {Kind.EMAIL: 4, Kind.PHONE: 1}
    again = cleaned(found.correction, rules_for(PROMPT, ()))
    assert (again.correction, again.is_changed) == (found.correction, False)


def test_what_was_said_in_the_conversation_has_one_number_in_all_its_corrections():
    said = ["I am cleo@mail.example", "Is ole@mail.example yours, too?", ""]
    first = correction(1, "I am cleo@mail.example", "Thanks, cleo@mail.example.", served_text=said[1])
    later = correction(2, "Send it to ole@mail.example, not cleo@mail.example", "Sent to ole@mail.example.")
    alone = cleaned(later, rules_for(PROMPT, ())).correction
    assert alone.question == "Send it to [email 1], not [email 2]"
    assert cleaned(first, rules_for(PROMPT, ())).correction.corrected_text == "Thanks, [email 1]."
    together = cleaned(later, rules_for(PROMPT, ()), said)
    assert together.correction.question == "Send it to [email 2], not [email 1]"
    assert together.correction.corrected_text == "Sent to [email 2]."
    assert together.taken_out == {Kind.EMAIL: 3}  # of the correction alone
    again = cleaned(together.correction, rules_for(PROMPT, ()), said)
    assert (again.correction, again.is_changed) == (together.correction, False)


def test_what_is_listed_and_what_the_prompt_says_itself_stays():
    made = correction(1, "Where to?", "Call 0800 1234567 or write to sales@puffin.example.")
    kept = cleaned(made, rules_for(PROMPT, {"@puffin.example", "0800 1234567"}))
    assert kept.correction == made
    assert "[email 1]" in cleaned(made, rules_for("Be kind.", ())).correction.corrected_text


def test_an_imported_answer_keeps_having_corrected_nothing():
    made = correction(1, "Q?", "Ask ole@mail.example.", served_text=None)
    assert cleaned(made, rules_for("", ())).correction.served_text is None


def test_the_askers_name_goes_with_every_spelling():
    people = [Person(("Cleo Quill",), ids=("U07QK2M4XR",))]
    made = correction(1, "I am Cleo Quill", "Ahoy cleo!")
    found = cleaned(made, rules_for("", (), people))
    assert "leo" not in found.correction.question + found.correction.corrected_text


@pytest.mark.parametrize(
    ("taken_out", "hints", "said"),
    [
        ({}, {}, ""),
        ({Kind.EMAIL: 1}, {}, "1 e-mail address was taken out of it."),
        (
            {Kind.PHONE: 2, Kind.EMAIL: 1, Kind.NAME: 1},
            {},
            "1 e-mail address, 1 name and 2 phone numbers were taken out of it.",
        ),
        ({}, {Kind.ADDRESS: 1}, "There may be 1 street address in it: have a look before it is trained on."),
    ],
)
def test_it_is_told_in_a_sentence(taken_out: dict[Kind, int], hints: dict[Kind, int], said: str):
    assert told(taken_out, hints) == said


def test_a_version_that_would_hold_something_is_refused_with_its_lines_and_the_next_step():
    line = b'{"messages": [{"role": "user", "content": "Write to ole@mail.example"}]}\n'
    require_clean({"train.jsonl": b"{}\n"}, rules_for("", ()))
    with pytest.raises(PersonalDataLeft) as refused:
        require_clean({"train.jsonl": b"{}\n" + line * 5}, rules_for("", ()))
    said = str(refused.value)
    assert "train.jsonl line 2 holds an e-mail address; train.jsonl line 3" in said
    assert "and more" in said
    assert "`finetone dataset scrub`" in said
    assert "ole@" not in said
