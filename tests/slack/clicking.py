"""What people do with an app's buttons, menus, forms and commands.

Each interaction gives the app a trigger of the emulator's own, which opens one view within three seconds.
"""

from typing import Any

from tests.slack import envelopes, forms
from tests.slack.calls import Asked
from tests.slack.delivery import Answer, NotAcknowledged
from tests.slack.payloads import response_violations
from tests.slack.place import APP_ID, Channel, Json, Message, Person
from tests.slack.screens import View
from tests.slack.telling import Telling, now_ts


class Clicking(Telling):
    """A workspace whose people use what the app shows them."""

    async def click(
        self, by: Person, where: Message | View, action_id: str, value: Any = None, *, even_if_hidden: bool = False
    ) -> Answer:
        """Click a button or choose in a menu of a stored message, an ephemeral one, the home tab or a modal.

        `value` names the option, or the feedback button. Raises CannotDo where the person's client shows no such thing.
        """
        blocks = forms.with_ids(where.blocks if isinstance(where, Message) else where["blocks"])
        sent = forms.action(blocks, action_id, value, now_ts())
        if not (even_if_hidden or forms.may_see(blocks, action_id, by.user_id)):
            raise forms.CannotDo(f"{by.name} does not see {action_id}")
        view_id = None if isinstance(where, Message) else where["id"]
        payload = await self._interaction("block_actions", by, view_id if self._is_modal(where) else None)
        payload |= self._message_source(where, blocks) if isinstance(where, Message) else _view_source(where, blocks)
        payload |= {"actions": [sent]}
        return await self._acknowledged(envelopes.interaction_body(payload))

    async def rate(self, by: Person, message: Message, *, good: bool) -> Answer:
        """Press one of the native feedback buttons under a reply."""
        for _, element in forms.elements(forms.with_ids(message.blocks)):
            if element["type"] == "feedback_buttons":
                button = element["positive_button" if good else "negative_button"]
                return await self.click(by, message, element["action_id"], button["value"])
        raise forms.CannotDo("the message has no feedback buttons")

    async def shortcut(self, by: Person, message: Message, callback_id: str) -> Answer:
        """Choose one of the app's entries in a message's menu."""
        channel = message.channel
        payload = await self._interaction("message_action", by, None)
        payload |= {
            "callback_id": callback_id,
            "action_ts": now_ts(),
            "message_ts": message.ts,
            "message": {"type": "message", **message.raw},
            "channel": envelopes.channel_field(channel.id, channel.name, channel.kind),
            "response_url": self.wire.new_response_url(),
        }
        return await self._acknowledged(envelopes.interaction_body(payload))

    async def submit(self, by: Person, filled: dict[str, Any] | None = None) -> Answer:
        """Fill in the modal on top (by action id; what is not named keeps its first value) and submit it.

        Then does what Slack does with the answer: close it, show errors, or show another view.
        Raises CannotDo where Slack's client would not submit.
        """
        view = self._top_view(by)
        blocks = forms.with_ids(view["blocks"])
        state = {"values": forms.submitted_values(blocks, filled or {})}
        payload = await self._interaction("view_submission", by, view["id"])
        payload |= {"view": {**view, "blocks": blocks, "state": state}, "response_urls": []}
        answer = await self._acknowledged(envelopes.interaction_body(payload))
        await self._follow(by, view, answer.json)
        return answer

    async def close_view(self, by: Person) -> Answer | None:
        """Cancel the modal on top. The app is told only if the view asked for it."""
        view = self._top_view(by)
        self.wire.screens.close_top(self.who(by))
        if not view.get("notify_on_close"):
            return None
        payload = await self._interaction("view_closed", by, None)
        del payload["trigger_id"]
        payload |= {"view": view, "is_cleared": False}
        return await self._acknowledged(envelopes.interaction_body(payload))

    async def command(self, by: Person, channel: Channel, command: str, text: str = "") -> tuple[Answer, str]:
        """Type "/retrain" with `text`. Returns the immediate answer and the response URL the app was given."""
        response_url = self.wire.new_response_url()
        fields = {
            "token": envelopes.VERIFICATION_TOKEN,
            "team_id": self.team.team_id,
            "team_domain": envelopes.DOMAIN,
            "channel_id": channel.id,
            "channel_name": {"group": "privategroup", "im": "directmessage"}.get(channel.kind, channel.name),
            "user_id": by.user_id,
            "user_name": by.name,
            "command": command,
            "text": text,
            "api_app_id": APP_ID,
            "is_enterprise_install": "false",
            "response_url": response_url,
            "trigger_id": await self._trigger(by, None),
        }
        answer = await self._acknowledged(envelopes.command_body(fields))
        if answer.text and not answer.json:
            self.wire.violations += response_violations({"text": answer.text})
        return answer, response_url

    async def _interaction(self, kind: str, by: Person, view_id: str | None) -> Json:
        user = {"id": by.user_id, "username": by.name, "name": by.name, "team_id": by.team_id}
        return envelopes.interaction(kind, self._address, user, await self._trigger(by, view_id))

    async def _trigger(self, by: Person, view_id: str | None) -> str:
        """A trigger id of the emulator's own: single use, good for three seconds."""
        made = await self.api("views.generateTriggerId", self.bot_token, user_id=by.user_id, view_id=view_id)
        self.wire.screens.expect(made["trigger_id"], self.who(by))
        return made["trigger_id"]

    def _is_modal(self, where: Message | View) -> bool:
        return not isinstance(where, Message) and where["type"] == "modal"

    def _message_source(self, message: Message, blocks: list[Json]) -> Json:
        channel = message.channel
        container = {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": channel.id,
            "is_ephemeral": message.ephemeral,
        }
        source = {
            "container": container | ({"thread_ts": message.root_ts} if message.root_ts != message.ts else {}),
            "channel": envelopes.channel_field(channel.id, channel.name, channel.kind),
            "response_url": self.wire.new_response_url(),
            "state": {"values": forms.state_values(blocks, {})},
        }
        if message.ephemeral:  # Slack does not show the app its ephemeral message again
            return source
        return source | {"message": {"type": "message", **message.raw, "blocks": blocks}}

    def _top_view(self, by: Person) -> View:
        view = self.open_view(by)
        if view is None:
            raise forms.CannotDo(f"{by.name} has no modal open")
        return view

    async def _follow(self, by: Person, view: View, answer: Json) -> None:
        """What Slack's client does with the answer to a submission."""
        who, screens = self.who(by), self.wire.screens
        match answer.get("response_action"):
            case None:
                screens.close_top(who)
            case "clear":
                screens.close_all(who)
            case "update":
                await self._show("views.update", by, view_id=view["id"], view=answer["view"])
            case "push":
                trigger_id = await self._trigger(by, view["id"])
                await self._show("views.push", by, trigger_id=trigger_id, view=answer["view"])
            case "errors":
                known = {block["block_id"] for block in forms.with_ids(view["blocks"])}
                if unknown := set(answer["errors"]) - known:
                    raise NotAcknowledged(f"errors for blocks the view does not have: {', '.join(sorted(unknown))}")
            case unknown:
                raise NotAcknowledged(f"response_action {unknown!r} is unknown")

    async def _show(self, method: str, by: Person, **arguments: Any) -> None:
        shown = await self.api(method, self.bot_token, **arguments)
        self.wire.screens.notice(Asked(method, arguments, self.bot_token), shown)

    def responses(self, response_url: str) -> list[Json]:
        """What the app posted to a response URL."""
        return self.wire.responses[response_url]


def _view_source(view: View, blocks: list[Json]) -> Json:
    state = {"values": forms.state_values(blocks, {})}
    return {
        "container": {"type": "view", "view_id": view["id"]},
        "view": {**view, "blocks": blocks, "state": state},
    }
