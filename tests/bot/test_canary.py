"""Who answers during a canary: each conversation one model to its end, both seen at once by every process, nobody unanswered."""

import pytest

from providers.base import ErrorKind
from storage.records import PROGRAM_ACTOR_ID, Deployment, ReplySource, RunState, Trigger
from tests.bot.test_answering import Counter, counter

__all__ = ["counter"]
CANDIDATE = "ft:base:next"


async def begin(counter: Counter, share: float = 0.5) -> Deployment:
    """A tuned model serves, and another is tried beside it."""
    await counter.deploy_tuned("ft:base:tuned")
    store, now = counter.desk.store, counter.clock
    first = await store.runs.open_run(counter.voice.id)
    assert first is not None
    await store.runs.advance(first.id, 0, first.state, RunState.STOPPED, at=now())
    run, _ = await store.runs.request(counter.voice.id, "base", Trigger.PERSON, counter.customer.id, at=now())
    await store.models.ensure_tuned(counter.voice.id, run.id, CANDIDATE, "base", None, at=now())  # type: ignore[arg-type]
    run = await store.runs.advance(run.id, 0, run.state, RunState.EVALUATED, at=now())
    current = await store.models.current(counter.voice.id)
    counter.provider.base_models |= {CANDIDATE}
    return await store.releases.start_canary(run, current.seq, share, by=PROGRAM_ACTOR_ID, why="Better.", at=now())


async def test_each_conversation_has_one_model_and_both_are_at_work(counter: Counter):
    deployment = await begin(counter)
    answered: dict[str, set[str | None]] = {}
    for number in range(60):
        reply = await counter.ask("Where is it?", f"m{number}", f"c{number % 20}")
        assert reply.text == f"[{reply.model_name}] Where is it?"
        assert reply.source is ReplySource.TUNED
        assert reply.deployment_id == deployment.id
        assert reply.model_name == deployment.model_for(reply.conversation_id).name
        answered.setdefault(reply.conversation_id, set()).add(reply.model_name)
    assert all(len(models) == 1 for models in answered.values())
    assert {model for models in answered.values() for model in models} == {CANDIDATE, "ft:base:tuned"}


async def test_a_candidate_that_fails_is_helped_out_by_the_model_beside_it(counter: Counter):
    deployment = await begin(counter, share=1.0)
    counter.provider.fail_next("stream", ErrorKind.BAD_REQUEST)
    reply = await counter.ask("Where is it?")
    assert (reply.model_name, reply.source) == ("ft:base:tuned", ReplySource.TUNED)
    assert reply.deployment_id == deployment.id
    assert deployment.is_in_canary(reply.conversation_id)


@pytest.mark.parametrize("end", ["promoted", "taken back"])
async def test_the_canarys_end_reaches_the_very_next_reply(counter: Counter, end: str):
    deployment = await begin(counter)
    store, now = counter.desk.store, counter.clock
    for number in range(8):
        await counter.ask("Where is it?", f"before{number}", f"c{number}")
    assert deployment.run_id is not None
    run = await store.runs.get(deployment.run_id)
    if end == "promoted":
        await store.releases.overrule(run.id, deployment.seq, by=counter.customer.id, why="Good.", at=now())
    else:
        await store.releases.end_canary(run, RunState.STOPPED, by=PROGRAM_ACTOR_ID, why="Harm.", at=now())
    after = {(await counter.ask("And now?", f"after{number}", f"c{number}")).model_name for number in range(8)}
    assert after == {CANDIDATE if end == "promoted" else "ft:base:tuned"}
