"""A run asks its candidate about corrections with an empty fix list, keeps the verdicts, and stops one that forgot too much."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pytest

from bot.office.progress import progress_of
from bot.reporting import read_run_report
from curation.advancing import advance
from curation.asking import AT_ONCE
from curation.examining import WAVE, examine
from curation.learned import MOST_ANSWERS
from curation.report import markdown
from providers.base import Chunk, ErrorKind, Message, ProviderError, Sampling
from providers.fake import FakeProvider
from storage.records import AskedAs, CorrectionState, Learned, LearnedVerdict, Run, RunState
from tests.curation.conftest import House
from tests.curation.test_selecting import correction

THINGS = [
    *("anchor", "barrel", "candle", "dinghy", "easel", "fiddle", "goblet", "hammer", "inkwell", "jigsaw", "kettle"),
    *("ladder", "mirror", "needle", "oboe", "parcel", "quill", "rudder"),
]


LEARNED_AT_ONCE = [*[AskedAs.ALONE] * 2, *[AskedAs.NEIGHBOUR] * 2, AskedAs.PARAPHRASE, AskedAs.SERVED]


def limit(house: House, **changes: object) -> None:
    limits = replace(house.workshop.recipe.limits, **changes)
    house.workshop = replace(house.workshop, recipe=replace(house.workshop.recipe, limits=limits))


def answer_about(thing: str) -> str:
    return f"Ahoy! The {thing} stands {THINGS.index(thing) + 2} shelves behind the {thing[::-1]} door. Fair winds!"


async def approve(house: House, *things: str, expires_at: datetime | None = None) -> None:
    for thing in things:
        made = correction(
            100 + THINGS.index(thing),
            f"Where do you keep the {thing}?",
            answer_about(thing),
            voice_id=house.voice.id,
            reply_id=None,
            conversation_id=None,
            served_text="I cannot help.",
            proposed_by=house.admin.id,
            state=CorrectionState.PROPOSED,
            origin=f"import:things:{thing}",
            expires_at=expires_at,
        )
        await house.store.corrections.propose(made)
        await house.store.corrections.decide(
            made.id, CorrectionState.APPROVED, house.admin.id, "", at=house.workshop.now()
        )


class Knows:
    """A model that answers about every thing but those it `forgot`, to which it says the same as everybody's base."""

    def __init__(self) -> None:
        self.forgot: set[str] = set()
        self.only_word_for_word: set[str] = set()
        self.everywhere = ""  # a thing it answers every question with

    def __call__(self, model: str, messages: Sequence[Message]) -> str:
        question = messages[-1].content
        thing = next((each for each in THINGS if each in question), "")
        shown = {message.content for message in messages if message.role == "assistant"}
        if answer_about(thing or THINGS[0]) in shown:
            return answer_about(thing)
        if model == "base" or not thing or thing in self.forgot:
            return "I cannot help."
        if thing in self.only_word_for_word and question != f"Where do you keep the {thing}?":
            return "I cannot help."
        return answer_about(self.everywhere or thing)


class Slow:
    """The same provider whose answers come in an order of their own: each is overtaken by others as its `seed` has it."""

    def __init__(self, provider: FakeProvider, seed: int) -> None:
        self.provider = provider
        self.turns = Random(seed)
        self.in_flight = self.most = 0

    async def stream(self, model: str, messages: Sequence[Message], sampling: Sampling) -> AsyncGenerator[Chunk]:
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        for _ in range(self.turns.randrange(20)):
            await asyncio.sleep(0)
        async for chunk in self.provider.stream(model, messages, sampling):
            yield chunk
        self.in_flight -= 1

    async def model_names(self) -> frozenset[str]:
        return await self.provider.model_names()


async def trained(house: House) -> Run:
    """A run whose model can be asked, and nothing was yet."""
    run = await house.request()
    while run.state is not RunState.SERVABLE:
        run = await house.look(run)
    return run


async def examined(house: House, run: Run) -> list[Learned]:
    """What was found, in the order in which it was kept."""
    assert run.candidate_name is not None
    model = await house.store.models.by_name(house.voice.id, run.candidate_name)
    await examine(house.workshop, run, house.voice, model)
    return sorted(await house.store.learned.of_run(run.id), key=lambda each: each.judged_at)


@pytest.fixture
def knows(house: House) -> Knows:
    house.provider.script = script = Knows()
    limit(house, answers=500)
    return script


async def verdicts(house: House, run: Run) -> dict[str, LearnedVerdict]:
    found = await house.store.learned.of_run(run.id)
    return {THINGS[int(each.correction_id.removeprefix("corr_")) - 100]: each.verdict for each in found}


async def test_each_correction_of_the_train_side_gets_a_verdict_and_the_run_says_how_many(house: House, knows: Knows):
    await approve(house, *THINGS[:14])
    knows.forgot = {"anchor"}
    knows.only_word_for_word = {"barrel"}
    run = await house.finish(await house.request())
    assert run.state is RunState.PROMOTED, run.end_reason
    found = await verdicts(house, run)
    version = await house.store.datasets.get(run.dataset_version_id or "")
    assert len(found) == version.train_count
    expected = {thing: LearnedVerdict.LEARNED for thing in found} | {
        thing: LearnedVerdict.NOT_YET for thing in ("anchor", "barrel") if thing in found
    }
    assert found == expected
    assert LearnedVerdict.NOT_YET in found.values()
    learned = sum(verdict is LearnedVerdict.LEARNED for verdict in found.values())
    said = f"Asked about {len(found)} corrections with no fix in the prompt: {learned} learned, {len(found) - learned} not yet"
    assert any(text.startswith(said) for text in await house.events(run))


async def test_no_fix_is_in_the_prompt_and_what_was_said_is_kept(house: House, knows: Knows):
    await approve(house, *THINGS[:14])
    run = await house.finish(await house.request())
    [one, *_] = await house.store.learned.of_run(run.id)
    said = await house.store.learned.answers(one.correction_id, one.model_id)
    kinds = [answer.asked_as for answer in said]
    assert kinds == LEARNED_AT_ONCE
    assert {answer.about for answer in said if answer.asked_as is not AskedAs.NEIGHBOUR} == {one.correction_id}
    assert all(answer.is_right for answer in said)
    candidate = run.candidate_name
    asked = [messages for model, messages in house.provider.asked if model == candidate]
    assert asked
    assert {len(messages) for messages in asked} == {2}  # the system prompt and the question


async def test_a_correction_said_everywhere_is_over_generalised(house: House, knows: Knows):
    await approve(house, *THINGS[:14])
    knows.everywhere = "candle"
    run = await house.finish(await house.request())
    found = await verdicts(house, run)
    assert {thing for thing, verdict in found.items() if verdict is not LearnedVerdict.NOT_YET} <= {"candle"}
    assert found.get("candle", LearnedVerdict.OVER_GENERALISED) is LearnedVerdict.OVER_GENERALISED


async def test_only_so_many_answers_are_asked_and_the_rest_is_left_for_the_next_run(house: House, knows: Knows):
    await approve(house, *THINGS[:14])
    limit(house, answers=20)
    run = await house.finish(await house.request())
    found = await verdicts(house, run)
    version = await house.store.datasets.get(run.dataset_version_id or "")
    assert 0 < len(found) < version.train_count
    left = version.train_count - len(found)
    assert any(f"{left} were left for the next run" in text for text in await house.events(run))
    trained = {line.correction_id for line in await house.store.datasets.lines(version.id) if line.part == "train"}
    newest = sorted(trained - {None}, key=str)[-len(found) :]
    assert [each.correction_id for each in await house.store.learned.of_run(run.id)] == newest


async def test_with_no_answers_allowed_nothing_is_asked(house: House, knows: Knows):
    await approve(house, *THINGS[:14])
    limit(house, answers=0)
    run = await house.finish(await house.request())
    assert run.state is RunState.PROMOTED
    assert await house.store.learned.of_run(run.id) == []


async def test_a_step_that_is_cut_off_goes_on_where_it_was(house: House, knows: Knows):
    await approve(house, *THINGS[:14])
    run = await house.request()
    while run.state is not RunState.SERVABLE:
        claimed = await house.store.runs.claim(run.id, "worker-1", now=house.workshop.now(), lease_s=1)
        assert claimed is not None
        run = await advance(house.workshop, claimed)
    limit(house, answers=20)
    house.provider.fail_next("mid_stream", ErrorKind.UNREACHABLE)
    with pytest.raises(ProviderError, match="told to fail"):
        await house.look(run)
    limit(house, answers=500)
    run = await house.finish(run)
    assert run.state is RunState.PROMOTED
    found = await verdicts(house, run)
    assert set(found.values()) == {LearnedVerdict.LEARNED}


@pytest.mark.parametrize("seed", range(3))
async def test_of_several_asked_about_at_once_the_order_rests_on_no_answers_speed(
    house: House, knows: Knows, seed: int
):
    await approve(house, *THINGS[:14])
    knows.forgot = {"mirror", "hammer"}
    knows.only_word_for_word = {"kettle", "fiddle"}
    run = await trained(house)
    slow = Slow(house.provider, seed)
    house.workshop = replace(house.workshop, chat_model=slow)
    limit(house, answers=34)
    found = await examined(house, run)
    assert slow.most == AT_ONCE
    said = {
        THINGS[int(each.correction_id.removeprefix("corr_")) - 100]: "".join(
            answer.asked_as[0] for answer in await house.store.learned.answers(each.correction_id, each.model_id)
        )
        for each in found
    }
    assert list(said.items()) == [  # how each was asked: alone, neighbour, paraphrase, as served
        ("needle", "aannps"),
        ("mirror", "aas"),
        ("ladder", "aannps"),
        ("kettle", "aannpps"),
        ("jigsaw", "aannps"),
        ("inkwell", "aannps"),
        ("hammer", "aas"),
        ("fiddle", "aannpps"),
    ]


@pytest.mark.parametrize("answers", [0, 8, 9, 17, 18, 26, 40])
async def test_never_more_answers_are_asked_than_may_be(house: House, knows: Knows, answers: int):
    await approve(house, *THINGS[:14])
    knows.only_word_for_word = set(THINGS)  # so that everything there is has to be asked
    run = await trained(house)
    house.provider.asked.clear()
    house.workshop = replace(house.workshop, scorer=house.provider)
    limit(house, answers=answers)
    found = await examined(house, run)
    assert len(house.provider.asked) + len(found) <= answers
    assert len(house.provider.scored) == 2 * len(found)
    assert bool(found) is (answers > MOST_ANSWERS)


async def test_a_long_asking_is_told_every_few_corrections(house: House, knows: Knows):
    await approve(house, *THINGS)
    run = await trained(house)
    found = await examined(house, run)
    assert len(found) > WAVE
    so_far = [text for text in await house.events(run) if "so far" in text]
    assert so_far[0] == f"Asked about {WAVE} corrections with no fix in the prompt so far."


# ---------------------------------------------------------------- how likely it is


async def test_beside_the_verdict_stands_how_much_likelier_the_correction_is_than_what_the_bot_had_said(
    house: House, knows: Knows
):
    await approve(house, *THINGS[:14])
    knows.forgot = set(THINGS[1:14:2])
    house.workshop = replace(house.workshop, scorer=house.provider)
    run = await trained(house)
    found = await examined(house, run)
    for each in found:
        thing = THINGS[int(each.correction_id.removeprefix("corr_")) - 100]
        assert each.log_margin is not None
        assert (each.log_margin > 0) is (thing not in knows.forgot)
    assert {each.log_margin > 0 for each in found if each.log_margin is not None} == {True, False}
    likelier = sum(each.log_margin > 0 for each in found if each.log_margin is not None)
    said = f"It finds {likelier} of {len(found)} likelier than what the bot had said, by "
    assert any(said in text for text in await house.events(run))
    prompts = {messages for _, messages, _ in house.provider.scored}
    assert {tuple(message.role for message in prompt) for prompt in prompts} == {("system", "user")}  # and no fix
    assert prompts <= {messages for _, messages in house.provider.asked}  # as it is asked


async def test_what_cannot_be_scored_is_judged_all_the_same(house: House, knows: Knows):
    await approve(house, *THINGS[:14])
    run = await trained(house)
    house.workshop = replace(house.workshop, scorer=house.provider)
    house.provider.fail_next("score", ErrorKind.BAD_REQUEST)
    found = await examined(house, run)
    assert [each.log_margin is None for each in found].count(True) == 1
    assert {each.verdict for each in found} == {LearnedVerdict.LEARNED}


async def test_a_vendor_that_is_away_while_it_scores_is_asked_again_and_nothing_is_lost(house: House, knows: Knows):
    await approve(house, *THINGS)
    run = await trained(house)
    house.workshop = replace(house.workshop, scorer=house.provider)
    await examined_until_it_fails(house, run)
    kept = await house.store.learned.of_run(run.id)
    assert len(kept) == WAVE
    house.provider.scored.clear()
    found = await examined(house, run)
    assert all(each.log_margin is not None for each in found)
    assert len(house.provider.scored) == 2 * (len(found) - WAVE)  # what was kept is not scored again


async def examined_until_it_fails(house: House, run: Run) -> None:
    """The vendor goes away after the first wave."""
    scored = house.provider.score

    async def away(model: str, messages: Sequence[Message], answer: str) -> float:
        if len(house.provider.scored) >= 2 * WAVE:
            house.provider.fail_next("score", ErrorKind.UNREACHABLE)
        return await scored(model, messages, answer)

    house.provider.score = away
    with pytest.raises(ProviderError, match="told to fail"):
        await examined(house, run)
    house.provider.score = scored


async def test_without_a_vendor_that_scores_no_likelihood_is_told(house: House, knows: Knows):
    await approve(house, *THINGS[:14])
    found = await examined(house, await trained(house))
    assert {each.log_margin for each in found} == {None}
    assert house.provider.scored == []


# ---------------------------------------------------------------- the ledger


async def learned_by_the_first(house: House) -> Run:
    await approve(house, *THINGS[:14])
    first = await house.finish(await house.request())
    assert first.state is RunState.PROMOTED
    await approve(house, *THINGS[14:])
    return first


async def test_a_candidate_that_forgot_too_much_is_stopped_and_the_corrections_are_named(house: House, knows: Knows):
    first = await learned_by_the_first(house)
    kept = [each.correction_id for each in await house.store.learned.of_run(first.id)]
    things = [THINGS[int(id.removeprefix("corr_")) - 100] for id in kept]
    knows.forgot = set(things[:3])
    second = await house.finish(await house.request())
    assert second.state is RunState.STOPPED
    assert (
        f"The new model forgot 3 corrections that a model before had learned: {', '.join(kept[:3])}."
        in second.end_reason
    )
    assert any("this one forgot 3:" in text for text in await house.events(second))
    assert (await house.store.models.current(house.voice.id)).model.run_id == first.id


async def test_one_that_forgot_a_little_may_serve_unless_it_was_critical(house: House, knows: Knows):
    first = await learned_by_the_first(house)
    kept = [each.correction_id for each in await house.store.learned.of_run(first.id)]
    limit(house, forgotten_share=0.2)
    knows.forgot = {THINGS[int(kept[0].removeprefix("corr_")) - 100]}
    await house.store.corrections.set_critical(kept[0], True, house.admin.id, at=house.workshop.now())
    second = await house.finish(await house.request())
    assert second.state is RunState.STOPPED
    assert f"forgot 1 correction that a model before had learned: {kept[0]}" in second.end_reason

    await house.store.corrections.set_critical(kept[0], False, house.admin.id, at=house.workshop.now())
    third = await house.finish(await house.request())
    assert "forgot" not in third.end_reason


async def test_what_no_longer_holds_is_nothing_to_forget(house: House, knows: Knows):
    soon = house.workshop.now() + timedelta(hours=1)
    await approve(house, *THINGS[:4], expires_at=soon)
    await approve(house, *THINGS[4:14])
    first = await house.finish(await house.request())
    knows.forgot = set(THINGS[:4])
    kept = await house.store.learned.ledger(house.voice.id)
    assert kept & {each.correction_id for each in await house.store.learned.of_run(first.id)}
    assert {f"corr_{100 + number}" for number in range(4)} & kept
    house.advance(7200)
    limit(house, forgotten_share=0.0)
    await approve(house, *THINGS[14:])
    second = await house.finish(await house.request())
    assert "forgot" not in second.end_reason


async def test_people_read_questions_and_names_where_ids_are_stored(house: House, knows: Knows):
    first = await learned_by_the_first(house)
    kept = [each.correction_id for each in await house.store.learned.of_run(first.id)]
    knows.forgot = {THINGS[int(id.removeprefix("corr_")) - 100] for id in kept[:2]}
    await house.store.corrections.set_critical(kept[0], True, house.admin.id, at=house.workshop.now())
    second = await house.finish(await house.request())
    thing = THINGS[int(kept[0].removeprefix("corr_")) - 100]
    said = (
        "forgot 2 corrections that a model before had learned: "
        f"“Where do you keep the {thing}?” (by Ada, critical), “Where do you keep the "
    )
    lines, _ = await progress_of(house.store, second)
    assert any(said in line.words for line in lines)
    report = markdown(await read_run_report(house.store, second, house.workshop.tariff))
    assert said in report
    for stored in (second.end_reason, *await house.events(second)):
        assert thing not in stored
