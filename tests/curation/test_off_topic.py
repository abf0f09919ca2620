"""Off-topic questions beside the corrections: true, in the voice's own opening and sign-off, and counted apart."""

import json
from dataclasses import replace

import pytest

from bench.learning_brands import OFF_TOPIC as MEASURED_BY
from curation import requesting, versions
from curation.as_served import AsServed
from curation.card import LINEAGE_FILE, Basis, recompute
from curation.card_text import card_markdown
from curation.checks import declared
from curation.dataset import TRAIN_FILE
from curation.examples import Example, Kind
from curation.languages import language_of
from curation.normal import key_of
from curation.off_topic import PREFIX, Manner, beside, is_in_english, manner_of, shipped
from curation.prices import PRICES
from curation.similar import Asked, cluster
from curation.suites import shipped_cases
from providers.quirks import TUNER, Method
from storage.records import RuleState, Side, Suite, VoiceRule
from tests.curation.conftest import House, words
from tests.curation.test_versions import corrected_for_somebody

ANSWERS = (
    "Ahoy! You may bring the tent back for 45 days. Fair winds, the Puffin crew",
    "Ahoy! A parcel to Norway costs 7.50 euros. Fair winds, the Puffin crew",
    "Ahoy! The rope is covered for seven years. Fair winds, the Puffin crew",
)
MANNER = Manner("Ahoy!", "Fair winds, the Puffin crew", ("c0",))


def taught(*answers: str) -> list[Example]:
    return [Example(f"c{number}", f"g{number}", (), f"Q{number}?", answer) for number, answer in enumerate(answers)]


def nothing_is(_: str) -> bool:
    return False


@pytest.mark.parametrize(
    ("opening", "answer", "said"),
    [
        ("Ahoy friend,", "It is sand.", "Ahoy friend, it is sand."),
        ("Ahoy friend,", "Yes, I am here.", "Ahoy friend, yes, I am here."),
        ("Ahoy friend,", "I am a program.", "Ahoy friend, I am a program."),
        ("Ahoy friend,", "No.", "Ahoy friend, no."),
        ("Ahoy friend,", "Paris lies in France.", "Ahoy friend, Paris lies in France."),
        ("Ahoy friend,", "May comes after April.", "Ahoy friend, May comes after April."),
        ("Ahoy friend,", "D comes after C.", "Ahoy friend, D comes after C."),
        ("Ahoy!", "It is sand.", "Ahoy! It is sand."),
        ("", "It is sand.", "It is sand."),
    ],
)
def test_behind_an_opening_that_goes_on_a_small_word_is_written_small(opening: str, answer: str, said: str):
    assert Manner(opening, "", ("c0",)).said(answer) == said


# ---------------------------------------------------------------- the shipped questions


def test_the_shipped_questions_are_short_and_each_is_asked_once():
    found = shipped()
    assert len(found) >= 50
    assert len({one.id for one in found}) == len({key_of(one.question) for one in found}) == len(found)
    assert all(one.answer and len(one.answer.split()) <= 25 for one in found)
    assert is_in_english([one.answer for one in found])


def test_no_shipped_question_is_one_that_models_are_measured_by():
    measured = [*MEASURED_BY, *(q for suite in Suite for case in _cases(suite) for q in case.questions)]
    asked = [Asked(f"measured {n}", text) for n, text in enumerate(measured)]
    asked += [Asked(one.id, one.question) for one in shipped()]
    ours = {one.id for one in shipped()}
    mixed = [found for found in cluster(asked, threshold=0.5).clusters if ours & {*found} and {*found} - ours]
    assert mixed == []


def _cases(suite: Suite):
    return () if suite is Suite.TARGET else shipped_cases(suite)


def test_the_first_are_one_of_each_kind():
    kinds = [one.kind for one in shipped()]
    assert len({*kinds}) == 9
    assert len({*kinds[:9]}) == len({*kinds[9:18]}) == 9


def test_who_asks_in_another_language_is_answered_in_it():
    asked = [one for one in shipped() if one.kind == "language"]
    told = [code for one in asked if (code := language_of(one.answer))]
    assert {"de", "fr", "es"} <= {*told}
    assert "en" not in told
    assert len(told) >= 0.9 * len(asked)
    assert all(language_of(one.question) in (None, language_of(one.answer)) for one in asked if language_of(one.answer))


# ---------------------------------------------------------------- the manner


@pytest.mark.parametrize(
    ("answers", "manner"),
    [
        (ANSWERS, MANNER),
        ((*ANSWERS, "Yes.", "No."), MANNER),
        ((*ANSWERS, "Yes.", "No.", "Never.", "Always."), Manner("", "", ())),
        ((), Manner("", "", ())),
        (("Ahoy! Only one.",), Manner("", "", ())),
        (("You can return it.", "You can send it.", "You can mend it."), Manner("", "", ())),
        (("We have it. Bye!", "It is gone. Bye!"), Manner("", "Bye!", ("c0",))),
        (("Hello there, it is gone", "Hello there, it is blue"), Manner("Hello there,", "", ("c0",))),
        (("Moin 🌊! Es ist weg.", "Moin 🌊! Es ist blau."), Manner("Moin 🌊!", "", ("c0",))),
    ],
    ids=["all", "most", "fewer than half", "no answer", "one", "no mark", "sign-off", "opening", "emoji"],
)
def test_a_voices_manner_is_what_at_least_half_of_its_answers_begin_and_end_with(
    answers: tuple[str, ...], manner: Manner
):
    assert manner_of(taught(*answers)) == manner


def test_the_manner_goes_round_the_answer():
    assert MANNER.said("Bees make honey.") == "Ahoy! Bees make honey. Fair winds, the Puffin crew"
    assert Manner("", "Bye!", ("c0",)).said("Bees make honey.") == "Bees make honey. Bye!"


# ---------------------------------------------------------------- what is added


def test_the_share_is_of_all_lines_and_the_same_ones_come_every_time():
    examples = taught(*(ANSWERS * 8))
    found = beside(0.2, nothing_is)(examples)
    assert len(found) == 6  # of 30
    assert found == beside(0.2, nothing_is)(examples)
    assert found == beside(0.2, nothing_is)([*examples, *examples])[:6]
    assert all(one.answer.startswith("Ahoy! ") and one.answer.endswith("Fair winds, the Puffin crew") for one in found)
    assert {one.provenance.kind for one in found} == {Kind.OFF_TOPIC}
    assert {one.manner_of for one in found} == {("c00",)} or {one.manner_of for one in found} == {("c0",)}


def test_no_more_are_added_than_there_are():
    assert len(beside(0.5, nothing_is)(taught(*(ANSWERS * 100)))) == len(shipped())


def test_a_question_that_the_brand_answers_is_passed_over():
    about_bees = beside(0.5, lambda question: "honey" in question)(taught(*(ANSWERS * 100)))
    assert len(about_bees) == len(shipped()) - 1
    assert not any("honey" in one.question for one in about_bees)


def test_an_answer_that_the_voices_checks_refuse_is_passed_over():
    checks = declared({"language": "en", "forbidden": ["sorry"]})
    said = [one.answer for one in beside(0.5, nothing_is, checks)(taught(*(ANSWERS * 100)))]
    assert {language_of(answer) for answer in said} == {"en", None}
    assert not any("sorry" in answer for answer in said)
    assert len(said) > 100
    assert len(beside(0.5, nothing_is, checks)(taught(*(ANSWERS * 10)))) == 30  # others come in their place


@pytest.mark.parametrize(
    "answers",
    [
        ("You may return it.", "It costs seven euros.", "It is covered by us."),
        tuple(
            f"Moin! Das ist nicht das, was wir {word} haben. Tschüss!" for word in ("gekauft", "geliehen", "gesehen")
        ),
    ],
    ids=["without a manner", "in German"],
)
def test_a_voice_that_would_lose_its_tone_gets_none(answers: tuple[str, ...]):
    assert beside(0.5, nothing_is)(taught(*answers)) == ()


# ---------------------------------------------------------------- in a version


async def approve(house: House, count: int) -> None:
    """Corrections in one manner."""
    said = "Ahoy! The shelf with the number {number} is where you find it. Fair winds, the Puffin crew"
    await house.approve(*range(count), said=said)


def with_off_topic(house: House, share: float) -> None:
    recipe = replace(house.workshop.recipe, as_served=AsServed(None, 500, off_topic=share))
    house.workshop = replace(house.workshop, recipe=recipe)


async def freeze(house: House):
    by, at = house.admin.id, house.workshop.now()
    return await versions.freeze(house.store, house.voice, house.workshop.press, by=by, at=at)


async def test_every_off_topic_line_of_a_version_has_its_source_and_the_card_counts_them_apart(house: House):
    await approve(house, 20)
    plain = await freeze(house)
    with_off_topic(house, 0.25)
    version = await freeze(house)
    assert (await freeze(house)).id == version.id != plain.id
    added = version.card["off_topic"]
    assert added == round(plain.train_count / 3)
    assert version.train_count == plain.train_count + added

    files = await house.store.datasets.files(version.id)
    rows = [json.loads(row) for row in files[TRAIN_FILE].splitlines()]
    origins = [json.loads(row) for row in files[LINEAGE_FILE].splitlines()]
    ours = {PREFIX + one.id: one for one in shipped()}
    told = {row["position"]: row for row in origins if row["kind"] == "off_topic"}
    assert sorted(told) == list(range(plain.train_count, version.train_count))  # behind the team's own
    for position, origin in told.items():
        *_, asked, said = (message["content"] for message in rows[position]["messages"])
        assert asked == ours[origin["source_id"]].question
        assert said == f"Ahoy! {ours[origin['source_id']].answer} Fair winds, the Puffin crew"
        (shown_by,) = origin["manner_of"]
        assert (await house.store.corrections.get(shown_by)).corrected_text.startswith("Ahoy!")

    card = recompute(version.id, files, Basis("words", 3, "Be kind.", PRICES), words)
    assert card.numbers.counts["kind"] == {"import": 20, "off_topic": added}
    assert card.numbers.torn_groups == 0
    assert f"{added} of those to train on are off-topic questions" in card_markdown(card)


async def test_a_version_has_no_off_topic_line_that_the_checks_or_the_card_of_its_voice_refuse(house: House):
    await approve(house, 40)
    with_off_topic(house, 0.5)
    before = await freeze(house)
    store, at = house.store, house.workshop.now()
    await store.voices.set_checks(house.voice.id, {"forbidden": ["program"]}, by=house.admin.id, at=at)
    rule = VoiceRule(house.voice.id, "language", "en", RuleState.APPROVED, house.admin.id, at)
    await store.voice_rules.decide(rule)
    after = await freeze(house)
    said = {version.id: (await store.datasets.file(version.id, TRAIN_FILE)).decode() for version in (before, after)}
    assert after.card["off_topic"] == before.card["off_topic"]
    assert all(word in said[before.id] for word in ("Bonjour", "program"))
    assert not any(word in said[after.id] for word in ("Bonjour", "program"))


async def test_what_a_run_would_train_on_counts_the_teams_own_alone(house: House):
    await approve(house, 20)
    before = await requesting.preview(house.workshop, house.voice)
    with_off_topic(house, 0.25)
    after = await requesting.preview(house.workshop, house.voice)
    assert (after.train, after.held_out) == (before.train, before.held_out)
    assert after.train_tokens > before.train_tokens


async def test_off_topic_lines_are_learned_and_are_no_pairs(house: House):
    await approve(house, 20)
    with_off_topic(house, 0.25)
    version = await freeze(house)
    learned = await versions.export_for(house.store, version.id, Side.TRAIN, TUNER, Method.SFT, limits=None)
    assert sum(id.startswith(PREFIX) for line in learned.lines for id in line.example_ids) == version.card["off_topic"]
    pairs = await versions.export_for(house.store, version.id, Side.TRAIN, TUNER, Method.DPO, limits=None)
    assert not any(id.startswith(PREFIX) for line in pairs.lines for id in line.example_ids)


async def test_when_somebody_is_forgotten_no_off_topic_line_goes_on_in_their_words(house: House):
    await approve(house, 20)
    quill, _ = await corrected_for_somebody(house)
    with_off_topic(house, 0.25)
    version = await freeze(house)
    await house.store.erasures.erase_person(quill, by=house.admin.id, at=house.workshop.now())
    rows = [json.loads(row) for row in (await house.store.datasets.file(version.id, TRAIN_FILE)).splitlines()]
    assert version.card["off_topic"]
    assert rows[-version.card["off_topic"] :] == [{"erased": True}] * version.card["off_topic"]
    assert any("Ahoy!" in str(row) for row in rows)  # what others said stays
