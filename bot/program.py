"""Builds everything from settings and passes it down. The parts know each other only by what is handed to them here.

Two ways in: `open_store` for commands that only read and write records, `open_program` for those that need the model too.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from bot.answering import Desk
from bot.critics import cases_of, open_critics
from bot.embedded import EmbeddedTuner, Report, Weights, prepare_weights, running_address
from bot.retrieving import WORDS_ALONE, retriever
from bot.settings import LOOPBACK, Settings
from curation import evidence
from curation.as_served import AsServed
from curation.caps import Caps
from curation.critics import Critics
from curation.dataset import Rules
from curation.gathering import Press
from curation.learned import Limits
from curation.marks import MarkPolicy
from curation.prices import PRICES, Prices, with_overrides
from curation.promotion import follow_base
from curation.recall.meaning import Embedder
from curation.recalling import Recall
from curation.recipes import Training
from curation.tariff import Tariff
from curation.triggers import When
from curation.worker import Pace
from curation.workshop import Recipe, Workshop
from providers.base import Sampling
from providers.quirks import TUNER, VENDORS, Quirks
from providers.tokens import TokenCounter, token_counter
from providers.vendor import Access, Vendor, open_vendor
from storage.errors import NotFound
from storage.records import Actor, RecipeKind, Right, Voice
from storage.store import Store
from storage.store import open_store as open_store_at

DEFAULT_BASE = "smollm2-135m-instruct"  # what tuner calls its default model
IDLE_S = 1.0  # between two looks for new runs and unanswered questions
RETRY_S = 5.0  # after a vendor call failed
PRACTICE_ANSWERS = 200  # that the small model is asked to see what it learned: two minutes on two cores
REPLY_SEED = 7  # any number; makes evaluations repeatable where the vendor can


def utc_now() -> datetime:
    """The wall clock, read here and nowhere deeper."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Program:
    """Everything that answers, trains and remembers, ready to be served."""

    settings: Settings
    store: Store
    voice: Voice
    desk: Desk
    workshop: Workshop
    pace: Pace
    counter: TokenCounter
    is_attached: bool  # True: another process of this data folder does the training and owns the tuner
    when: When = field(default_factory=When)  # when runs start by themselves


@contextlib.asynccontextmanager
async def open_store(settings: Settings, report: Report) -> AsyncGenerator[tuple[Store, Voice]]:
    """The store and the voice, without any model running. Raises storage.errors.DatabaseUnavailable.

    A voice that is new is named with its base; where that is a file, folder or hub id, it is prepared to learn its name,
    which may take minutes and raises TunerFailed where it cannot be had.
    """
    async with await open_store_at(settings.store_url) as store:
        try:
            base = (await store.voices.by_name(settings.voice_name)).base_model
        except NotFound:
            base = settings.base_model or DEFAULT_BASE
            if settings.is_embedded and base != DEFAULT_BASE:
                base = (await prepare_weights(settings.data_dir / "tuner", base, report)).base_model
        yield store, await _voice(store, settings, base)


@contextlib.asynccontextmanager
async def open_program(settings: Settings, report: Report, *, attach: bool = False) -> AsyncGenerator[Program]:
    """The whole program; with the embedded tuner started first. `report` gets its progress, line by line.

    `attach` uses the tuner that another process of this data folder runs, instead of starting one.
    Raises TunerFailed, DatabaseUnavailable, RetrieverMissing, ValueError (an unreadable tokenizer file).
    """
    async with contextlib.AsyncExitStack() as stack:
        store = await stack.enter_async_context(await open_store_at(settings.store_url))
        if settings.is_embedded:
            home = settings.data_dir / "tuner"
            weights = await prepare_weights(home, settings.base_model, report)
            # Port 9 until the tuner says its own.
            provider = open_vendor(TUNER, Access("embedded", "http://127.0.0.1:9/v1"))
            stack.push_async_callback(provider.aclose)
            if attach:
                provider.move_to(running_address(home))
            else:
                await stack.enter_async_context(EmbeddedTuner(home, settings.base_model, provider.move_to))
        else:
            weights = Weights(settings.base_model or DEFAULT_BASE, None)
            provider = open_vendor(quirks_of(settings), access_of(settings))
            stack.push_async_callback(provider.aclose)
        tokenizer_file = settings.tokenizer_file or weights.tokenizer_file
        counter = token_counter(weights.base_model, tokenizer_file, settings.data_dir / "tiktoken")
        voice = await _voice(store, settings, weights.base_model)
        if settings.is_embedded and (moved := await follow_base(store, voice, at=utc_now())):
            report(f"Model {moved.model.number} serves. {moved.why}")
        embedder = await asyncio.to_thread(retriever, settings)
        if embedder is None and settings.retriever == "best":
            report(WORDS_ALONE)
        recall = Recall(store, embedder)
        await stack.enter_async_context(_followed(recall, voice.id))
        critics = await stack.enter_async_context(open_critics(settings, voice))
        program = _assemble(settings, store, voice, provider, counter, recall, critics, is_attached=attach)
        await store.conversations.release_turns(program.desk.owner)  # of a life that ended in the middle of a reply
        yield program


@contextlib.asynccontextmanager
async def _followed(recall: Recall, voice_id: str) -> AsyncGenerator[None]:
    """Meanwhile the voice's corrections are ready before a question comes, and what is erased leaves memory."""
    stop = asyncio.Event()
    following = asyncio.create_task(recall.follow(voice_id, stop, utc_now))
    try:
        yield
    finally:
        stop.set()
        await following


def _assemble(
    settings: Settings,
    store: Store,
    voice: Voice,
    provider: Vendor,
    counter: TokenCounter,
    recall: Recall,
    critics: Critics,
    *,
    is_attached: bool,
) -> Program:
    sampling = Sampling(settings.reply_tokens, settings.temperature, seed=REPLY_SEED)
    recipe = Recipe(
        rules=rules_of(settings, provider.row),
        n_epochs=settings.epochs or None,
        evidence=evidence_of(settings),
        sampling=replace(sampling, temperature=0.0),  # judged on the likeliest words, whatever serving draws
        budget_tokens=settings.prompt_tokens,
        seed=REPLY_SEED,
        prompt=settings.prompt_kind,
        as_served=as_served_of(settings, recall.embedder),
        training=training_of(settings),
        limits=_limits_of(settings),
        expected_life_days=settings.expected_life_days,
        successor_base=settings.successor_base,
        cases=cases_of(settings, REPLY_SEED),
    )
    owner = f"{socket.gethostname()}-{os.getpid()}" if is_attached else _worker_name(settings)
    return Program(
        settings,
        store,
        voice,
        Desk(store, provider, counter.count_messages, sampling, settings.prompt_tokens, owner, utc_now, recall=recall),
        Workshop(
            store,
            provider,
            provider.trainer,
            counter.count_messages,
            counter.name,
            recipe,
            utc_now,
            tariff_of(settings, utc_now().date()),
            vendor=provider.row,
            catalogue=provider,
            host=provider.host,
            critics=critics,
            scorer=provider if provider.row.scores_answers else None,
        ),
        Pace(settings.poll_seconds, IDLE_S, RETRY_S),
        counter,
        is_attached,
        When(settings.retrain_schedule, settings.retrain_after, ZoneInfo(settings.time_zone)),
    )


async def _voice(store: Store, settings: Settings, base_model: str) -> Voice:
    """The voice as the settings have it."""
    name, prompt, short = settings.voice_name, settings.voice_prompt, settings.short_prompt
    return await store.voices.ensure(name, prompt, base_model, short_prompt=short, at=utc_now())


def rules_of(settings: Settings, quirks: Quirks) -> Rules:
    """What a dataset has to satisfy here, and at whoever trains."""
    return Rules(
        max(settings.minimum_examples, quirks.minimum_examples),
        settings.minimum_held_out,
        settings.held_out_share,
        settings.example_tokens,
        settings.kept,
        Caps(settings.moderator_cap, settings.topic_cap, settings.day_cap),
        MarkPolicy(settings.good_marks, settings.marks_trust),
    )


def evidence_of(settings: Settings) -> evidence.Rules:
    """What a candidate has to prove here, and what a canary may do."""
    return evidence.Rules(
        alpha=settings.alpha,
        harm_alpha=settings.harm_alpha,
        decisive=settings.margin,
        general_margin=settings.general_margin,
        safety_margin=settings.safety_margin,
        floor=settings.canary_floor,
        candidate_share=settings.canary_percent / 100,
        canary_votes=settings.canary_votes,
        canary_hours=settings.canary_hours,
        seed=REPLY_SEED,
        counts=evidence.Counts(settings.promote_by),
        judged_at=settings.judged_at,
        people_hours=settings.people_hours,
    )


def quirks_of(settings: Settings) -> Quirks:
    """The row of whoever trains."""
    row = VENDORS[settings.provider]
    if settings.provider != "openai" or not settings.api_url:
        return row
    return VENDORS.get(vendor_of(settings), row)


def training_of(settings: Settings) -> Training:
    """How runs train; 0 leaves a number to the trainer."""
    return Training(
        RecipeKind(settings.recipe),
        settings.beta or None,
        settings.learning_rate or None,
        settings.lora_r or None,
        settings.replay or None,
    )


def _limits_of(settings: Settings) -> Limits:
    """How much is asked about what was learned: as set, else less of the small model that is shipped."""
    is_short = settings.is_practice and not settings.says("learned_answers")
    return Limits(PRACTICE_ANSWERS if is_short else settings.learned_answers, settings.forgotten_share)


def access_of(settings: Settings) -> Access:
    """How the vendor is reached; a tuner without keys takes any word for one."""
    key = settings.api_key.get_secret_value() or "none"
    return Access(key, settings.api_url, settings.hosting, settings.hosting_key.get_secret_value())


def as_served_of(settings: Settings, embedder: Embedder | None) -> AsServed | None:
    """What shows training examples the fixes that replies get here; None where they are to have none."""
    return AsServed(embedder, settings.prompt_tokens, off_topic=settings.off_topic) if settings.as_served else None


def tariff_of(settings: Settings, today: date) -> Tariff:
    """Who bills a run here, and by which prices. Raises PriceUnreadable."""
    is_here = urlsplit(settings.api_url).hostname in LOOPBACK
    return Tariff(
        vendor_of(settings),
        is_this_machine=settings.provider == "tuner" and (settings.is_embedded or is_here),
        prices=prices_of(settings, today),
    )


def vendor_of(settings: Settings) -> str:
    """Whose prices hold: a vendor we know by its address, else the address's host, so that nobody's prices are mixed up."""
    if settings.provider != "openai" or not settings.api_url:
        return settings.provider
    host = urlsplit(settings.api_url).hostname or settings.api_url
    known = {urlsplit(row.base_url).hostname: name for name, row in VENDORS.items() if row.base_url}
    return known.get(host, host)


def prices_of(settings: Settings, today: date) -> Prices:
    """What is known of prices, and those the settings give in their place. Raises PriceUnreadable."""
    return with_overrides(PRICES, settings.prices, read_on=today, source="FINETONE_PRICES")


async def open_press(settings: Settings, voice: Voice, report: Report) -> Press:
    """What building a dataset takes, without any model running. Raises TunerFailed, RetrieverMissing and ValueError."""
    tokenizer_file, base = settings.tokenizer_file, voice.base_model
    if settings.is_embedded and tokenizer_file is None:
        tokenizer_file = (
            await prepare_weights(settings.data_dir / "tuner", settings.base_model, report)
        ).tokenizer_file
    counter = token_counter(base, tokenizer_file, settings.data_dir / "tiktoken")
    embedder = await asyncio.to_thread(retriever, settings)
    return Press(
        rules_of(settings, quirks_of(settings)),
        counter.count_messages,
        counter.name,
        settings.prompt_kind,
        as_served_of(settings, embedder),
    )


def _worker_name(settings: Settings) -> str:
    """Stable where only one program can run (the lock sees to it), so that a restart goes on at once; else unique."""
    if settings.worker_name:
        return settings.worker_name
    return "embedded" if settings.is_sqlite else f"{socket.gethostname()}-{os.getpid()}"


async def local_actor(store: Store, platform: str, now: Callable[[], datetime], name: str = "") -> Actor:
    """The person at this machine, with every right: whoever can run the program can read its files anyway."""
    person = name or os.environ.get("USER") or "you"
    return await store.people.ensure_actor(platform, person, person, frozenset(Right), at=now())


def lock_dir(settings: Settings) -> Path | None:
    """The folder to lock: one program at a time on SQLite or with an embedded tuner; None where several may share."""
    return settings.data_dir if settings.is_sqlite or settings.is_embedded else None
