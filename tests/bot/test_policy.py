"""Whether the bot speaks, case by case."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.policy import Asking, Heard, Reaction, reaction, refusal
from storage.records import ChannelMode, ChannelRules

HEARD = Heard(
    mode=ChannelMode.MENTION,
    is_direct=False,
    is_mention=False,
    is_reply=False,
    is_ours=False,
    is_staff=False,
    is_asker=False,
    is_handed_over=False,
)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, Reaction.SILENT, id="talk between people in a mention channel"),
        pytest.param({"is_mention": True}, Reaction.ANSWER, id="a mention"),
        pytest.param({"is_mention": True, "is_reply": True}, Reaction.ANSWER, id="a mention deep in a thread"),
        pytest.param({"is_reply": True, "is_ours": True}, Reaction.ANSWER, id="a follow-up in our thread"),
        pytest.param({"is_reply": True}, Reaction.SILENT, id="a reply in somebody else's thread"),
        pytest.param({"mode": ChannelMode.AUTO}, Reaction.ANSWER, id="any question where we answer all"),
        pytest.param({"mode": ChannelMode.AUTO, "is_reply": True}, Reaction.SILENT, id="talk below it is not for us"),
        pytest.param({"mode": ChannelMode.DRAFT}, Reaction.DRAFT, id="a draft for the moderators"),
        pytest.param({"mode": ChannelMode.DRAFT, "is_mention": True}, Reaction.DRAFT, id="even when mentioned"),
        pytest.param({"mode": ChannelMode.OFF, "is_mention": True}, Reaction.SILENT, id="off is off"),
        pytest.param(
            {"mode": ChannelMode.OFF, "is_direct": True}, Reaction.ANSWER, id="a direct message has no channel"
        ),
        pytest.param({"is_mention": True, "is_handed_over": True}, Reaction.SILENT, id="a person has taken over"),
        pytest.param(
            {"is_staff": True, "is_handed_over": True}, Reaction.STEP_BACK, id="staff comes where it is asked"
        ),
        pytest.param(
            {"is_staff": True, "is_asker": True, "is_handed_over": True}, Reaction.SILENT, id="who asked does not"
        ),
        pytest.param({"is_direct": True, "is_handed_over": True}, Reaction.SILENT, id="in a direct message too"),
        pytest.param({"is_reply": True, "is_ours": True, "is_staff": True}, Reaction.STEP_BACK, id="staff answers"),
        pytest.param(
            {"is_reply": True, "is_ours": True, "is_staff": True, "is_asker": True},
            Reaction.ANSWER,
            id="staff who asked goes on asking",
        ),
        pytest.param({"is_staff": True, "is_mention": True}, Reaction.ANSWER, id="staff mentions us"),
        pytest.param(
            {"mode": ChannelMode.AUTO, "is_staff": True}, Reaction.SILENT, id="staff talks where we answer all"
        ),
    ],
)
def test_the_bot_speaks_only_when_spoken_to(changes: dict[str, object], expected: Reaction):
    assert reaction(replace(HEARD, **changes)) is expected  # type: ignore[arg-type]


FRIDAY_NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ASKING = Asking(roles=(), is_staff=False, last_asked_s=None, at=FRIDAY_NOON)
STRICT = ChannelRules(
    asking_roles=("7", "8"), cooldown_s=30, opening_hours="Mon-Fri 13:00-17:00", time_zone="Europe/Berlin"
)


@pytest.mark.parametrize(
    ("rules", "changes", "expected"),
    [
        pytest.param(ChannelRules(), {}, "", id="no rules"),
        pytest.param(STRICT, {"roles": ("8",)}, "", id="all rules kept"),
        pytest.param(STRICT, {"roles": ("9",)}, "only members with certain roles", id="not one of the roles"),
        pytest.param(STRICT, {}, "only members with certain roles", id="no role at all"),
        pytest.param(STRICT, {"is_staff": True}, "", id="staff without the role"),
        pytest.param(
            STRICT,
            {"roles": ("7",), "at": datetime(2026, 11, 20, 17, tzinfo=UTC)},
            "I answer here Mon-Fri 13:00-17:00 (Europe/Berlin). Please ask again then.",
            id="after closing",
        ),
        pytest.param(
            STRICT, {"is_staff": True, "at": datetime(2026, 11, 22, tzinfo=UTC)}, "", id="staff on a closed day"
        ),
        pytest.param(STRICT, {"roles": ("7",), "last_asked_s": 12.0}, "Please wait 18 seconds", id="too soon"),
        pytest.param(STRICT, {"roles": ("7",), "last_asked_s": 29.6}, "Please wait 1 second before", id="nearly"),
        pytest.param(STRICT, {"roles": ("7",), "last_asked_s": 30.0}, "", id="just late enough"),
        pytest.param(ChannelRules(), {"last_asked_s": 0.0}, "", id="no cooldown"),
    ],
)
def test_a_channels_rules_let_somebody_ask_or_say_why_not(
    rules: ChannelRules, changes: dict[str, object], expected: str
):
    said = refusal(rules, replace(ASKING, **changes))  # type: ignore[arg-type]
    assert said == "" if not expected else expected in said
