"""What the models learned: run by run with intervals, what a reply carries, what it took, and when the next run pays."""

from fastapi import APIRouter
from fastapi.responses import Response
from markupsafe import Markup

from bot.console.visit import Here
from bot.learning import SHOWN, corrections_named, read_learning
from curation.report.learning import (
    LIKELIER,
    NOTHING_YET,
    learning_markdown,
    likelier,
    next_sentences,
    prompt_plot,
    question_of,
    share_plot,
    took_sentences,
)

router = APIRouter()


@router.get("/learning")
async def learning(visit: Here) -> Response:
    """The page."""
    visit.require_team("what was learned")
    workshop = visit.console.workshop
    found = await read_learning(workshop, await visit.voice())
    named = await corrections_named(workshop, found)
    return await visit.page(
        "learning.html",
        learning=found,
        # Drawn by us from numbers, every word in them escaped (curation.report.plots).
        plots={"shares": Markup(share_plot(found)), "prompts": Markup(prompt_plot(found))},
        question_of={id: question_of(named, id) for run in found.taught for id in (*run.new, *run.forgotten)},
        shown=SHOWN,
        nothing_yet=NOTHING_YET,
        is_scored=any(run.log_margin is not None for run in found.taught),
        likelier=likelier,
        likelier_means=LIKELIER,
        took=took_sentences(found.took),
        following=next_sentences(found.next),
    )


@router.get("/learning.md")
async def learning_file(visit: Here) -> Response:
    """The same as one Markdown file, its plots within."""
    visit.require_team("what was learned")
    workshop, voice = visit.console.workshop, await visit.voice()
    found = await read_learning(workshop, voice)
    text = learning_markdown(found, await corrections_named(workshop, found), voice.name)
    return Response(
        text, media_type="text/markdown", headers={"Content-Disposition": 'attachment; filename="learning.md"'}
    )
