"""Vendor rows: nothing stated without a source, nothing unknown passed off as known."""

from dataclasses import MISSING, fields
from datetime import date

import pytest

from providers.base import JobState
from providers.quirks import (
    JOB_STATES,
    NEBIUS,
    OPENAI,
    TUNER,
    VENDORS,
    ByteOrderMark,
    Confidence,
    Method,
    Quirks,
    job_state,
)
from tuner.http.gate import MAX_FILE_BYTES
from tuner.training_file import MIN_EXAMPLES, ROLES

ABOUT_THE_FILE = (
    "minimum_examples",
    "methods",
    "knows_weights",
    "knows_tools",
    "roles",
    "message_keys",
    "must_alternate",
    "must_end_with_answer",
    "one_output_message",
    "text_parts",
    "max_example_tokens",
    "max_file_bytes",
    "byte_order_mark",
)
ABOUT_TRAINING_AND_SERVING = (
    "extra_body",
    "extra_hyperparameters",
    "waits_for_files",
    "rank",
    "knows_rate_multiplier",
    "knows_replay",
    "goes_on",
    "scores_answers",
    "chat_url",
    "hosting",
    "hosting_needs",
    "hosting_needs_key",
    "bills_idle",
    "takes_newcomers",
    "is_openai_shaped",
)
EVERY_VENDOR = pytest.mark.parametrize("row", VENDORS.values(), ids=lambda row: row.name)


def defaults() -> dict[str, object]:
    return {field.name: field.default for field in fields(Quirks) if field.default is not MISSING}


@EVERY_VENDOR
def test_every_fact_that_differs_from_the_careful_value_names_its_source(row: Quirks):
    known = {fact.field for fact in row.facts}
    for name in ABOUT_THE_FILE + ABOUT_TRAINING_AND_SERVING:
        if getattr(row, name) != defaults().get(name, 1):
            assert name in known, f"{row.name}.{name} has no source"


@EVERY_VENDOR
def test_a_field_is_either_published_or_named_as_unpublished(row: Quirks):
    known = {fact.field for fact in row.facts}
    assert known & row.unpublished == set()
    for name in ("minimum_examples", "knows_weights", "max_example_tokens", "max_file_bytes"):
        assert name in known | row.unpublished


@EVERY_VENDOR
def test_sources_are_addresses_with_a_day_and_name_a_field_of_the_row(row: Quirks):
    names = {field.name for field in fields(Quirks)}
    for fact in row.facts:
        assert fact.field in names
        assert fact.source.startswith("https://" if row is not TUNER else "tuner/")
        assert date(2026, 1, 1) <= fact.read_on <= date(2026, 12, 31)
    assert row.unpublished <= names


def test_what_is_not_published_has_the_careful_value():
    assert NEBIUS.minimum_examples == 1
    assert not NEBIUS.knows_weights
    assert NEBIUS.max_example_tokens is None


def test_only_our_own_server_learns_from_marks_alone():
    assert {row.name for row in VENDORS.values() if Method.KTO in row.methods} == {"tuner"}


def test_the_row_of_our_server_says_what_its_code_does():
    assert TUNER.minimum_examples == MIN_EXAMPLES
    assert TUNER.roles == set(ROLES)
    assert TUNER.max_file_bytes == MAX_FILE_BYTES


def test_openai_takes_its_last_job_on_the_sixth_of_january_2027():
    assert min(stop.on for stop in OPENAI.stops) == date(2027, 1, 6)


def test_one_vendor_alone_wants_a_byte_order_mark():
    wanting = [row.name for row in VENDORS.values() if row.byte_order_mark is ByteOrderMark.REQUIRED]
    assert wanting == ["azure"]


def test_a_secondary_source_is_told_from_the_vendors_own():
    (fact,) = [fact for fact in OPENAI.facts if fact.field == "must_end_with_answer"]
    assert fact.confidence is Confidence.SECONDARY


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("completed", JobState.SUCCEEDED),
        ("error", JobState.FAILED),
        ("cancelled", JobState.CANCELLED),
        ("a word nobody has used yet", JobState.RUNNING),
    ],
)
def test_an_unknown_status_never_ends_a_run(word: str, state: JobState):
    assert job_state(word) is state


def test_every_known_status_has_a_state():
    assert set(JOB_STATES.values()) == set(JobState)
