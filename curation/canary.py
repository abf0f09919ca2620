"""A canary: the candidate answers a share of the conversations until votes prove harm, or enough of them or of time has passed.

Which votes count, and what they prove, is pure; `watch` reads, decides and acts. Votes never promote: the held-out questions
have done that already. Rules and sizes: evidence.md 3, 6 and 7.
"""

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median

from curation.evidence import (
    Blocks,
    Finding,
    Pairs,
    Rules,
    RulesChanged,
    Vote,
    VoteEvent,
    harm_against_floor,
    harm_in_canary,
    harm_in_pairs,
    rolls_back,
    tally,
    votes_that_count,
)
from curation.holding import look
from curation.sealing import sealed
from curation.step import tell
from curation.workshop import PROGRAM, Workshop
from storage.errors import DeploymentMoved
from storage.records import Alarm, CastVote, Deployment, Held, Run, RunState

PRACTICE = "console"  # where the page names the model that answers, so that a vote is not blind
HOUR = timedelta(hours=1)
LOOK_BACK = timedelta(days=28)
FACTOR = 5  # times the usual hour
AT_LEAST = 12  # votes of an hour; fewer are no flood, whatever is usual
BLOCKS = Blocks()


# ---------------------------------------------------------------- which votes count


def hour_of(moment: datetime) -> datetime:
    """When the hour of that moment began, UTC."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class Flood:
    """From its first vote to its last, every one of them in some hour with many times the votes of a usual one."""

    first: datetime
    last: datetime

    def has(self, moment: datetime) -> bool:
        return self.first <= moment <= self.last


def floods(moments: Iterable[datetime]) -> list[Flood]:
    """Where an hour, wherever on the clock it begins, has many times the votes of a usual one; apart from each other, in order.

    Usual is the median of the hours of the clock that had any and that the flood does not touch: it must not be its own measure
    because it ran over the full hour. Where no other hour had any, a whole flood is unusual.
    """
    ordered = sorted(moments)
    counts = Counter(map(hour_of, ordered))
    usual: dict[tuple[datetime, datetime], float] = {}
    found: list[Flood] = []
    end = 0
    for start, first in enumerate(ordered):
        while end < len(ordered) and ordered[end] < first + HOUR:
            end += 1
        if end - start < AT_LEAST:
            continue
        last = ordered[end - 1]
        touched = hour_of(first), hour_of(last)
        if touched not in usual:
            usual[touched] = median([count for hour, count in counts.items() if hour not in touched] or [0])
        if end - start < FACTOR * usual[touched]:
            continue
        if found and first <= found[-1].last:
            found[-1] = Flood(found[-1].first, last)
        else:
            found.append(Flood(first, last))
    return found


def counting(
    cast: Sequence[CastVote],
    deployment: Deployment,
    moments: Iterable[datetime],
    held_since: datetime | None,
    now: datetime,
) -> list[Vote]:
    """The votes that count, in the order they were first given.

    One per person, as it stood when its block closed. A customer's counts on the answer to the own question, the team's on any.
    Each waits an hour, and those of a flood are left out: so a flood is known before it counts.
    The team's since `held_since` wait for an admin. The arm is the one the conversation was given, whoever answered in the end.
    """
    flooded = floods(moments)
    events = [
        VoteEvent(
            vote.voter_id,
            vote.reply_id,
            deployment.is_in_canary(vote.conversation_id),
            vote.good,
            vote.replied_at,
            vote.voted_at,
        )
        for vote in cast
        if (vote.by_asker or vote.by_team)
        and vote.voted_at + HOUR <= now
        and not any(flood.has(vote.voted_at) for flood in flooded)
        and not (vote.by_team and held_since is not None and vote.voted_at >= held_since)
    ]
    return votes_that_count(events, BLOCKS)


# ---------------------------------------------------------------- what they prove


def pairs_in_time(votes: Iterable[Vote]) -> Pairs:
    """Each vote on the canary with the first on the other model that came after it and has no partner.

    By when they came, never by what they say; close in time, so that what changes over the days hits both alike, whatever the
    canary's share. A vote whose partner has not come waits.
    """
    waiting: deque[bool] = deque()
    counts = Counter[int]()
    for vote in votes:
        if vote.by_candidate:
            waiting.append(vote.good)
        elif waiting:
            counts[waiting.popleft() - vote.good] += 1
    return Pairs(counts[1], counts[-1], counts[0])


def harm(votes: Sequence[Vote], rules: Rules) -> list[Finding]:
    """What each of the three rules says of the canary; each has its part of the chance of a false alarm."""
    counted = tally(votes)
    return [
        harm_in_pairs(pairs_in_time(votes), rules),
        harm_against_floor(counted.candidate_good, counted.candidate_votes, rules),
        harm_in_canary(votes, rules),
    ]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a canary ends, and the sentence that says why."""

    is_promoted: bool
    why: str


def ending(votes: Sequence[Vote], rules: Rules, *, since: datetime, now: datetime) -> Ending | None:
    """Taken back at the first harm; promoted after so many votes or hours without any; None while it goes on."""
    findings = harm(votes, rules)
    found = rolls_back(findings)
    if found is not None:
        return Ending(False, f"The canary was taken back. {found.sentence}")
    counted = tally(votes)
    hours = (now - since) / HOUR
    if counted.candidate_votes < rules.canary_votes and hours < rules.canary_hours:
        return None
    return Ending(True, f"As a canary it did no harm that could be proven in {hours:.0f} hours: {_counted(votes)}.")


def standing(votes: Sequence[Vote], rules: Rules) -> str:
    """Where a canary stands, as a sentence."""
    nearest = max(harm(votes, rules), key=lambda finding: finding.log_evidence - finding.log_threshold)
    return f"Canary: {_counted(votes)}. {nearest.sentence}"


def _counted(votes: Sequence[Vote]) -> str:
    counted = tally(votes)
    return (
        f"{counted.candidate_good} of {counted.candidate_votes} votes on its replies were thumbs up, "
        f"{counted.incumbent_good} of {counted.incumbent_votes} on the model before"
    )


# ---------------------------------------------------------------- looking after one


async def votes_of(workshop: Workshop, deployment: Deployment) -> list[Vote]:
    """The votes that count on this deployment by now."""
    store, now = workshop.store, workshop.now()
    holds = await look(store, deployment.voice_id, now=now)
    held = holds.get(Held.MARKS)
    cast = await store.votes.cast(deployment, except_on=PRACTICE)
    moments = await store.votes.moments(deployment.voice_id, deployment.since - LOOK_BACK)
    return counting(cast, deployment, moments, held.since if held else None, now)


async def start(workshop: Workshop, run: Run, seen_seq: int, share: float, why: str) -> Run:
    """Give the run's candidate its share of the conversations. Raises RunMoved and DeploymentMoved."""
    await workshop.store.releases.start_canary(run, seen_seq, share, by=run.requested_by, why=why, at=workshop.now())
    await tell(workshop, run, "canary", f"It answers {share:.0%} of the conversations from now on. {why}")
    return await workshop.store.runs.get(run.id)


async def watch(workshop: Workshop, run: Run) -> Run:
    """Take the canary back on harm, promote it when its time is over, else leave it. One that somebody else ended, ends here."""
    store, now = workshop.store, workshop.now()
    current = await store.models.current(run.voice_id)
    if current.canary is None or current.canary.run_id != run.id:
        return await take_back(workshop, run, f"The canary was ended: {current.why}")
    try:
        rules = await sealed(workshop, run)
    except RulesChanged as changed:
        return await take_back(workshop, run, str(changed))
    votes = await votes_of(workshop, current)
    ended = ending(votes, rules, since=current.since, now=now)
    if ended is None:
        await tell(workshop, run, f"canary-{len(votes)}", standing(votes, rules))
        return run
    if not ended.is_promoted:
        return await harmed(workshop, run, current, ended.why)
    why = f"{current.why} {ended.why}"
    try:
        await store.runs.promote(
            run.id, run.epoch, current.seq, by=run.requested_by, why=why, at=now, from_state=RunState.CANARY
        )
    except DeploymentMoved:
        return run  # somebody was faster; the next look sees it
    return await store.runs.get(run.id)


async def harmed(workshop: Workshop, run: Run, deployment: Deployment, why: str) -> Run:
    """Let the admins hear of a harmful canary, then take it back: who dies in between, tells no second time. Raises RunMoved."""
    if deployment.canary is not None:
        text = (
            f"Model {deployment.canary.number} was tried on {deployment.canary_share:.0%} of the conversations. {why}"
        )
        await workshop.store.alarms.raise_(Alarm(f"canary/{deployment.id}", run.voice_id, workshop.now(), text))
    await tell(workshop, run, "canary-harm", why, "warn")
    return await take_back(workshop, run, why)


async def take_back(workshop: Workshop, run: Run, why: str, state: RunState = RunState.STOPPED) -> Run:
    """Let the model of before answer everything again, and end the run with this reason. Raises RunMoved."""
    return await workshop.store.releases.end_canary(run, state, by=PROGRAM, why=why, at=workshop.now())
