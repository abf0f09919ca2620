"""A Slack workspace as its people use it (talking.py, clicking.py): six of them, three channels, the bot, and an app to tell.

A verb raises NotAcknowledged where Slack would send again; `deliver` and `redeliver` never raise, so that a refusal can be
seen.
"""

import contextlib
from collections.abc import AsyncGenerator, Iterable

import httpx

from tests.slack import installing
from tests.slack.clicking import Clicking
from tests.slack.emulator import Emulators
from tests.slack.loopback import emulator_client
from tests.slack.place import (
    APP_ID,
    CORE_SCOPES,
    FOREIGN_TEAM_ID,
    Channel,
    Person,
    Place,
    bot_token,
    seed,
    user_token,
)
from tests.slack.served import Door
from tests.slack.talking import Talking
from tests.slack.team import EMULATED_TEAM_ID, Team
from tests.slack.wire import Wire

NAMES = ("customer", "second_customer", "moderator", "approver", "admin", "stranger")


class Workspace(Talking, Clicking):
    """A workspace with six people, three channels with the bot in them, and an app to tell."""

    support: Channel  # public, shared with the stranger's team
    review: Channel  # private: moderator, approver, admin
    triage: Channel  # private: moderator, approver, admin

    @property
    def customer(self) -> Person:
        return self.people["customer"]

    @property
    def second_customer(self) -> Person:
        return self.people["second_customer"]

    @property
    def moderator(self) -> Person:
        return self.people["moderator"]

    @property
    def approver(self) -> Person:
        return self.people["approver"]

    @property
    def admin(self) -> Person:
        return self.people["admin"]

    @property
    def stranger(self) -> Person:
        """Of another team (Slack Connect); a member of the support channel."""
        return self.people["stranger"]

    @property
    def authorize_url(self) -> str:
        """The `authorization_url` of the app's OAuth settings."""
        return f"{self.team.emulator_url}/oauth/v2/authorize"

    async def install(self, by: Person) -> httpx.Response:
        """Install the app over OAuth, as this person. Returns the page the app shows at the end."""
        page = await installing.install(self.door.url, self.authorize_url, by.name)
        granted = [call for call in self.wire.calls_of("oauth.v2.access") if call.ok]
        if granted and granted[-1].answer["team"]["id"] == self.team.team_id:
            self.bot_token = granted[-1].answer["access_token"]
        return page


@contextlib.asynccontextmanager
async def open_workspace(
    wire: Wire,
    door: Door,
    program: Emulators,
    *,
    team_id: str = EMULATED_TEAM_ID,
    scopes: Iterable[str] = CORE_SCOPES,
) -> AsyncGenerator[Workspace]:
    """A workspace on an emulator of its own, behind `wire`, for the length of a block. Its app is reached at `door`."""
    scopes = list(scopes)
    planted = seed(team_id, NAMES, scopes, f"{door.url}/slack/oauth_redirect")
    async with (
        program.opened(planted) as emulator_url,
        emulator_client() as http,
    ):
        team = Team(team_id, emulator_url, APP_ID, scopes={bot_token(team_id): scopes})
        place = Workspace(wire, team, {}, http, door)
        bot = await place.api("auth.test", place.bot_token)
        team.bot_user_id, team.bot_id = bot["user_id"], bot["bot_id"]
        place.people |= await _people(place)
        team.foreigners[place.stranger.user_id] = FOREIGN_TEAM_ID
        await _open_channels(place)
        wire.teams.append(team)
        yield place


async def _people(place: Place) -> dict[str, Person]:
    listed = await place.api("users.list", user_token(place.team.team_id, "admin"))
    home = place.team.team_id
    return {
        user["name"]: Person(
            user["name"],
            user["id"],
            user_token(home, user["name"]),
            FOREIGN_TEAM_ID if user["name"] == "stranger" else home,
        )
        for user in listed["members"]
        if user["name"] in NAMES
    }


async def _open_channels(place: Workspace) -> None:
    ids = {name: person.user_id for name, person in place.people.items() if name != "admin"}
    staff = [place.bot_user_id, ids["moderator"], ids["approver"]]
    place.support = await place.new_channel("support", [place.bot_user_id, *ids.values()], shared=True)
    place.review = await place.new_channel("review", staff, private=True)
    place.triage = await place.new_channel("triage", staff, private=True)
