"""Pure: from what a platform tells of thumbs, late, twice and out of order, to the votes that count.

One vote per person and reply, the last word wins, and nothing changes once its block is closed: so whoever reads the same
events in whatever order finds the same votes, and nobody can vote on a result. One person counts once per experiment, because
the rules take votes as independent.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from curation.evidence.betting import Vote

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class VoteEvent:
    """A thumb given, changed or taken back, as a platform told it."""

    voter_id: str
    reply_id: str
    by_candidate: bool  # recorded when the reply was made
    good: bool | None  # None: taken back
    replied_at: datetime
    voted_at: datetime  # by the platform's clock, not by when we heard of it


@dataclass(frozen=True, slots=True)
class Blocks:
    """Time in equal parts, from midnight UTC 1970-01-01. A reply belongs to the block it was made in.

    A block closes `grace` after its end. So drift hits both arms alike, and a vote from tomorrow changes nothing of today.
    """

    length: timedelta = timedelta(days=1)
    grace: timedelta = timedelta(days=1)

    def closes_at(self, replied_at: datetime) -> datetime:
        """When the votes on a reply of that moment are frozen."""
        return EPOCH + ((replied_at - EPOCH) // self.length + 1) * self.length + self.grace


def votes_that_count(
    events: Iterable[VoteEvent], blocks: Blocks, *, left_out: frozenset[tuple[str, str]] = frozenset()
) -> list[Vote]:
    """Each person's first vote, as it last stood before its block closed, in the order in which they were first given.

    `left_out` holds (voter, reply) of those who wrote the correction, bots, and votes held back as a brigade's. Where a first
    vote was taken back in time, the person's next one counts.
    """
    told: dict[tuple[str, str], list[VoteEvent]] = {}
    for event in events:
        key = event.voter_id, event.reply_id
        if key not in left_out and event.voted_at < blocks.closes_at(event.replied_at):
            told.setdefault(key, []).append(event)
    for of_one in told.values():
        # Two at one moment: a platform's "taken back" and "given" then belong to a change, and what was given stands.
        of_one.sort(key=lambda event: (event.voted_at, event.good is not None, event.good or False))
    standing = [(of_one[0].voted_at, key, of_one[-1]) for key, of_one in told.items() if of_one[-1].good is not None]
    first_of: dict[str, Vote] = {}
    for _, (voter_id, _), last in sorted(standing, key=lambda item: item[:2]):
        first_of.setdefault(voter_id, Vote(last.by_candidate, last.good is True))
    return list(first_of.values())
