"""One team at work, on Slack and on Discord: the same acts, and what the person who does them is told.

A side's method does one act as people do it there and returns the sentence that came back, without the platform's markup.
"""

import html
import re
from collections.abc import Callable
from typing import Any

from bot.discord_app.answers import CALLED_HERE
from bot.slack_app.commands import SENT
from storage.records import Voice
from storage.store import Store
from tests.bot.discord_app import acting as on_discord
from tests.bot.discord_app.conftest import Shop as DiscordShop
from tests.bot.discord_app.test_training import stocked as discord_stocked
from tests.bot.discord_app.test_training import working as discord_working
from tests.bot.slack_app import acting as on_slack
from tests.bot.slack_app import commanding
from tests.bot.slack_app.conftest import Shop as SlackShop
from tests.discord.place import Message as DiscordMessage
from tests.slack.place import Message as SlackMessage

SIGNS = {  # what a reaction stands for: its name on Slack, its picture on Discord
    "good": ("thumbsup", "👍"),
    "wrong": ("thumbsdown", "👎"),
    "flag": ("triangular_flag_on_post", "🚩"),
    "correct": ("pencil2", "✏️"),
    "retract": ("wastebasket", "🗑️"),
    "teach": ("mortar_board", "🎓"),
}


def plain(text: str) -> str:
    """A sentence without markup and hours, commands called as the office calls them."""
    text = html.unescape(text).replace("\u2060", "").replace("\\", "").replace("*", "")
    for theirs, ours in CALLED_HERE.items():
        text = text.replace(ours, theirs)
    return re.sub(r"\b\d\d:\d\d UTC", "hh:mm UTC", " ".join(text.split()))


class Slack:
    """A Slack workspace."""

    def __init__(self, shop: SlackShop) -> None:
        self.shop, self.there = shop, shop.workspace
        self.store: Store = shop.store
        self.voice: Voice = shop.voice
        self._seen: dict[str, int] = {}
        self._preview: Any = None
        self._pair: Any = None
        self._run: Any = None

    async def ask(self, text: str) -> SlackMessage:
        return (await self.shop.asked(text))[1]

    async def whispered(self, name: str) -> str:
        """The next thing this person is whispered."""
        person, seen = self.there.people[name], self._seen.get(name, 0)
        heard = await self.there.until(lambda: found if len(found := self.there.ephemerals(person)) > seen else None)
        self._seen[name] = len(heard)
        return plain(heard[-1].text)

    def _last(self, name: str) -> SlackMessage:
        return self.there.ephemerals(self.there.people[name])[-1]

    async def rate(self, name: str, reply: SlackMessage, *, good: bool) -> str:
        await self.there.rate(self.there.people[name], reply, good=good)
        return await self.whispered(name)

    async def press_last(self, name: str, action: str) -> str:
        """Press a button under what was last whispered; what is to be confirmed is."""
        await self.there.click(self.there.people[name], self._last(name), action)
        return await self.whispered(name)

    async def explain(self, name: str) -> str:
        await self.there.click(self.there.people[name], self._last(name), "explain")
        await on_slack.form_of(self.shop, self.there.people[name])
        await self.there.submit(self.there.people[name], {"reason": "outdated", "note": "Old."})
        return await self.whispered(name)

    async def sign(self, name: str, message: SlackMessage, sign: str, *, off: bool = False) -> str:
        by, picture = self.there.people[name], SIGNS[sign][0]
        await (self.there.unreact if off else self.there.react)(by, message, picture)
        await commanding.settled(self.shop)
        return await self.whispered(name) if name == "moderator" else ""

    async def menu(self, name: str, message: SlackMessage, entry: str) -> str:
        await self.there.shortcut(self.there.people[name], message, f"ft_{entry}")
        return await self.whispered(name)

    async def correct(self, name: str, reply: SlackMessage, text: str, *, edits: bool = False) -> str:
        by = self.there.people[name]
        await self.there.shortcut(by, reply, "ft_correct")
        await on_slack.form_of(self.shop, by)
        also = ["for_training", *(["edit_posted"] if edits else [])]
        await self.there.submit(by, {"text": text, "also": also})
        return await self.whispered(name)

    async def card(self, channel: str, words: str) -> SlackMessage:
        return await on_slack.card_in(
            self.shop, getattr(self.there, channel), lambda card: words in plain(on_slack.words_of(card))
        )

    async def press(self, name: str, card: SlackMessage, action: str) -> str:
        await self.there.click(self.there.people[name], card, action)
        return await self.whispered(name)

    async def answer_doubt(self, name: str, card: SlackMessage, act: str) -> str:
        return await self.press(name, card, {"good": "feedback"}.get(act, act))

    async def fill(self, name: str, card: SlackMessage, action: str, filled: dict[str, Any]) -> str:
        by = self.there.people[name]
        await self.there.click(by, card, action)
        await on_slack.form_of(self.shop, by)
        await self.there.submit(by, filled)
        return await self.whispered(name)

    async def answers(self, name: str, reply: SlackMessage, text: str) -> SlackMessage:
        """A person answers where the bot did."""
        said = await self.there.say(self.there.people[name], reply.channel, text, reply.root_ts)
        await commanding.settled(self.shop)
        return said

    async def need_human(self, name: str, reply: SlackMessage) -> str:
        return await self.press(name, reply, "hand_over")

    async def draft(self, words: str) -> SlackMessage:
        there = self.there
        await there.mention(there.customer, there.support, f"say {words}")
        return await self.card("review", f"Question say {words}")

    async def command(self, name: str, what: str) -> str:
        """By what it does: queue, models, voice, status, cancel, rollback 1, channel, channel draft, forget …"""
        retrain = ("status", "pause", "resume", "cancel", "rollback 1", "release We read them.")
        words = {word: f"/retrain {word}" for word in retrain}
        typed = await commanding.typed(self.shop, self.there.people[name], words.get(what, f"/finetone {what}"))
        return plain(commanding.read(typed)).removesuffix(" Change")

    async def pairs(self, name: str) -> str:
        """Ask for a pair; the buttons under it are pressed by `pick`."""
        shown = await commanding.typed(self.shop, self.there.people[name], "/finetone pairs")
        self._pair = commanding.posted(self.there.support, shown)
        return plain(shown["text"])

    async def pick(self, name: str, action: str) -> str:
        return await self.press(name, self._pair, action)

    async def file(self, name: str, what: str) -> tuple[str, str, str]:
        """What is said of a file that was asked for, its name and its content."""
        person = self.there.people[name]
        said = await self.command(name, what)
        [(file, content)] = (await self.there.uploads(person)).items()
        return said.removesuffix(f" {SENT}"), file, content

    async def configure(self, name: str, rules: dict[str, Any]) -> str:
        """Set a channel's rules; what is said, or what is wrong."""
        by = self.there.people[name]
        shown = await commanding.typed(self.shop, by, "/finetone channel")
        await self.there.click(by, commanding.posted(self.there.support, shown), "open_channel")
        await on_slack.form_of(self.shop, by)
        filled = {rule: "" if value in ("always", "none") else str(value) for rule, value in rules.items()}
        answer = await self.there.submit(by, filled)
        if answer.json:
            await self.there.close_view(by)
            return plain(" ".join(answer.json["errors"].values()))
        return await self.whispered(name)

    async def forget(self, name: str) -> tuple[str, str]:
        """What is asked first, and what is said when it was done."""
        return await self.command(name, "forget"), await self.command(name, "forget confirm")

    # ------------------------------------------------------------ training

    async def stock(self) -> None:
        await commanding.stocked(self.shop)

    async def preview(self) -> str:
        self._preview = await commanding.typed(self.shop, self.there.admin, "/retrain")
        return plain(commanding.read(self._preview)).removesuffix(" Start training")

    async def preview_search(self) -> str:
        self._preview = await commanding.typed(self.shop, self.there.admin, "/retrain search 2 5")
        return plain(commanding.read(self._preview)).removesuffix(" Start the search")

    async def start(self, action: str = "start_retrain") -> str:
        shown = commanding.posted(self.there.support, self._preview)
        said = await self.press("admin", shown, action)
        dm = await self.there.dm(self.there.admin)
        self._run = (await self.there.until(lambda: self.there.channel_messages(dm)))[-1]
        return said

    async def run_press(self, action: str) -> str:
        await self.there.click(self.there.admin, await self._run_now(), action)
        return await self._told_in_private()

    async def _run_now(self) -> SlackMessage:
        now = await self.there.reread(self._run)
        assert now is not None
        return now

    async def _told_in_private(self) -> str:
        return await self.whispered("admin")

    async def until_run(self, words: str) -> None:
        async with commanding.working(self.shop):
            await commanding.until_said(self.shop, self._run, words)


class Discord:
    """A Discord server."""

    def __init__(self, shop: DiscordShop) -> None:
        self.shop, self.there = shop, shop.guild
        self.store: Store = shop.store
        self.voice: Voice = shop.voice
        self._run: Any = None
        self._private: dict[str, int] = {}
        self._preview: Any = None
        self._pair: Any = None

    async def ask(self, text: str) -> DiscordMessage:
        return (await self.shop.asked(text))[1]

    def _told(self, name: str) -> str:
        return plain(on_discord.told(self.shop, self.there.world.people[name]))

    def _last(self, name: str) -> DiscordMessage:
        return self.there.ephemerals(self.there.world.people[name])[-1]

    async def rate(self, name: str, reply: DiscordMessage, *, good: bool) -> str:
        label = "Helpful" if good else "Not right"
        await self.there.click(self.there.world.people[name], reply, label=label)
        return self._told(name)

    async def press_last(self, name: str, action: str) -> str:
        return await self._pressed(name, self._last(name), action)

    async def _pressed(self, name: str, message: DiscordMessage, action: str) -> str:
        by = self.there.world.people[name]
        [button] = [one for one in message.custom_ids if one.split(":")[1] in (action, f"ask_{action}")]
        await self.there.click(by, message, custom_id=button)
        if ":ask_" in button:
            return await self._pressed(name, self._last(name), action)
        return self._told(name)

    async def explain(self, name: str) -> str:
        by = self.there.world.people[name]
        await self.there.click(by, self._last(name), label="Say what was wrong")
        await self.there.submit(by, {"reason": ["outdated"], "note": "Old."})
        return self._told(name)

    async def sign(self, name: str, message: DiscordMessage, sign: str, *, off: bool = False) -> str:
        by, picture = self.there.world.people[name], SIGNS[sign][1]
        await (self.there.unreact if off else self.there.react)(by, message, picture)
        said = on_discord.direct(self.shop, by)
        new, self._private[name] = said[self._private.get(name, 0) :], len(said)
        return plain(new[-1].shown.rpartition("\n-# ")[0]) if new else ""

    async def menu(self, name: str, message: DiscordMessage, entry: str) -> str:
        names = {"good": "Mark good", "flag": "Flag", "why": "Why this answer?", "teach": "Teach from this"}
        await self.there.open_menu(self.there.world.people[name], message, names[entry])
        return self._told(name)

    async def correct(self, name: str, reply: DiscordMessage, text: str, *, edits: bool = False) -> str:
        by = self.there.world.people[name]
        await self.there.open_menu(by, reply, on_discord.MENU)
        also = ["for_training", *(["edit_posted"] if edits else [])]
        await self.there.submit(by, {"text": text, "also": also})
        return self._told(name)

    async def card(self, channel: str, words: str) -> DiscordMessage:
        there = self.there

        def found() -> DiscordMessage | None:
            cards = [one for one in there.said_by_bot(getattr(there, channel)) if words in plain(one.shown)]
            return cards[-1] if cards else None

        return await there.until(found)

    async def press(self, name: str, card: DiscordMessage, action: str) -> str:
        return await self._pressed(name, card, action)

    async def answer_doubt(self, name: str, card: DiscordMessage, act: str) -> str:
        return await self.press(name, card, act)

    async def fill(self, name: str, card: DiscordMessage, action: str, filled: dict[str, Any]) -> str:
        by = self.there.world.people[name]
        [button] = [one for one in card.custom_ids if one.split(":")[1] == action]
        await self.there.click(by, card, custom_id=button)
        await self.there.submit(by, filled)
        return self._told(name)

    async def answers(self, name: str, reply: DiscordMessage, text: str) -> DiscordMessage:
        return await self.there.say(self.there.world.people[name], reply.channel, text)

    async def need_human(self, name: str, reply: DiscordMessage) -> str:
        return await self._pressed(name, reply, "human")

    async def draft(self, words: str) -> DiscordMessage:
        there = self.there
        await there.mention(there.customer, there.support, f"say {words}")
        return await self.card("review", f"Question say {words}")

    async def command(self, name: str, what: str) -> str:
        there, by = self.there, self.there.world.people[name]
        known: dict[str, tuple[str, dict[str, Any]]] = {
            "queue": ("feedback queue", {}),
            "pairs": ("feedback pairs", {}),
            "pairs 1 a": ("feedback pairs", {"number": 1, "better": "a"}),
            "pairs 2 neither": ("feedback pairs", {"number": 2, "better": "neither"}),
            "models": ("model history", {}),
            "voice": ("model voice", {}),
            "status": ("model status", {}),
            "pause": ("model pause", {}),
            "resume": ("model resume", {}),
            "cancel": ("model cancel", {}),
            "rollback 1": ("model rollback", {"number": 1}),
            "release We read them.": ("model release", {"why": "We read them."}),
            "dataset": ("dataset stats", {}),
            "dataset newest": ("dataset preview", {}),
            "channel": ("config show", {}),
            "channel draft": ("config channel", {"mode": "draft"}),
            "channel mention no-training": ("config channel", {"mode": "mention", "training": False}),
        }
        command, options = known[what]
        answer = await there.slash(by, there.support, command, **options)
        text = answer.text or ""
        if what == "status":  # Discord says there what serves, too
            text = text.partition("\n")[2]
        return plain(text.split("\n")[0] if what.startswith("channel") else text)

    async def pairs(self, name: str) -> str:
        answer = await self.there.slash(self.there.world.people[name], self.there.support, "feedback pairs")
        self._pair = answer.message
        return plain(answer.text or "")

    async def pick(self, name: str, action: str) -> str:
        return await self._pressed(name, self._pair, action)

    async def file(self, name: str, what: str) -> tuple[str, str, str]:
        command = {"dataset export": "dataset export", "mydata": "privacy export"}[what]
        answer = await self.there.slash(self.there.world.people[name], self.there.support, command)
        assert answer.message is not None
        [(file, content)] = self.there.files(answer.message).items()
        return plain(answer.text or ""), file, content.decode()

    async def configure(self, name: str, rules: dict[str, Any]) -> str:
        answer = await self.there.slash(self.there.world.people[name], self.there.support, "config channel", **rules)
        only_here = ("**Answers stand**", "**Permissions**")
        return plain("\n".join(line for line in (answer.text or "").split("\n") if not line.startswith(only_here)))

    async def forget(self, name: str) -> tuple[str, str]:
        asked = await self.there.slash(self.there.world.people[name], self.there.support, "privacy delete")
        return plain(asked.text or ""), await self.press_last(name, "forget")

    # ------------------------------------------------------------ training

    async def stock(self) -> None:
        await discord_stocked(self.shop)

    async def preview(self) -> str:
        self._preview = await self.there.slash(self.there.admin, self.there.support, "retrain")
        return plain(self._preview.text or "")

    async def preview_search(self) -> str:
        caps = {"trials": 2, "minutes": 5}
        self._preview = await self.there.slash(self.there.admin, self.there.support, "model search", **caps)
        return plain(self._preview.text or "")

    async def start(self, action: str = "start_retrain") -> str:
        said = await self._pressed("admin", self._preview.message, action)
        self._run = on_discord.direct(self.shop, self.there.admin)[-1]
        return said

    async def run_press(self, action: str) -> str:
        now = self.there.reread(self._run)
        assert now is not None
        return await self._pressed("admin", now, action)

    async def until_run(self, words: str) -> None:
        async with discord_working(self.shop):
            await on_discord.until_said(self.shop, self._run, words)


Side = Slack | Discord
Sentence = Callable[[Side], str]
