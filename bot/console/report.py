"""A run's report: as a page with its plots, and as Markdown to take away."""

from dataclasses import replace

from fastapi import APIRouter
from fastapi.responses import Response
from markupsafe import Markup

from bot.console.visit import Here, Visit
from bot.reporting import left_to_judge, read_run_report
from bot.wording import counted
from curation.calibrating import calibration_of
from curation.fixes import shape
from curation.report import Report, markdown
from curation.report.markdown import arms_plot, fit_sentence, loss_plot, suites_plot, votes_sentence
from storage.records import Run

router = APIRouter()

HIDDEN = "The answers are left out of this file: {pairs} without names still to be judged by who asked for it."


@router.get("/training/{run_id}/report")
async def report_page(run_id: str, visit: Here) -> Response:
    """What the run proved, with plots."""
    visit.require_team("reports")
    workshop = visit.console.workshop
    run = await visit.store.runs.get(run_id)
    report = await _report(visit, run)
    left = await left_to_judge(visit.store, visit.actor, report.evaluation)
    return await visit.page(
        "report.html",
        run=run,
        report=_unnamed(report) if left else report,
        # Drawn by us from numbers, every word in it escaped (curation.report.plots).
        plots={
            "arms": Markup(arms_plot(report)),
            "suites": Markup(suites_plot(report)),
            "loss": Markup(loss_plot(report)),
        },
        fit=fit_sentence(report),
        votes=votes_sentence(report),
        left=left,
        calibration=await calibration_of(workshop, await visit.voice()),
    )


@router.get("/training/{run_id}/report.md")
async def report_file(run_id: str, visit: Here) -> Response:
    """The same as one Markdown file, its plots within."""
    visit.require_team("reports")
    run = await visit.store.runs.get(run_id)
    report = await _report(visit, run)
    if left := await left_to_judge(visit.store, visit.actor, report.evaluation):
        report = replace(_unnamed(report), notes=(*report.notes, HIDDEN.format(pairs=counted(left, "pair"))))
    text = markdown(report)
    name = f"report-{run.id}.md"
    return Response(text, media_type="text/markdown", headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _unnamed(report: Report) -> Report:
    """The report without the answers side by side: who knows whose answer is whose cannot judge it."""
    return replace(report, improved=(), worsened=(), worst=())


async def _report(visit: Visit, run: Run) -> Report:
    """The run's report, with this console's prices and prompts."""
    recall = visit.console.desk.recall
    served = "" if recall is None else shape(recall.finder)
    return await read_run_report(visit.store, run, visit.console.workshop.tariff, served=served)
