"""Whether the bot speaks, case by case."""

from dataclasses import replace

import pytest

from bot.policy import Heard, Reaction, reaction
from storage.records import ChannelMode

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
