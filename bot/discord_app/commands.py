"""Slash commands: words in, an answer only the person sees. Who is shown a command is Discord's; who may use it is checked."""

from collections.abc import Awaitable, Callable, Mapping

from bot import moderation
from bot.discord_app.answers import Reading
from bot.discord_app.configuring import set_up, show
from bot.discord_app.definitions import add_commands
from bot.discord_app.interactions import Answer, Asked, Feature, Work
from bot.discord_app.parts import Parts
from bot.office import commands, dataset, pairs, privacy, training
from bot.office.office import Office
from bot.office.telling import Line, Told, told
from bot.office.verbs import Offer, Said
from curation.search import USUAL_CAPS
from storage.records import Actor, Right

INTERRUPTED = "That was interrupted, and may be done already. `/model status` says what serves now."
NEVER_ASKED = "That person has never asked anything here."
CAPS = ("trials", "minutes", "cost")
FILE_BYTES = 8 << 20  # below what Discord takes in a server without boosts
TOO_LARGE = "The examples are {bytes:,} bytes, more than Discord takes as a file. The console offers them."
HELP: Mapping[Right | None, tuple[Line, ...]] = {
    None: (
        Line("Mention me to ask. I answer in a thread; follow-ups there need no mention.", "To ask"),
        Line("`/privacy export` gives you what I keep about you, `/privacy delete` deletes it.", "Your data"),
    ),
    Right.MODERATOR: (
        Line(
            "A message's menu, under Apps: correct, mark good, flag, why this answer, teach from this. "
            "Reactions on an answer: 👍 👎 🚩 ✏️ 🗑️, and 🎓 on a person's answer. `/feedback queue` · `/feedback pairs` · "
            "`/model history`",
            "For moderators",
        ),
    ),
    Right.ADMIN: (
        Line(
            "`/retrain` shows what a training run would do and asks before it starts · `/model status` · "
            "`/model rollback` · `/model release` · `/model search` · `/model pause` · `/model resume` · "
            "`/model cancel` · `/dataset stats` · `/dataset preview` · `/dataset export` · "
            "`/config show` · `/config channel`",
            "For admins",
        ),
    ),
}
"""By the right it takes; None: everybody."""


def telling(ask: Callable[[Office, Actor], Awaitable[Told]]) -> Work:
    """A command that only reads."""

    async def work(parts: Parts, actor: Actor, asked: Asked) -> Answer:
        return Reading(await ask(parts, actor))

    return work


# ---------------------------------------------------------------- training and models


async def retrain(parts: Parts, actor: Actor, asked: Asked) -> Answer:
    """What a run would do, with a button where one may be started."""
    shown, is_startable = await training.preview(parts, actor)
    if not is_startable or asked.inputs.get("dry_run"):
        return Reading(shown)
    return Reading(shown, (Offer("Start training", "start_retrain", parts.voice.id, "primary"),))


async def model_search(parts: Parts, actor: Actor, asked: Asked) -> Answer:
    """What a search for settings would do, with a button where one may be started."""
    words = [str(asked.inputs.get(name) or usual) for name, usual in zip(CAPS, USUAL_CAPS, strict=True)]
    shown, caps = await training.search(parts, actor, words)
    return Reading(shown, (Offer("Start the search", "start_search", caps, "primary"),) if caps else ())


async def model_status(parts: Parts, actor: Actor, asked: Asked) -> Answer:
    """What serves now, and where the newest run stands."""
    run = await training.status(parts, actor)
    serving = await commands.models(parts, actor)
    return Reading(Told([*serving.lines[:1], *run.lines], run.heading))


async def model_rollback(parts: Parts, actor: Actor, asked: Asked) -> Answer:
    """Serve the model before, or a named one. Going back twice is going back two models, so it is not done again."""
    if not asked.is_first_try:
        return Said(INTERRUPTED)
    return Reading(await training.serve_earlier(parts, actor, asked.inputs.get("number")))


async def model_release(parts: Parts, actor: Actor, asked: Asked) -> Answer:
    """Let the newest candidate serve, for the reason given. A second time finds that it serves."""
    return Reading(await training.release_model(parts, actor, str(asked.inputs.get("why", ""))))


async def export(parts: Parts, actor: Actor, asked: Asked) -> Answer:
    """Every approved example as a file."""
    file = await dataset.export(parts, actor)
    if file is None:
        return Said(dataset.NONE_YET)
    if len(file[1]) > FILE_BYTES:
        return Said(TOO_LARGE.format(bytes=len(file[1])))
    return Reading(told("Every approved example, one a line, as it is trained on."), file=file)


async def feedback_pairs(parts: Parts, actor: Actor, asked: Asked) -> Answer:
    """A pair of answers without names; or the choice on one, and the next."""
    number, side = asked.inputs.get("number"), asked.inputs.get("better") or ""
    return Reading(await pairs.pairs(parts, actor, number, side))


# ---------------------------------------------------------------- one's own data


async def privacy_export(parts: Parts, actor: Actor, asked: Asked) -> Answer:
    """Everything that is kept about who asks."""
    content = await privacy.own_data(parts, actor)
    return Reading(told("Everything I keep about you."), file=(privacy.FILE_NAME, content))


async def privacy_delete(parts: Parts, actor: Actor, asked: Asked) -> Answer:
    """Say what would be deleted, with the button that does it."""
    whose = await _whose(parts, actor, asked.inputs.get("member"))
    if whose is None:
        return Said(NEVER_ASKED)
    shown = await _forget(parts, actor, whose, is_confirmed=False)
    if not await parts.store.conversations.asked_by(whose.id):
        return Reading(shown)
    label = "Delete my questions" if whose.id == actor.id else "Delete their questions"
    return Reading(shown, (Offer(label, "forget", whose.id, "danger"),))


async def forget(parts: Parts, actor: Actor, asked: Asked) -> Answer:
    """The button."""
    return Reading(await _forget(parts, actor, await parts.store.people.actor(asked.about), is_confirmed=True))


async def _forget(parts: Parts, actor: Actor, whose: Actor, *, is_confirmed: bool) -> Told:
    confirm_by = "press the button below."
    return await commands.forget(parts, actor, whose, confirm_by=confirm_by, is_confirmed=is_confirmed)


async def _whose(parts: Parts, actor: Actor, user: str | None) -> Actor | None:
    if user is None:
        return actor
    moderation.require(actor, Right.ADMIN, "delete another person's questions")
    return await parts.store.people.find(parts.platform, user)


async def help_(parts: Parts, actor: Actor, asked: Asked) -> Answer:
    """What one may do, by one's rights."""
    lines = [line for right, lines in HELP.items() if right is None or right in actor.rights for line in lines]
    return Reading(Told(lines))


def _works() -> dict[str, Work]:
    works: dict[str, Work] = {
        "retrain": retrain,
        "model_status": model_status,
        "model_history": telling(commands.models),
        "model_rollback": model_rollback,
        "model_release": model_release,
        "model_search": model_search,
        "model_pause": telling(training.pause),
        "model_resume": telling(training.resume),
        "model_cancel": telling(training.cancel),
        "model_voice": telling(commands.voice),
        "dataset_stats": telling(dataset.stats),
        "dataset_preview": telling(dataset.newest),
        "dataset_export": export,
        "config_channel": set_up,
        "config_show": show,
        "feedback_queue": telling(commands.queue),
        "feedback_pairs": feedback_pairs,
        "privacy_export": privacy_export,
        "privacy_delete": privacy_delete,
        "help": help_,
    }
    return {f"command {name}": work for name, work in works.items()} | {"press forget": forget}


FEATURE = Feature(works=_works(), add_commands=add_commands)
