"""The Bolt app: one gate through which every delivery passes. It is kept as a row, acknowledged, and then worked on.

Bolt checks signatures and answers Slack's own questions; it neither remembers deliveries nor waits for work at shutdown
(slack_bolt 1.30), so no listener of it is used: what is to be done is read back from the row.
"""

import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.inbox import Inbox, Work
from bot.problems import FOR_PEOPLE, sentence_of
from bot.slack_app import commands, forms, home, messages, payloads, presses, stopping
from bot.slack_app.blocks import SENTENCE_LIMIT, Shown, section
from bot.slack_app.markup import inline
from bot.slack_app.outgoing import UNREACHABLE, post, reason, tell, whisper
from bot.slack_app.parts import PLATFORM, Parts
from bot.slack_app.payloads import Payload
from bot.slack_app.workspaces import NotInstalled
from storage.errors import DatabaseUnavailable
from storage.records import InboundEvent

log = logging.getLogger(__name__)

SERVER_ERROR = "Sorry, that did not work. Somebody from the team was told. (reference {reference})"

Uninstall = Callable[[str], Awaitable[None]]
"""Forgets a workspace that removed the app."""


@dataclass(frozen=True, slots=True)
class Door:
    """How deliveries come in: what their signatures are checked with, and how workspaces install the app."""

    signing_secret: str = ""  # "": Socket Mode, whose connection is authenticated itself
    oauth: AsyncOAuthFlow | None = None  # None: one workspace by a token


class SlackApp:
    """The app over its parts: `bolt` receives, `inbox` keeps and works."""

    def __init__(self, parts: Parts, owner: str, door: Door, uninstall: Uninstall) -> None:
        self.parts = parts
        self.inbox = Inbox(parts.store, PLATFORM, owner, Work(self._handle, self._give_up), parts.now)
        self._uninstall = uninstall

        # Bolt passes arguments by their names, and takes the `self` of a method for one of them.
        async def authorize(team_id: str | None, enterprise_id: str | None) -> AuthorizeResult | None:
            return await self._authorized(team_id, enterprise_id)

        async def gate(req: AsyncBoltRequest) -> BoltResponse:
            return await self._kept(req.body)

        self.bolt = AsyncApp(
            name="finetone",
            signing_secret=door.signing_secret or "unused",
            request_verification_enabled=bool(door.signing_secret),
            client=parts.workspaces.speaking(None),
            authorize=authorize,  # pyright: ignore[reportArgumentType]  # typed for sync functions
            ignoring_self_events_enabled=False,  # it would drop that somebody deleted a message of ours, too
        )
        if door.oauth is not None:
            self.bolt._async_oauth_flow = door.oauth  # pyright: ignore  # Bolt takes an authorize function or a flow, not both
        self.bolt.middleware(gate)  # pyright: ignore[reportUnknownMemberType]

    # ------------------------------------------------------------ receiving

    async def _authorized(self, team_id: str | None, enterprise_id: str | None) -> AuthorizeResult | None:
        try:
            bot = await self.parts.workspaces.bot(team_id or enterprise_id or "")
        except NotInstalled as error:
            log.warning("%s", error)
            return None
        return AuthorizeResult(
            enterprise_id=enterprise_id, team_id=bot.team, bot_user_id=bot.user, bot_id=bot.bot_id, bot_token=bot.token
        )

    async def _kept(self, body: dict[str, Any]) -> BoltResponse:
        """Keep the delivery and acknowledge it. A form with something wrong in it stays open and says what."""
        try:
            key, kind = payloads.key_of(body)
            is_noise = kind == "view_closed" or payloads.is_noise(body)
        except (KeyError, IndexError, TypeError):
            return BoltResponse(status=400, body="This is no delivery of Slack's.")
        if is_noise:
            return BoltResponse(status=200)
        if kind == "view_submission":
            form = payloads.submitted(body)
            if wrong := forms.faults(form):
                answer = {"response_action": "errors", "errors": wrong}
                return BoltResponse(status=200, body=json.dumps(answer), headers={"content-type": "application/json"})
        try:
            await self.inbox.receive(key, kind, body)
        except DatabaseUnavailable as error:
            log.error("%s is not acknowledged: %s", kind, error)
            return BoltResponse(status=503, body="The database does not answer; please deliver this again.")
        return BoltResponse(status=200)

    # ------------------------------------------------------------ working

    async def _handle(self, event: InboundEvent) -> str:
        """What a kept delivery asks for. A sentence meant for people reaches them; anything else is logged and tried again."""
        body = event.payload
        try:
            return await self._dispatched(event.kind, body, is_first_try=event.attempts == 1)
        except DatabaseUnavailable:
            raise
        except FOR_PEOPLE as error:
            await self._say(body, inline(await sentence_of(self.parts.store, error), SENTENCE_LIMIT))
            return type(error).__name__
        except NotInstalled as error:
            return str(error)

    async def _dispatched(self, kind: str, body: Payload, *, is_first_try: bool) -> str:
        parts = self.parts
        team = payloads.team_of(body)
        match kind:
            case "app_mention" | "message":
                return await self._message(body, is_first_try)
            case "reaction_added" | "reaction_removed":
                return await presses.reacted(parts, payloads.reacted(body))
            case "block_actions" | "message_action":
                return await presses.pressed(parts, payloads.pressed(body), is_first_try=is_first_try)
            case "view_submission":
                return await forms.submitted(parts, payloads.submitted(body), is_first_try=is_first_try)
            case "command":
                respond = str(body.get("response_url", ""))
                return await commands.commanded(parts, payloads.commanded(body), respond, is_first_try=is_first_try)
            case "agent_session_stopped":
                return await stopping.stopped(parts, payloads.stopped(body), is_first_try=is_first_try)
            case "app_home_opened":
                return await self._home_opened(body)
            case "member_joined_channel":
                return await self._joined(body)
            case "subteam_members_changed" | "subteam_updated":
                parts.people.forget_groups(team)
                return ""
            case "app_uninstalled" | "tokens_revoked":
                if kind == "tokens_revoked" and not body["event"].get("tokens", {}).get("bot"):
                    return "a person's token"
                await self._uninstall(team)
                parts.workspaces.forget(team)
                return ""
            case _:
                return "nothing to do"

    async def _message(self, body: Payload, is_first_try: bool) -> str:
        changed = payloads.changed(body)
        if changed is not None:
            if changed.text is None and await presses.is_reply_removed(
                self.parts, changed.place.channel_key, changed.place.ts
            ):
                return ""
            return await messages.was_changed(self.parts, changed)
        bot = await self.parts.workspaces.bot(payloads.team_of(body))
        said = payloads.said(body, bot.user)
        if isinstance(said, str):
            return said
        return await messages.heard(self.parts, said, is_first_try=is_first_try)

    async def _home_opened(self, body: Payload) -> str:
        event = body["event"]
        team = payloads.team_of(body)
        person = payloads.Person(team, str(event["user"]), team)
        try:
            if event.get("tab") == "messages":
                await home.on_screen(self.parts, person)
            else:
                await home.publish(self.parts, person)
        except UNREACHABLE as error:  # a screen that could not be drawn is drawn at the next look
            log.info("a screen was not drawn (%s)", reason(error))
        return ""

    async def _joined(self, body: Payload) -> str:
        """Say once who this is, when the bot comes into a channel."""
        event, team = body["event"], payloads.team_of(body)
        bot = await self.parts.workspaces.bot(team)
        if event.get("user") != bot.user:
            return "somebody else came"
        client = await self.parts.client(team)
        channel = str(event["channel"])
        mode = await self.parts.mode(f"{team}/{channel}")
        shown = Shown(
            GREETING, [section(f"{GREETING} An admin can change when I speak: `/finetone channel`. Now: *{mode}*.")]
        )
        await post(client, channel, shown)
        return ""

    # ------------------------------------------------------------ what went wrong

    async def _say(self, body: Payload, sentence: str) -> None:
        """A sentence to the person whose act could not be done, where only they see it."""
        if body.get("response_url") and "command" in body:
            await commands.send(self.parts.workspaces, str(body["response_url"]), sentence)
            return
        team = payloads.team_of(body)
        client = await self.parts.client(team)
        user_id, channel_id = payloads.id_in(body, "user"), payloads.id_in(body, "channel")
        if channel_id:
            await whisper(client, channel_id, user_id, sentence)
        elif user_id:
            await tell(client, user_id, Shown(sentence, [section(sentence)]))

    async def _give_up(self, event: InboundEvent) -> None:
        """After the last attempt: who waits hears that it did not work, and the team hears where to look."""
        body = event.payload
        log.error("%s %s was given up after %s attempts", event.kind, event.id, event.attempts - 1)
        try:
            if event.kind in ("message", "app_mention"):
                bot = await self.parts.workspaces.bot(payloads.team_of(body))
                said = payloads.said(body, bot.user)
                if isinstance(said, payloads.Said):
                    await messages.apologise(self.parts, said)
            else:
                await self._say(body, SERVER_ERROR.format(reference=event.id))
            if self.parts.rules.ops_channel:
                client = await self.parts.client(payloads.team_of(body))
                text = f"A delivery failed three times: {inline(event.kind)} `{event.id}`. The log has the reason."
                await post(client, self.parts.rules.ops_channel, Shown(text, [section(text)]))
        except (NotInstalled, *UNREACHABLE) as error:
            log.error("nobody could be told about %s (%s)", event.id, reason(error))


GREETING = "Hello. I answer questions here when you mention me; a teammate can correct me at any time."
