"""Small beginnings that many storage tests share: a voice, a moderator, a reply, a proposal, a run."""

from dataclasses import dataclass, replace
from datetime import datetime

from storage.ids import new_id
from storage.records import (
    Actor,
    Correction,
    CorrectionState,
    DatasetVersion,
    Evaluation,
    Judgement,
    Message,
    Model,
    Reply,
    ReplySource,
    Run,
    RunState,
    SampleScore,
    Trigger,
    Turn,
    Verdict,
    Voice,
)
from storage.store import Store
from tests.conftest import Clock


@dataclass(frozen=True)
class Scene:
    """A store in which a voice and a moderator exist."""

    store: Store
    clock: Clock
    voice: Voice
    moderator: Actor


async def a_scene(store: Store, clock: Clock) -> Scene:
    voice = await store.voices.ensure("Acme", "You are Acme.", "smol-135m", at=clock())
    return Scene(store, clock, voice, await store.people.ensure_actor("console", "mo", "Mo", at=clock()))


async def a_turn(scene: Scene, key: str = "message-1") -> Turn:
    conversation = await scene.store.conversations.ensure(scene.voice.id, "console", "practice", at=scene.clock())
    turn, _ = await scene.store.conversations.record_turn(
        conversation, key, "Where is my parcel?", scene.moderator.id, at=scene.clock()
    )
    return turn


def a_reply_to(turn: Turn, at: datetime, text: str = "Somewhere.") -> Reply:
    return Reply(
        id=new_id("reply", at),
        turn_id=turn.id,
        conversation_id=turn.conversation_id,
        voice_id=turn.voice_id,
        text=text,
        source=ReplySource.BASE,
        model_name="smol-135m",
        deployment_id=None,
        prompt_hash="0123456789ab",
        prompt_tokens=40,
        completion_tokens=3,
        seconds=0.5,
        created_at=at,
    )


async def a_reply(scene: Scene, key: str = "message-1") -> Reply:
    reply = a_reply_to(await a_turn(scene, key), scene.clock())
    saved, _ = await scene.store.conversations.save_reply(reply, owner="worker-1")
    return saved


def a_proposal(scene: Scene, reply: Reply | None = None, *, origin: str = "reply", text: str = "On it!") -> Correction:
    """A proposal nobody made before; two from the same line of a file say the same and have the same key."""
    at = scene.clock()
    id = new_id("corr", at)
    return Correction(
        id=id,
        voice_id=scene.voice.id,
        reply_id=reply.id if reply else None,
        conversation_id=reply.conversation_id if reply else None,
        origin=origin,
        key=id if origin == "reply" else origin,
        history=(Message("user", "Hello"), Message("assistant", "Hi — how can I help? 👋")),
        question="Where is my parcel?",
        served_text=reply.text if reply else None,
        corrected_text=text,
        reason=Judgement.TONE,
        note="too dry",
        state=CorrectionState.PROPOSED,
        proposed_by=scene.moderator.id,
        proposed_at=at,
    )


async def an_approved_correction(scene: Scene, origin: str = "import:faq.csv:1") -> Correction:
    proposal, _ = await scene.store.corrections.propose(a_proposal(scene, origin=origin))
    return await scene.store.corrections.decide(
        proposal.id, CorrectionState.APPROVED, scene.moderator.id, "", at=scene.clock()
    )


def a_version(scene: Scene, id: str = "ds_0123456789abcdef0123456789abcdef") -> DatasetVersion:
    return DatasetVersion(id, scene.voice.id, scene.clock(), scene.moderator.id, 1, 1, 120, {"left_out": {"short": 2}})


async def a_run(scene: Scene) -> Run:
    run, _ = await scene.store.runs.request(
        scene.voice.id, scene.voice.base_model, Trigger.PERSON, scene.moderator.id, at=scene.clock()
    )
    return run


async def a_claimed_run(scene: Scene, owner: str = "worker-1", lease_s: float = 60) -> Run:
    run = await scene.store.runs.claim((await a_run(scene)).id, owner, now=scene.clock(), lease_s=lease_s)
    if run is None:
        raise AssertionError("nobody else holds a new run")
    return run


async def an_evaluated_run(scene: Scene) -> tuple[Run, Model]:
    """A run that has everything a promotion needs, and its model."""
    runs = scene.store.runs
    run = await a_claimed_run(scene)
    version = replace(a_version(scene), id=f"ds_of_{run.id}")
    await scene.store.datasets.freeze(version, {}, [], {}, at=scene.clock())
    run = await runs.advance(
        run.id, run.epoch, run.state, RunState.FROZEN, at=scene.clock(), dataset_version_id=version.id
    )
    for state in (RunState.SUBMITTED, RunState.TRAINING, RunState.SERVABLE, RunState.EVALUATED):
        run = await runs.advance(run.id, run.epoch, run.state, state, at=scene.clock())
    model = await scene.store.models.ensure_tuned(
        scene.voice.id, run.id, f"ft:{run.id}", scene.voice.base_model, version.id, at=scene.clock()
    )
    return run, model


def an_evaluation(run: Run, at: datetime, *, verdict: Verdict = Verdict.BETTER) -> Evaluation:
    sample = SampleScore("corr_1", "Where?", "On it!", "Somewhere.", "On it!", 0.1, 1.0)
    return Evaluation(run.id, "smol-135m", "ft:1", (sample,), 0.02, verdict, "It won 7 of 7 decisive pairs.", at)
