"""Pure: what moderators' marks on replies are worth: some good ones an example to learn, some bad ones an answer not to give.

A customer's thumb is no mark: it asks for a moderator's look, and steers nothing by itself.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from curation.examples import Example, Kind, Provenance, key_of_group
from storage.records import Feedback, Judgement, MarkedReply, Message

DECIDED_FIRST = 5  # of a moderator's own proposals, before how they fared says anything about them


@dataclass(frozen=True, slots=True)
class MarkPolicy:
    """When marks count. `moderators` is how many have to agree that a reply is good before it is learned; 0: never.

    `trust` is the share of a moderator's decided proposals that had to be approved, in [0, 1], for their marks to count.
    """

    moderators: int = 0
    trust: float = 0.5
    flags: bool = True  # whether replies that moderators marked as not right are kept as answers not to give


@dataclass(frozen=True, slots=True)
class Flagged:
    """A reply that a moderator marked as not right and nobody corrected: what not to say."""

    reply_id: str
    group_key: str
    history: tuple[Message, ...]
    question: str
    answer: str
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Marked:
    """A marked reply with the conversation before it, and the channel it stands in."""

    reply: MarkedReply
    history: tuple[Message, ...]
    channel: str


def trusted(decided: Mapping[str, tuple[int, int]], moderators: Collection[str], policy: MarkPolicy) -> frozenset[str]:
    """Whose marks count. `decided` is of each moderator (approved, decided); who has few of them decided is trusted."""
    return frozenset(
        id
        for id in moderators
        if (counts := decided.get(id, (0, 0)))[1] < DECIDED_FIRST or counts[0] / counts[1] >= policy.trust
    )


def is_good(feedback: Iterable[Feedback], counting: Collection[str], policy: MarkPolicy) -> bool:
    """Whether enough moderators agree that a reply is good, and none that it is not."""
    judged = [given.judgement for given in feedback if given.actor_id in counting]
    return 0 < policy.moderators <= len(judged) and all(judgement is Judgement.GOOD for judgement in judged)


def is_bad(feedback: Iterable[Feedback], counting: Collection[str], policy: MarkPolicy) -> bool:
    """Whether a moderator says that a reply is not right, and none that it is good."""
    judged = [given.judgement for given in feedback if given.actor_id in counting]
    return policy.flags and bool(judged) and all(judgement is not Judgement.GOOD for judgement in judged)


def worth_reading(
    marked: Sequence[MarkedReply], counting: Collection[str], policy: MarkPolicy, *, held_since: datetime | None = None
) -> list[MarkedReply]:
    """Those that become something, with only the judgements that count: none given since a hold."""
    before = [
        MarkedReply(
            each.turn,
            each.reply,
            tuple(
                given
                for given in each.feedback
                if given.actor_id in counting and (held_since is None or given.given_at < held_since)
            ),
        )
        for each in marked
    ]
    return [
        each for each in before if is_good(each.feedback, counting, policy) or is_bad(each.feedback, counting, policy)
    ]


def examples_of(marked: Iterable[Marked]) -> tuple[list[Example], list[Flagged]]:
    """Marked replies (as `worth_reading` left them) as examples to learn, and as answers not to give."""
    good: list[Example] = []
    bad: list[Flagged] = []
    for each in marked:
        turn, reply, feedback = each.reply.turn, each.reply.reply, each.reply.feedback
        question, answer = turn.question.strip(), reply.text.strip()
        if not question or not answer:
            continue
        last = feedback[-1]
        provenance = Provenance(
            Kind.MARK, each.channel, str(last.judgement), last.actor_id, day=f"{last.given_at:%Y-%m-%d}"
        )
        key = key_of_group(turn.conversation_id)
        if last.judgement is Judgement.GOOD:
            good.append(Example(reply.id, key, each.history, question, answer, provenance=provenance))
        else:
            bad.append(Flagged(reply.id, key, each.history, question, answer, provenance))
    return good, bad
