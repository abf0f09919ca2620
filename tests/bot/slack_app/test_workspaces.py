"""Which token speaks in which workspace, and for how long it is believed."""

import pytest

from bot.slack_app.workspaces import KEPT_FOR_S, Bot, NotInstalled, Workspaces


class Installed:
    """What a shared database says about one workspace, and how often it was asked."""

    def __init__(self) -> None:
        self.token: str | None = "xoxb-first"
        self.n_asked = 0
        self.seconds = 0.0

    async def find(self, team: str) -> Bot | None:
        self.n_asked += 1
        return None if self.token is None else Bot(team, "Puffin", "U1", "B1", self.token)

    def clock(self) -> float:
        return self.seconds


async def test_a_workspace_is_looked_up_once_and_again_after_a_minute():
    there = Installed()
    workspaces = Workspaces("http://127.0.0.1:9/api/", there.find, there.clock)
    first = await workspaces.client("T1")
    assert await workspaces.client("T1") is first
    assert there.n_asked == 1
    there.seconds += KEPT_FOR_S
    assert await workspaces.client("T1") is first  # the same token, the same connections
    assert there.n_asked == 2


async def test_a_token_that_another_process_was_given_is_used_here_within_a_minute():
    there = Installed()
    workspaces = Workspaces("http://127.0.0.1:9/api/", there.find, there.clock)
    assert (await workspaces.client("T1")).token == "xoxb-first"
    there.token = "xoxb-second"
    there.seconds += KEPT_FOR_S
    assert (await workspaces.client("T1")).token == "xoxb-second"
    there.token = None
    there.seconds += KEPT_FOR_S
    with pytest.raises(NotInstalled, match="T1"):
        await workspaces.bot("T1")


async def test_what_changed_here_is_looked_up_at_once():
    there = Installed()
    workspaces = Workspaces("http://127.0.0.1:9/api/", there.find, there.clock)
    await workspaces.bot("T1")
    there.token = "xoxb-second"
    workspaces.forget("T1")
    assert (await workspaces.bot("T1")).token == "xoxb-second"


async def test_a_token_is_never_printed():
    assert "xoxb" not in repr(await Installed().find("T1"))
