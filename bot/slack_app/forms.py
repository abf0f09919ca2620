"""Forms that were sent: what each of them does. What is wrong with the words was said before the form closed."""

from bot.office import verbs
from bot.office.disputes import Ruling, settle_dispute
from bot.office.telling import Told
from bot.office.verbs import Said
from bot.problems import FOR_PEOPLE, sentence_of
from bot.slack_app import channel_form, configuring, disputes, drafts, modals
from bot.slack_app.blocks import shown_answer
from bot.slack_app.form_parts import About, unpacked
from bot.slack_app.modals import DAY, NOTE, REASON, draft_of, text_of
from bot.slack_app.outgoing import tell, whisper
from bot.slack_app.parts import Parts
from bot.slack_app.payloads import Submitted
from storage.errors import DatabaseUnavailable
from storage.records import Actor, Judgement, Settlement


def faults(form: Submitted) -> dict[str, str]:
    """What is wrong with what was put in, by the input it is wrong in; empty where the form can be taken."""
    if form.form == channel_form.FORM:
        return channel_form.faults(form.inputs)
    return modals.faults(form.form, form.inputs, form.about)


async def submitted(parts: Parts, form: Submitted, *, is_first_try: bool) -> str:
    """Do what a form asks for and tell who sent it, where they opened it."""
    actor = await parts.people.actor(form.by)
    about = unpacked(form.about)
    try:
        said = await _done(parts, actor, form, about, is_first_try)
    except DatabaseUnavailable:
        raise
    except FOR_PEOPLE as error:
        said = Said(await sentence_of(parts.store, error))
    if said is None:
        return "not a form of ours"
    client, shown = await parts.client(form.by.team), shown_answer(said)
    if about.channel:
        await whisper(client, about.channel, form.by.user, shown.text, blocks=shown.blocks, thread_ts=about.thread_ts)
    else:
        await tell(client, form.by.user, shown)
    parts.wake_board()
    return ""


async def _done(parts: Parts, actor: Actor, form: Submitted, about: About, is_first_try: bool) -> Said | Told | None:
    match form.form:
        case "correct":
            return await verbs.correct(parts, actor, about.reply, draft_of(form.inputs, about.joints))
        case "edit_draft":
            draft = draft_of(form.inputs, about.joints)
            return await drafts.edit_and_send(parts, actor, about.reply, draft, form.by.team, is_first_try=is_first_try)
        case "edit":
            return await verbs.revise(parts, actor, about.correction, text_of(form.inputs, about.joints))
        case disputes.FORM:
            ruling = Ruling(Settlement(form.inputs.get(disputes.SETTLEMENT)), str(form.inputs.get(disputes.DAY) or ""))
            return await settle_dispute(parts, actor, about.dispute, ruling)
        case channel_form.FORM:
            return await configuring.saved(parts, actor, form, about)
        case "reject":
            return await verbs.reject(parts, actor, about.correction, note=str(form.inputs.get(NOTE) or ""))
        case "expire":
            return await verbs.let_expire(parts, actor, about.correction, str(form.inputs.get(DAY) or ""))
        case "explain":
            reply = await parts.store.conversations.reply(about.reply)
            judgement = Judgement(form.inputs.get(REASON) or Judgement.WRONG)
            note = str(form.inputs.get(NOTE) or "")
            return await verbs.flag(parts, actor, reply, judgement=judgement, note=note)
        case _:
            return None
