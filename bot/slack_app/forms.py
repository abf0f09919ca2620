"""Forms that were sent: what each of them does. What is wrong with the words was said before the form closed."""

from bot import moderation
from bot.problems import FOR_PEOPLE, sentence_of
from bot.slack_app import drafts, verbs
from bot.slack_app.blocks import SENTENCE_LIMIT, Shown, said_with
from bot.slack_app.markup import inline
from bot.slack_app.modals import NOTE, REASON, About, draft_of, text_of, unpacked
from bot.slack_app.outgoing import tell, whisper
from bot.slack_app.parts import Parts
from bot.slack_app.payloads import Submitted
from bot.slack_app.verbs import Said
from storage.errors import DatabaseUnavailable
from storage.records import Actor, Judgement


async def submitted(parts: Parts, form: Submitted, *, is_first_try: bool) -> str:
    """Do what a form asks for and tell who sent it, where they opened it."""
    actor = await parts.people.actor(form.by)
    about = unpacked(form.about)
    try:
        said = await _done(parts, actor, form, about, is_first_try)
    except DatabaseUnavailable:
        raise
    except FOR_PEOPLE as error:
        said = Said(inline(await sentence_of(parts.store, error), SENTENCE_LIMIT))
    if said is None:
        return "not a form of ours"
    client, blocks = await parts.client(form.by.team), said_with(said.text, said.buttons)
    if about.channel:
        await whisper(client, about.channel, form.by.user, said.text, blocks=blocks, thread_ts=about.thread_ts)
    else:
        await tell(client, form.by.user, Shown(said.text, blocks))
    parts.wake_board()
    return ""


async def _done(parts: Parts, actor: Actor, form: Submitted, about: About, is_first_try: bool) -> Said | None:
    match form.form:
        case "correct":
            return await verbs.correct(parts, actor, about.reply, draft_of(form.inputs, about.joints))
        case "edit_draft":
            draft = draft_of(form.inputs, about.joints)
            reply = await parts.store.conversations.reply(about.reply)
            told = ""
            if draft.text.strip() != reply.text.strip():
                told = (await moderation.correct(parts.store, actor, reply.id, draft, now=parts.now())).said
                await parts.store.conversations.edit_reply(reply.id, draft.text, actor.id, at=parts.now())
            sent = await drafts.send(parts, actor, reply.id, form.by.team, is_first_try=is_first_try)
            return Said(f"{sent} {told}".strip())
        case "edit":
            text = text_of(form.inputs, about.joints)
            return Said((await moderation.revise(parts.store, actor, about.correction, text, now=parts.now())).said)
        case "explain":
            reply = await parts.store.conversations.reply(about.reply)
            judgement = Judgement(form.inputs.get(REASON) or Judgement.WRONG)
            note = str(form.inputs.get(NOTE) or "")
            return await verbs.flag(parts, actor, reply, judgement=judgement, note=note)
        case _:
            return None
