"""Reviewing: what may be approved together with others, and how long a lock lasts. The verbs are tested through the console."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.reviewing import alone_because, minutes_left
from storage.records import Actor, Assignment, Judgement, Right
from storage.reviews import Waiting

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
NOOR = Actor("a1", "console", "noor", "Noor", frozenset({Right.APPROVER}))
MIA = Actor("a2", "console", "mia", "Mia", frozenset({Right.MODERATOR}))
PEOPLE = {NOOR.id: NOOR, MIA.id: MIA}
LOCKED = Assignment("c1", MIA.id, NOW)


def proposal(by: str, origin: str = "reply") -> Waiting:
    return Waiting("c1", "Where?", "Here.", Judgement.TONE, origin, by, NOW, None, None)


@pytest.mark.parametrize(
    ("waiting", "held", "hint", "odd", "disputed", "alone", "why"),
    [
        pytest.param(proposal(MIA.id, "import:faq.csv:1"), None, False, False, False, False, "", id="an import"),
        pytest.param(
            proposal(MIA.id),
            None,
            False,
            False,
            False,
            False,
            "whoever wrote it is not an approver",
            id="a moderator's",
        ),
        pytest.param(
            proposal("gone"), None, False, False, False, False, "whoever wrote it is not an approver", id="nobody's"
        ),
        pytest.param(proposal(NOOR.id), None, False, False, False, False, "you wrote it yourself", id="one's own"),
        pytest.param(proposal(NOOR.id), None, False, False, False, True, "", id="one's own, in a team of one"),
        pytest.param(proposal(NOOR.id), LOCKED, False, False, False, True, "Mia is looking at it", id="looked at"),
        pytest.param(proposal(NOOR.id), None, True, False, False, True, "it may hold personal data", id="personal"),
        pytest.param(
            proposal(NOOR.id),
            None,
            False,
            True,
            False,
            True,
            "it may speak to the model rather than to people",
            id="odd",
        ),
        pytest.param(proposal(NOOR.id), None, False, False, True, True, "it is in an open dispute", id="in dispute"),
    ],
)
def test_only_what_is_trusted_and_harmless_goes_together(
    waiting: Waiting, held: Assignment | None, hint: bool, odd: bool, disputed: bool, alone: bool, why: str
):
    found = alone_because(
        waiting, NOOR, PEOPLE, held, has_hint=hint, is_odd=odd, is_disputed=disputed, team_of_one=alone
    )
    assert found == why


@pytest.mark.parametrize(("seconds", "minutes"), [(300, 5), (200, 3), (31, 1), (1, 1)])
def test_a_lock_says_whole_minutes_and_never_none(seconds: int, minutes: int):
    assert minutes_left(Assignment("c1", MIA.id, NOW + timedelta(seconds=seconds)), NOW) == minutes
