"""`finetone voice card`: the rules that approved corrections show, as Markdown, and decisions about them."""

import sys
from typing import Annotated

import typer

from bot.program import utc_now
from bot.report_cli import voice_app
from bot.settings import Settings
from bot.terminal import say, with_records
from bot.voice_card import decide_rule
from curation.voice_card import markdown, voice_card
from storage.records import Actor, RuleState, Voice
from storage.store import Store


@voice_app.command()
def card(
    approve: Annotated[
        str, typer.Option(help="Approve a rule by its key, such as forbidden:unfortunately or style:no_emoji.")
    ] = "",
    reject: Annotated[str, typer.Option(help="Reject a rule by its key.")] = "",
) -> None:
    """Print the rules that approved corrections show, each citing them; or decide about one."""

    async def action(store: Store, voice: Voice, actor: Actor, _: Settings) -> None:
        for key, state in ((approve, RuleState.APPROVED), (reject, RuleState.REJECTED)):
            if key:
                say((await decide_rule(store, actor, voice, key, state, now=utc_now())).said)
        if not approve and not reject:
            sys.stdout.write(markdown(voice.name, await voice_card(store, voice.id)))

    with_records(action)
