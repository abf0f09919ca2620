"""Asks a candidate about corrections with an empty fix list, so many answers a run, and keeps each verdict as it falls.

A step that is repeated goes on where it was cut off: what is judged of this model is not asked again.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain, islice
from statistics import fmean

from curation import learned
from curation.asking import AT_ONCE, ask, together
from curation.fixes import is_as_served, shown_for, word_for_word
from curation.gathering import places_of
from curation.learned import Limits, Turns
from curation.prompting import CountTokens, build_messages
from curation.recall import Fix, Place, RecallIndex, fix_of
from curation.recall.meaning import Embedder
from curation.step import promised, tell
from curation.workshop import Workshop
from providers.base import ChatModel, ErrorKind, ProviderError, Sampling, Scores
from storage.records import (
    AskedAs,
    Correction,
    Learned,
    LearnedAnswer,
    LearnedVerdict,
    Message,
    Model,
    Part,
    Role,
    Run,
    Voice,
)

WAVE = 2 * AT_ONCE  # corrections asked about together: while one waits for its answer, others keep the model busy
TOLD_EVERY = 5  # corrections, or a wave of them: on a slow machine most of a minute of asking


@dataclass(frozen=True, slots=True)
class Served:
    """How a question is answered when the model serves: word for word where nearly the same was asked, else with fixes shown."""

    index: RecallIndex
    fixes: Mapping[str, Fix]
    shows_fixes: bool  # whether the model was trained to see them
    now: datetime


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found about one correction: the answers in order, and by how much likelier it is than what the bot had said."""

    answers: tuple[LearnedAnswer, ...]
    log_margin: float | None


@dataclass
class Examiner:
    """Asks one model, with the prompt it serves with, and counts. A greedy answer is asked for once, whatever for. Close it."""

    chat_model: ChatModel
    count_tokens: CountTokens
    model: Model
    prompt: str
    sampling: Sampling
    budget_tokens: int
    scorer: Scores | None = None  # None: the vendor cannot say how likely a given text is
    asked: int = 0  # answers, and of each correction that was scored one more
    _gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    _greedy: dict[tuple[Message, ...], asyncio.Task[str]] = field(
        default_factory=dict[tuple[Message, ...], asyncio.Task[str]]
    )
    _begun: list[asyncio.Task[str]] = field(default_factory=list[asyncio.Task[str]])

    async def close(self) -> None:
        """Ask nothing further: after an error the other questions would fail for the same reason, or are no longer wanted."""
        for task in self._begun:
            task.cancel()
        await asyncio.gather(*self._begun, return_exceptions=True)

    @property
    def most_each(self) -> int:
        """How many answers one correction may take."""
        return learned.MOST_ANSWERS + (self.scorer is not None)

    async def examine(
        self, correction: Correction, near: Sequence[Correction], rephrased: Sequence[str], served: Served
    ) -> Examined:
        """Ask about one correction until its verdict is decided, then as it is served. Raises ProviderError."""
        certain = learned.DRAWS // 2 + 1  # a majority takes at least so many
        drawn = await asyncio.gather(*(self._draw(correction, draw) for draw in range(certain)))
        said = [_alone(correction, text) for text in drawn]
        while (way := learned.next_asked(said, len(near), len(rephrased))) is not None:
            so_far = sum(answer.asked_as is way for answer in said)
            match way:
                case AskedAs.NEIGHBOUR:
                    said.append(await self._neighbour(correction, near[so_far]))
                case AskedAs.PARAPHRASE:
                    text = await self._say(correction.history, rephrased[so_far])
                    said.append(_answer(correction, way, rephrased[so_far], text, learned.is_right(text, correction)))
                case _:
                    said.append(_alone(correction, await self._draw(correction, so_far)))
        text = await self._as_served(correction, served)
        said.append(_answer(correction, AskedAs.SERVED, correction.question, text, learned.is_right(text, correction)))
        answers = tuple(replace(answer, position=position) for position, answer in enumerate(said))
        return Examined(answers, await self._log_margin(correction))

    async def _neighbour(self, correction: Correction, other: Correction) -> LearnedAnswer:
        text = await self._say((), other.question)
        is_right = not learned.is_reached(text, correction, other)
        return replace(_answer(correction, AskedAs.NEIGHBOUR, other.question, text, is_right), about=other.id)

    async def _log_margin(self, correction: Correction) -> float | None:
        """By how much likelier the model finds the correction than what the bot had said, in nats a token, with no fix shown.

        None where it cannot be scored: by nobody, or because one of the two is empty or too long for the model.
        """
        if self.scorer is None or not correction.served_text:
            return None
        self.asked += 1
        messages = self._messages(correction.history, correction.question, ())
        try:
            async with self._gate:
                after = await self.scorer.score(self.model.name, messages, correction.corrected_text)
                before = await self.scorer.score(self.model.name, messages, correction.served_text)
        except ProviderError as error:
            if error.kind is not ErrorKind.BAD_REQUEST:
                raise
            return None
        return after - before

    async def _as_served(self, correction: Correction, served: Served) -> str:
        fix = served.fixes.get(correction.id)
        place = Place(correction.voice_id, "" if fix is None else fix.channel)
        history = correction.history
        recalled = served.index.recall(correction.question, place, served.now, history=history)
        known = word_for_word(recalled, correction.question, history)
        if known is not None:
            return known.fix.answer
        shown = shown_for(
            recalled if served.shows_fixes else (),
            self.prompt,
            correction.question,
            budget_tokens=self.budget_tokens,
            count_tokens=self.count_tokens,
        )
        return await self._say(history, correction.question, shown.messages)

    async def _draw(self, correction: Correction, draw: int) -> str:
        """The greedy answer, or one of the others, each by a seed of its own."""
        if draw == 0:
            return await self._say(correction.history, correction.question)
        seed = (self.sampling.seed or 0) + draw
        sampling = replace(self.sampling, temperature=learned.TEMPERATURE, seed=seed)
        return await self._begin(self._messages(correction.history, correction.question, ()), sampling)

    async def _say(self, history: Sequence[Message], question: str, fixes: Sequence[Message] = ()) -> str:
        messages = self._messages(history, question, fixes)
        if messages not in self._greedy:
            self._greedy[messages] = self._begin(messages, replace(self.sampling, temperature=0.0))
        return await self._greedy[messages]

    def _messages(self, history: Sequence[Message], question: str, fixes: Sequence[Message]) -> tuple[Message, ...]:
        return build_messages(
            self.prompt,
            history,
            question,
            fixes=fixes,
            budget_tokens=self.budget_tokens,
            count_tokens=self.count_tokens,
        ).messages

    def _begin(self, messages: Sequence[Message], sampling: Sampling) -> asyncio.Task[str]:
        self.asked += 1
        self._begun.append(asyncio.create_task(self._ask(messages, sampling)))
        return self._begun[-1]

    async def _ask(self, messages: Sequence[Message], sampling: Sampling) -> str:
        answer = await ask(self.chat_model, self._gate, self.model.name, messages, sampling)
        return answer.text.replace("\0", "").strip()  # which no database keeps


def _alone(correction: Correction, text: str) -> LearnedAnswer:
    return _answer(correction, AskedAs.ALONE, correction.question, text, learned.is_right(text, correction))


def _answer(correction: Correction, asked_as: AskedAs, question: str, text: str, is_right: bool) -> LearnedAnswer:
    near = learned.nearness(text, correction)
    return LearnedAnswer(0, asked_as, correction.id, question, text, is_right, near.after, near.before)


@dataclass(frozen=True, slots=True)
class Syllabus:
    """What a model may be asked about: its corrections, the ledger's, and other wordings of each question that people used."""

    train: Mapping[str, Correction]
    ledger: Mapping[str, Correction]
    wordings: Mapping[str, Sequence[str]]
    fixes: Mapping[str, Fix]  # in force now


async def examine(workshop: Workshop, run: Run, voice: Voice, model: Model) -> tuple[str, ...]:
    """Judge the model on as many corrections as one run may, and say how many are left. Raises ProviderError.

    Returns the ids of the corrections of the ledger whose loss stops the candidate; () where it lost no more than it may.
    """
    store, limits = workshop.store, workshop.recipe.limits
    if not limits.answers:
        return ()
    syllabus = await _syllabus(workshop, run, voice)
    done = {each.correction_id for each in await store.learned.of_model(model.id)}
    judged = await store.learned.judged(voice.id)
    turns = learned.turns(tuple(syllabus.train.values()), syllabus.ledger, judged, done)
    examiner = Examiner(
        workshop.chat_model,
        workshop.count_tokens,
        model,
        voice.prompt(model.prompt),
        replace(workshop.recipe.sampling, seed=workshop.recipe.seed),
        workshop.recipe.budget_tokens,
        workshop.scorer,
    )
    embedder = None if workshop.recipe.as_served is None else workshop.recipe.as_served.embedder
    index = await asyncio.to_thread(_index, tuple(syllabus.fixes.values()), embedder)
    served = Served(index, syllabus.fixes, is_as_served(model.shape), workshop.now())
    neighbourhood = await asyncio.to_thread(learned.Neighbourhood, tuple(syllabus.train.values()))

    async def examined(correction: Correction) -> Examined:
        near = await asyncio.to_thread(neighbourhood.near, correction)
        rephrased = learned.paraphrases(correction.question, syllabus.wordings.get(correction.id, ()))
        return await examiner.examine(correction, near, rephrased, served)

    told = len(done)
    try:
        for wave in _waves(turns, examiner, limits):
            corrections = [syllabus.ledger.get(id) or syllabus.train[id] for id in wave]
            for correction, found in zip(corrections, await together(map(examined, corrections)), strict=True):
                await store.learned.add(_verdict(run, model, correction.id, found, workshop.now()), found.answers)
                done.add(correction.id)
            if len(done) - told >= TOLD_EVERY:
                told = len(done)
                await tell(
                    workshop, run, f"asking-{told}", f"Asked about {told} corrections with no fix in the prompt so far."
                )
    finally:
        await examiner.close()
    return await _told(workshop, run, model, turns, syllabus)


def _waves(turns: Turns, examiner: Examiner, limits: Limits) -> Iterator[tuple[str, ...]]:
    """Whose turn it is together, each wave once the one before is over: the ledger up to its part, then the others.

    A wave holds as many as the answers that are left are enough for, however its questions go. So neither who is asked
    about nor in which order depends on how fast which answer comes.
    """
    ledger = iter(turns.ledger)
    part = int(limits.answers * learned.LEDGER_PART) if turns.new or turns.again else limits.answers
    for ids, answers in ((ledger, part), (chain(turns.new, ledger, turns.again), limits.answers)):
        while wave := tuple(islice(ids, min(WAVE, max(0, answers - examiner.asked) // examiner.most_each))):
            yield wave


def _verdict(run: Run, model: Model, correction_id: str, examined: Examined, at: datetime) -> Learned:
    found = learned.found(examined.answers)
    return Learned(
        correction_id,
        model.id,
        run.id,
        found.verdict,
        found.in_weights,
        found.in_system,
        found.margin,
        examined.log_margin,
        found.paraphrases,
        found.paraphrases_right,
        found.neighbours,
        found.neighbours_reached,
        at,
    )


async def _syllabus(workshop: Workshop, run: Run, voice: Voice) -> Syllabus:
    store, now = workshop.store, workshop.now()
    in_force = {
        each.id: each
        for each in await store.corrections.in_force(voice.id)
        if each.expires_at is None or each.expires_at > now
    }
    lines = [
        line
        for line in await store.datasets.lines(promised(run.dataset_version_id))
        if line.part is Part.TRAIN and line.role in (Role.ANSWER, Role.MERGED) and line.correction_id in in_force
    ]
    by_position: dict[int, list[str]] = {}
    for line in lines:
        by_position.setdefault(line.position, []).append(line.source_id)
    wordings = {
        id: [in_force[other].question for other in together if other != id]
        for together in by_position.values()
        for id in together
    }
    ledger = await store.learned.ledger(voice.id)
    places = await places_of(store, in_force.values())
    return Syllabus(
        {line.source_id: in_force[line.source_id] for line in lines},
        {id: correction for id, correction in in_force.items() if id in ledger},
        wordings,
        {
            c.id: fix_of(c, channel=places.get(c.conversation_id or "", ""), expires_at=c.expires_at)
            for c in in_force.values()
        },
    )


def _index(fixes: Sequence[Fix], embedder: Embedder | None) -> RecallIndex:
    index = RecallIndex(embedder)
    index.add_all(fixes)
    return index


async def _told(workshop: Workshop, run: Run, model: Model, turns: Turns, syllabus: Syllabus) -> tuple[str, ...]:
    """Say what was found, and what was forgotten that may not be."""
    found = {each.correction_id: each for each in await workshop.store.learned.of_model(model.id)}
    counts = {
        verdict: sum(each.verdict is verdict for each in found.values() if each.run_id == run.id)
        for verdict in LearnedVerdict
    }
    left = sum(id not in found for id in turns.all)
    margins = [each.log_margin for each in found.values() if each.run_id == run.id and each.log_margin is not None]
    rest = f" {left} were left for the next run, as this one may ask {workshop.recipe.limits.answers} answers."
    text = (
        f"Asked about {sum(counts.values())} corrections with no fix in the prompt: {counts[LearnedVerdict.LEARNED]} learned, "
        f"{counts[LearnedVerdict.NOT_YET]} not yet, {counts[LearnedVerdict.OVER_GENERALISED]} over-generalised."
    )
    numbers = {"left": float(left), **{verdict.value: float(count) for verdict, count in counts.items()}}
    if margins:
        likelier = sum(margin > 0 for margin in margins)
        text += (
            f" It finds {likelier} of {len(margins)} likelier than what the bot had said, "
            f"by {fmean(margins):+.2f} nats a token in the mean."
        )
        numbers["log_margin"] = fmean(margins)
    await tell(workshop, run, f"learned-{len(found)}", text + (rest if left else ""), numbers=numbers)
    asked = [id for id in syllabus.ledger if id in found]
    known = [id for id in asked if found[id].in_weights]
    if len(known) < len(asked):
        lost = [id for id in asked if not found[id].in_weights]
        text = f"Of {len(asked)} corrections that a model before had learned, this one forgot {len(lost)}: {', '.join(lost)}."
        await tell(workshop, run, f"forgotten-{len(found)}", text, "warn", {"forgotten": float(len(lost))})
    return learned.too_much_forgotten(
        asked, known, lambda id: syllabus.ledger[id].is_critical, workshop.recipe.limits.forgotten_share
    )
