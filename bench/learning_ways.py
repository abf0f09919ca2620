"""The ways to make corrections count, each by the product's own code: its dataset builder, trainer, prompt builder and recall.

A house is one brand with so many approved corrections, in a database of its own that is kept: a bench that is stopped goes on
with what is laid down and what is trained.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from time import monotonic

from bench.learning_brands import Brand, Question, corrections
from bot import answering, moderation
from bot import chat as bot_chat
from bot.answering import Asked, Desk
from bot.moderation import Draft
from bot.program import as_served_of, rules_of, utc_now
from bot.settings import Settings
from curation import versions
from curation.dataset import TRAIN_FILE
from curation.exporting import first_exchanges
from curation.gathering import Press
from curation.normal import key_of
from curation.prompting import CountTokens, build_messages
from curation.recall.meaning import Embedder
from curation.recalling import Recall
from providers.base import ChatModel, JobRequest, JobState, Sampling, Trainer
from providers.quirks import TUNER, Method
from storage.records import (
    Actor,
    Correction,
    Deployment,
    DeploymentKind,
    Judgement,
    Message,
    Model,
    ReplySource,
    Right,
    Side,
    Voice,
)
from storage.store import Store, open_store

BASE = "smollm2-135m-instruct"
REPLY_TOKENS = 96  # twice what the longest correction has
FEW_SHOTS = 3
POLL_S = 2.0
AT_ONCE = 4


class Way(StrEnum):
    """How a question is answered after the corrections."""

    NOTHING = "nothing"
    CACHE = "verbatim cache"
    RECALL = "recall only"
    FEW_SHOT = "few-shot"
    SFT = "SFT"
    DPO = "DPO"
    SFT_DPO = "SFT then DPO"
    SFT_RECALL = "SFT then recall"
    AS_SERVED = "as served, with recall"  # what is shipped
    AS_SERVED_DPO = "as served and DPO, with recall"
    WEIGHTS = "as served, empty fix list"  # what is in the weights alone


TRAINED = {
    Way.SFT: (False, (Method.SFT,)),
    Way.DPO: (False, (Method.DPO,)),
    Way.SFT_DPO: (False, (Method.SFT, Method.DPO)),
    Way.SFT_RECALL: (False, (Method.SFT,)),
    Way.AS_SERVED: (True, (Method.SFT,)),
    Way.AS_SERVED_DPO: (True, (Method.SFT, Method.DPO)),
    Way.WEIGHTS: (True, (Method.SFT,)),
}
"""Whether the training prompts have fixes, and the jobs, each going on from the one before."""
RECALLS = frozenset({Way.RECALL, Way.SFT_RECALL, Way.AS_SERVED, Way.AS_SERVED_DPO})


class NotTheModel(Exception):
    """Another model than the measured one answered; the bot's way out counts for nobody here."""


class TrainingFailed(Exception):
    """A job ended without a model; the message is the tuner's."""


@dataclass(frozen=True, slots=True)
class Said:
    """An answer, the tokens its prompt took, and how long it took."""

    text: str
    prompt_tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Bench:
    """What every house is measured with."""

    home: Path
    settings: Settings
    chat_model: ChatModel
    trainer: Trainer
    count_tokens: CountTokens
    embedder: Embedder | None

    @property
    def sampling(self) -> Sampling:
        return Sampling(REPLY_TOKENS, 0.0, seed=7)

    def press(self, *, as_served: bool) -> Press:
        rules = replace(rules_of(self.settings, TUNER), minimum_train=1, minimum_held_out=0)
        shows = as_served_of(self.settings, self.embedder) if as_served else None
        return Press(rules, self.count_tokens, "tokens", as_served=shows)


@dataclass(frozen=True, slots=True)
class House:
    """A brand with its approved corrections."""

    bench: Bench
    brand: Brand
    seed: int
    store: Store
    voice: Voice
    actor: Actor
    taught: Sequence[Question]

    def desk(self, *, recalls: bool) -> Desk:
        recall = Recall(self.store, self.bench.embedder) if recalls else None
        bench = self.bench
        return Desk(
            self.store,
            bench.chat_model,
            bench.count_tokens,
            bench.sampling,
            bench.settings.prompt_tokens,
            "bench",
            utc_now,
            recall=recall,
        )

    async def approved(self) -> list[Correction]:
        return await self.store.corrections.approved(self.voice.id)


@asynccontextmanager
async def a_house(bench: Bench, brand: Brand, seed: int, count: int) -> AsyncGenerator[House]:
    """The brand's house with so many corrections of what the base model said, laid down where they are not there yet."""
    place = bench.home / f"{brand.name}-{seed}-{count}.sqlite"
    async with await open_store(f"sqlite+aiosqlite:///{place}") as store:
        voice = await store.voices.ensure(brand.name, brand.prompt, BASE, at=utc_now())
        actor = await store.people.ensure_actor("bench", "mo", "Mo", frozenset(Right), at=utc_now())
        house = House(bench, brand, seed, store, voice, actor, corrections(brand, seed, count))
        gate = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(_lay_down(house, number, gate) for number in range(len(house.taught))))
        yield house


async def _lay_down(house: House, number: int, gate: asyncio.Semaphore) -> None:
    """The base answers, the moderator corrects by the brand's rules, and approves."""
    store, question = house.store, house.taught[number]
    assert question.fact is not None
    async with gate:
        asked = bot_chat.Question("bench", f"taught-{number}", f"taught-{number}", question.text, house.actor)
        turn, _ = await answering.record(store, house.voice, asked, now=utc_now())
        reply = await store.conversations.reply_to(turn.id) or await answering.answer(
            house.desk(recalls=False), turn, nothing, takes_over=True
        )
    assert reply is not None
    if await store.corrections.for_reply(reply.id):
        return
    draft = Draft(house.brand.answer(question.fact, question.item), Judgement.WRONG)
    made = await moderation.correct(store, house.actor, reply.id, draft, now=utc_now())
    await moderation.approve(store, house.actor, made.record.id, team_of_one=True, now=utc_now())


async def nothing(_: str) -> None:
    """Nobody watches the reply grow."""


# ---------------------------------------------------------------- training


@dataclass(frozen=True, slots=True)
class Trained:
    """A model, the shape of its prompts, and the seconds that all its jobs took."""

    name: str
    shape: str
    seconds: float


async def trained(house: House, way: Way, known: dict[str, Trained]) -> Trained:
    """The way's model; `known` are those of this home by what they were made of. Raises TrainingFailed."""
    as_served, methods = TRAINED[way]
    press = house.bench.press(as_served=as_served)
    version = await versions.freeze(house.store, house.voice, press, by=house.actor.id, at=utc_now())
    base, seconds = BASE, 0.0
    key = f"{version.id} {house.seed}" + (f" replay {replay:g}" if (replay := house.bench.settings.replay) else "")
    for method in methods:
        key = f"{key} {method}"
        if key not in known:
            if method is Method.SFT:
                content = await house.store.datasets.file(version.id, TRAIN_FILE)
            else:
                made = await versions.export_for(house.store, version.id, Side.TRAIN, TUNER, method, limits=None)
                content = made.content
            name, took = await _train(house.bench, content, base, method, house.seed)
            known[key] = Trained(name, press.shape, seconds + took)
        base, seconds = known[key].name, known[key].seconds
    return known[key]


async def _train(bench: Bench, content: bytes, base: str, method: Method, seed: int) -> tuple[str, float]:
    began = monotonic()
    file_id = await bench.trainer.upload("bench.jsonl", content)
    run_key = f"bench-{datetime.now(UTC).timestamp()}"
    replay = (bench.settings.replay or None) if method is Method.SFT else None
    job = await bench.trainer.create_job(
        JobRequest(
            run_key, base, file_id, "bench", bench.settings.epochs or None, seed=seed, method=method, replay=replay
        )
    )
    while job.state in (JobState.QUEUED, JobState.RUNNING):
        if job.state is JobState.QUEUED:
            began = monotonic()  # a job that a stopped bench has left may be before it; waiting is not training
        await asyncio.sleep(POLL_S)
        job = await bench.trainer.job(job.id)
    if job.model_name is None:
        raise TrainingFailed(f"{job.id}: {job.error or job.state}")
    return job.model_name, monotonic() - began


# ---------------------------------------------------------------- answering


async def answers(house: House, way: Way, questions: Sequence[Question], made: Trained | None) -> list[Said]:
    """What the way says to each question, a few at a time, each in a conversation of its own."""
    gate = asyncio.Semaphore(AT_ONCE)
    shown = await _few_shots(house) if way is Way.FEW_SHOT else ()
    cache = {key_of(c.question): c.corrected_text for c in await house.approved()} if way is Way.CACHE else {}
    desk = house.desk(recalls=way in RECALLS)
    model = await _model(house, way, made)

    async def one(number: int, question: Question) -> Said:
        async with gate:
            if (kept := cache.get(key_of(question.text))) is not None:
                return Said(kept, 0, 0.0)
            if way is Way.FEW_SHOT:
                return await _with_exchanges(house, question, shown)
            return await _as_the_bot(house, desk, model, f"{way}-{number}", question)

    return await asyncio.gather(*(one(number, question) for number, question in enumerate(questions)))


async def _as_the_bot(house: House, desk: Desk, model: Model, key: str, question: Question) -> Said:
    asked = bot_chat.Question("bench", f"{key}-{question.text}", f"{key}-{question.text}", question.text, house.actor)
    turn, _ = await answering.record(house.store, house.voice, asked, now=utc_now())
    deployment = Deployment(
        "deploy_bench", house.voice.id, 0, DeploymentKind.FIRST, model, None, utc_now(), house.actor.id, "bench"
    )
    reply = await answering.compose(desk, Asked(turn, house.voice, deployment, (), "bench"), nothing)
    if reply.model_name not in (model.name, None) or reply.source is ReplySource.NOTICE:
        raise NotTheModel(
            f"{model.name} did not answer “{question.text}”: is the machine busy with other work? Run again."
        )
    return Said(reply.text, reply.prompt_tokens, reply.seconds)


async def _model(house: House, way: Way, made: Trained | None) -> Model:
    """What serves; a plain model that recall is added to afterwards is said to have been trained with it."""
    base = (await house.store.models.current(house.voice.id)).model
    if made is None:
        return base
    shape = house.bench.press(as_served=True).shape if way is Way.SFT_RECALL else made.shape
    return replace(base, id="model_bench", number=1, name=made.name, run_id="run_bench", shape=shape)


async def _few_shots(house: House) -> tuple[Message, ...]:
    """The first lines of a version, as the evaluation shows them to the base."""
    version = await versions.freeze(
        house.store, house.voice, house.bench.press(as_served=False), by=house.actor.id, at=utc_now()
    )
    content = await house.store.datasets.file(version.id, TRAIN_FILE)
    exchanges = first_exchanges(content, FEW_SHOTS)
    return tuple(m for asked, said in exchanges for m in (Message("user", asked), Message("assistant", said)))


async def _with_exchanges(house: House, question: Question, shown: Sequence[Message]) -> Said:
    bench, began = house.bench, monotonic()
    messages = build_messages(
        house.brand.prompt,
        (),
        question.text,
        fixes=shown,
        budget_tokens=bench.settings.prompt_tokens,
        count_tokens=bench.count_tokens,
    ).messages
    chunks = [chunk async for chunk in bench.chat_model.stream(BASE, messages, bench.sampling)]
    text = "".join(chunk.text for chunk in chunks)
    return Said(text, sum(chunk.prompt_tokens for chunk in chunks), monotonic() - began)


def line(row: object) -> str:
    """A line of the results."""
    return json.dumps(row, ensure_ascii=False) + "\n"
