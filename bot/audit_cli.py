"""`finetone audit …`: whether anybody changed the record of who did what."""

from typing import Annotated

import typer

from bot.settings import Settings
from bot.terminal import say, with_records
from bot.wording import counted
from storage.records import Actor, Voice
from storage.store import Store

app = typer.Typer(help="The record of who did what, and whether it is whole.", no_args_is_help=True)


@app.command()
def verify(
    head: Annotated[
        str, typer.Option(help="A head printed earlier and kept elsewhere: it has to be in the chain.")
    ] = "",
) -> None:
    """Walk the chain of every entry ever made; exits with 1 where an entry was changed, is missing, or was cut off."""

    async def action(store: Store, _: Voice, __: Actor, ___: Settings) -> None:
        while await store.seals.seal():
            pass
        verdict = await store.seals.verify(head.strip().lower())
        for problem in verdict.problems:
            say(problem)
        if not verdict.holds:
            raise typer.Exit(1)
        say(f"{counted(verdict.sealed, 'entry', 'entries')}, none changed, none missing.")
        say(f"Head: {verdict.head}")
        say(
            "Keep it elsewhere: `finetone audit verify --head HEAD` then shows whether the end was cut off or replaced."
        )

    with_records(action)
