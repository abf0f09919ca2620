"""`finetone doctor`: what is needed here, looked at one by one. Looks and changes nothing."""

import asyncio
import os
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bot.critics import cases_of
from bot.program import REPLY_SEED, evidence_of
from bot.retrieving import RetrieverMissing, described, retriever
from bot.settings import Settings
from curation.fixes import shape, trained_for_another
from curation.recall import RecallIndex
from curation.release import cases_needed, pairs_needed
from storage.errors import DatabaseUnavailable
from storage.records import Model, Suite, Voice
from storage.store import open_store

TUNER_LIMIT_S = 120.0  # it reads the base's weights once to compare their checksum


@dataclass(frozen=True, slots=True)
class Check:
    """One line: what was looked at, whether it is as it must be, and what was found; where it is not, the next step."""

    what: str
    is_ok: bool
    said: str

    def line(self) -> str:
        return f"{'ok' if self.is_ok else 'not ok':6}  {self.what}: {self.said}"


async def check_program(settings: Settings) -> list[Check]:
    """What every installation needs: a data folder, a database, a model; and what finds corrections."""
    return [
        check_folder(settings.data_dir),
        await check_database(settings),
        await check_model(settings),
        await asyncio.to_thread(check_retriever, settings),
        *await check_shapes(settings),
        check_promotion(settings),
    ]


def check_promotion(settings: Settings) -> Check:
    """What a new model has to prove here, and whether it can: with too few questions nothing is ever proven."""
    rules = evidence_of(settings)
    pairs = pairs_needed(rules)
    lacking = [
        f"{settings.minimum_held_out} held-out questions can prove nothing, {pairs} at least are needed: raise "
        "FINETONE_MINIMUM_HELD_OUT, or release every model on your own word (finetone release)"
    ] * (settings.minimum_held_out < pairs)
    sizes = Counter(case.suite for case in cases_of(settings, REPLY_SEED))
    for suite, margin in ((Suite.GENERAL, settings.general_margin), (Suite.SAFETY, settings.safety_margin)):
        name, asked = suite.upper(), sizes[suite]
        needed = cases_needed(margin, settings.alpha)
        if 0 < asked < needed:
            lacking.append(
                f"FINETONE_{name}_QUESTIONS gives {asked}, and at a margin of {margin:g} nothing is proven with fewer than "
                f"{needed}: raise it, or FINETONE_{name}_MARGIN, or set it to 0"
            )
    if lacking:
        return Check("promotion", False, "; ".join(lacking) + ".")
    canary = (
        f"then a canary on {settings.canary_percent:g} % for {settings.canary_hours:g} hours or {settings.canary_votes} votes"
        if settings.canary_percent
        else "no canary"
    )
    suites = ", ".join(f"{asked} {suite} questions" for suite, asked in sizes.items()) or "no suites"
    tie = f"differences below {settings.margin:g} (FINETONE_MARGIN, no longer a mean gain) are ties"
    return Check(
        "promotion", True, f"better with an error at most once in {1 / settings.alpha:.4g}; {tie}; {suites}; {canary}"
    )


def check_folder(folder: Path) -> Check:
    """Whether the data folder can be written, or made where it is not there yet."""
    nearest = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if nearest.is_dir() and os.access(nearest, os.W_OK):
        return Check("data folder", True, f"{folder} can be written")
    return Check("data folder", False, f"{nearest} cannot be written. Make it writable, or set FINETONE_DATA_DIR.")


async def check_database(settings: Settings) -> Check:
    """Whether the database answers; one that is not there yet is not made for this."""
    if not is_database_there(settings):
        return Check("database", True, "SQLite in the data folder, made at the first start")
    try:
        async with await open_store(settings.store_url) as store:
            voices = await store.voices.all()
    except DatabaseUnavailable as error:
        return Check("database", False, f"{error} Start it, or set FINETONE_DATABASE_URL.")
    return Check("database", True, f"answers; {len(voices)} voice{'' if len(voices) == 1 else 's'} in it")


def check_retriever(settings: Settings) -> Check:
    """Which retriever runs here; going by words alone is no fault, but is said."""
    try:
        return Check("recall", True, described(retriever(settings)))
    except RetrieverMissing as error:
        return Check("recall", False, str(error))


async def check_shapes(settings: Settings) -> list[Check]:
    """Whether each tuned model that serves was trained on such prompts as replies have here."""
    if not is_database_there(settings):
        return []
    try:
        here = shape(RecallIndex(await asyncio.to_thread(retriever, settings)).shape)
        async with await open_store(settings.store_url) as store:
            serving = [(voice, await store.models.current(voice.id)) for voice in await store.voices.all()]
    except (DatabaseUnavailable, RetrieverMissing):
        return []  # which is said above
    return [_shape_of(voice, deployment.model, here) for voice, deployment in serving if not deployment.model.is_base]


def _shape_of(voice: Voice, model: Model, here: str) -> Check:
    what = f"model {model.number} of {voice.name}"
    if said := trained_for_another(model.shape, here):
        return Check(what, False, f"{said} Train anew: finetone retrain. Or set FINETONE_RETRIEVER back.")
    return Check(what, True, f"trained on the prompts that it is served with ({model.shape or 'without fixes'})")


def is_database_there(settings: Settings) -> bool:
    """False for the data folder's SQLite file before the first start: opening it would make it."""
    return bool(settings.database_url) or (settings.data_dir / "app.sqlite").exists()


async def check_model(settings: Settings) -> Check:
    """The embedded tuner by its own doctor; of one elsewhere, only that it is named."""
    if not settings.is_embedded:
        return Check(
            "model", True, f"{settings.base_model or 'the default'} at {settings.api_url or 'OpenAI'}; not asked"
        )
    command = ["-m", "tuner", "doctor", "--home", str(settings.data_dir / "tuner")]
    if settings.base_model:
        command += ["--base", settings.base_model]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(TUNER_LIMIT_S):
            printed, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        said = f"no answer within {TUNER_LIMIT_S:.0f} s. Ask it yourself: python {' '.join(command)}"
        return Check("embedded model", False, said)
    lacking = [
        line.removeprefix("not ok").strip() for line in printed.decode().splitlines() if line.startswith("not ok")
    ]
    if process.returncode == 0:
        return Check("embedded model", True, "; ".join(lacking) or "everything it needs is here")
    return Check("embedded model", False, "; ".join(lacking) or f"its own doctor ended with {process.returncode}")
