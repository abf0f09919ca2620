"""What people do with an app's buttons, menus, forms and commands.

Raises CannotDo where the person's client shows no such thing: a button that is not there or is disabled, a command that was never
synced or is hidden from them, a form that is not open.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import simcord
from simcord import actors
from simcord.backend import serializers
from simcord.enums import ComponentType, InteractionType
from simcord.interactions import base_payload

from tests.discord.place import CannotDo, Channel, Json, Message, Person, Place
from tests.discord.talking import Telling


@dataclass(frozen=True)
class Answer:
    """What the bot answered to one interaction, as it is when it is read."""

    place: Place
    result: simcord.InteractionResult

    @property
    def acknowledged(self) -> bool:
        """Whether there was a first response."""
        return self.result.acknowledged

    @property
    def deferred(self) -> bool:
        """Whether the bot still shows that it thinks."""
        return self.result.deferred

    @property
    def message(self) -> Message | None:
        """The message it answered with, or changed."""
        shown = self.result.response
        return self.place._message(self.place.backend.get_message(shown.channel_id, shown.id)) if shown else None

    @property
    def text(self) -> str | None:
        return self.message.shown if self.message else None

    @property
    def ephemeral(self) -> bool:
        return self.result.ephemeral

    @property
    def followups(self) -> list[Message]:
        """What it said after its first response."""
        shown = self.result.followups
        return [self.place._message(self.place.backend.get_message(one.channel_id, one.id)) for one in shown]

    @property
    def modal(self) -> Json | None:
        """The form it opened."""
        return self.result.modal

    @property
    def choices(self) -> list[Json]:
        """What it offered while the person typed."""
        return self.result.autocomplete_choices or []


class Clicking(Telling):
    """A place whose people use what the bot shows them."""

    async def click(
        self, by: Person, message: Message, *, label: str | None = None, custom_id: str | None = None
    ) -> Answer:
        """Click the one button with this label or custom_id. `message` may be old: the stored one is clicked."""
        answer = self._press(by, message, label, custom_id)
        await self.settle()
        return answer

    async def double_click(
        self, by: Person, message: Message, *, label: str | None = None, custom_id: str | None = None
    ) -> tuple[Answer, Answer]:
        """Click twice before the bot can answer the first: two interactions."""
        answers = self._press(by, message, label, custom_id), self._press(by, message, label, custom_id)
        await self.settle()
        return answers

    async def click_together(self, people: Sequence[Person], message: Message, *, custom_id: str) -> list[Answer]:
        """Several people click before the bot can answer any of them."""
        answers = [self._press(person, message, None, custom_id) for person in people]
        await self.settle()
        return answers

    async def choose(
        self, by: Person, message: Message, values: Sequence[Any], *, custom_id: str | None = None
    ) -> Answer:
        """Choose in a menu: the options' values, or people, roles and channels."""
        actor = self._actor_in(by, message.channel)
        chosen = [self._handle(value) for value in values]
        return Answer(self, await actor.select(self._shown(message), chosen, custom_id=custom_id))

    async def open_menu(
        self, by: Person, target: Message | Person, name: str, channel: Channel | None = None
    ) -> Answer:
        """Choose a command of the context menu of a message, or of a person seen in a channel."""
        if isinstance(target, Message):
            shown: Any = self._shown(target)
            channel = target.channel
        else:
            shown = self._actor(target)
        if channel is None:
            raise CannotDo("a person is seen in a channel: name it")
        return Answer(self, await self._actor(by).context_menu(self._channel_handle(channel), name, shown))

    async def slash(self, by: Person, channel: Channel, name: str, /, **options: Any) -> Answer:
        """Run a command, "retrain" or "model status". Options may be people, roles, channels, or (name, bytes) files."""
        given = {option: self._handle(value) for option, value in options.items()}
        if channel.kind == "dm":
            return Answer(self, await self._user(by).slash(name, **given))
        return Answer(self, await self._actor(by).slash(self._channel_handle(channel), name, **given))

    async def type_option(
        self, by: Person, channel: Channel, name: str, option: str, typed: str, /, **filled: Any
    ) -> list[Json]:
        """Type into an option that completes itself. Returns what the bot offers: {"name", "value"} each."""
        given = {key: self._handle(value) for key, value in filled.items()}
        if channel.kind == "dm":
            return await self._user(by).autocomplete(name, option, typed, **given)
        return await self._actor(by).autocomplete(self._channel_handle(channel), name, option, typed, **given)

    async def submit(self, by: Person, values: Json) -> Answer:
        """Send the form that is open in front of this person; a value for each custom_id, others keep their default.

        Text as str, a radio button as str, a menu as a list, a checkbox as bool, files as [(name, bytes)].
        """
        record = self._modal_record(by)
        if record is None:
            raise CannotDo(f"{by.name} has no form open")
        shown = simcord.InteractionResult(self._env, record)
        actor = self._user(by) if record.guild_id is None else self._actor(by)
        return Answer(self, await actor.submit_modal(shown, _prefilled(record.modal) | values))

    async def deliver_again(self) -> None:
        """The last interaction arrives once more, with the same id."""
        again = self.feed.last("INTERACTION_CREATE")
        self.feed.tell(again.name, again.payload)
        await self.settle()

    def _press(self, by: Person, message: Message, label: str | None, custom_id: str | None) -> Answer:
        stored = self._stored(message)
        if not self.can_read(by, message.channel) or not stored.visible_to(by.id):
            raise CannotDo(f"{by.name} cannot see message {message.id}")
        button = actors._find_component(
            stored.components, types=(ComponentType.BUTTON,), custom_id=custom_id, label=label
        )
        if not button.get("custom_id"):
            raise CannotDo("that button is a link")
        data: Json = {"custom_id": button["custom_id"], "component_type": int(ComponentType.BUTTON)}
        data |= {"id": button["id"]} if button.get("id") is not None else {}
        record, payload = base_payload(
            self.backend,
            type=InteractionType.MESSAGE_COMPONENT,
            channel_id=message.channel.id,
            guild_id=None if message.channel.kind == "dm" else self.id,
            user_id=by.id,
            data=data,
        )
        record.source_message_id = stored.id
        payload["message"] = dict(serializers.message_payload(self.backend, stored))
        self.backend.emit("INTERACTION_CREATE", payload)
        return Answer(self, simcord.InteractionResult(self._env, record))

    def _shown(self, message: Message) -> simcord.ResponseMessage:
        return simcord.ResponseMessage(self._env, self._stored(message))


def _prefilled(modal: Json) -> Json:
    """What a form already holds: text that was filled in, and what was chosen or ticked beforehand."""
    controls = [one.get("component") or (one.get("components") or [{}])[0] for one in modal["components"]]
    return {one["custom_id"]: held for one in controls if (held := _held(one))}


def _held(control: Json) -> Any:
    chosen = [option["value"] for option in control.get("options") or [] if option.get("default")]
    match control.get("type"):
        case ComponentType.TEXT_INPUT:
            return control.get("value")
        case ComponentType.RADIO_GROUP:
            return chosen[0] if chosen else None
        case ComponentType.CHECKBOX_GROUP | ComponentType.STRING_SELECT:
            return chosen
        case _:
            return None
