"""A run's report: as a page with its plots, and as Markdown to take away."""

from fastapi import APIRouter
from fastapi.responses import Response
from markupsafe import Markup

from bot.console.visit import Here
from bot.reporting import calibration_of, pairs_left, read_run_report
from curation.report import markdown
from curation.report.markdown import arms_plot, fit_sentence, loss_plot, suites_plot, votes_sentence

router = APIRouter()


@router.get("/training/{run_id}/report")
async def report_page(run_id: str, visit: Here) -> Response:
    """What the run proved, with plots."""
    visit.require_team("reports")
    workshop = visit.console.workshop
    run = await visit.store.runs.get(run_id)
    report = await read_run_report(workshop.store, run, workshop.tariff)
    votes = await visit.store.blind_pairs.of_run(run.id)
    return await visit.page(
        "report.html",
        run=run,
        report=report,
        # Drawn by us from numbers, every word in it escaped (curation.report.plots).
        plots={
            "arms": Markup(arms_plot(report)),
            "suites": Markup(suites_plot(report)),
            "loss": Markup(loss_plot(report)),
        },
        fit=fit_sentence(report),
        votes=votes_sentence(report),
        left=len(await pairs_left(visit.store, visit.actor, report.evaluation, votes)),
        calibration=await calibration_of(workshop, await visit.voice()),
    )


@router.get("/training/{run_id}/report.md")
async def report_file(run_id: str, visit: Here) -> Response:
    """The same as one Markdown file, its plots within."""
    visit.require_team("reports")
    run = await visit.store.runs.get(run_id)
    text = markdown(await read_run_report(visit.store, run, visit.console.workshop.tariff))
    name = f"report-{run.id}.md"
    return Response(text, media_type="text/markdown", headers={"Content-Disposition": f'attachment; filename="{name}"'})
