"""One step of any run, by what it is for."""

from curation import retrain, searching
from curation.step import end
from curation.submitting import cancel
from curation.workshop import Workshop
from storage.records import Purpose, Run, RunState

NOT_A_RUN_YET = "Migration drills are not runs yet, so nothing was trained. `finetone migrate` does one."


async def advance(workshop: Workshop, run: Run) -> Run:
    """Do the one step that comes next and return the run as it then is. Raises ProviderError and RunMoved.

    Whatever a run is for, it is cancelled before anything else is done, and nothing is done while it is paused.
    """
    if run.cancel_requested_by is not None:
        return await cancel(workshop, run)
    if run.is_paused:
        return run
    match run.purpose:
        case Purpose.RETRAIN:
            return await retrain.advance(workshop, run)
        case Purpose.SEARCH:
            return await searching.advance(workshop, run)
        case Purpose.DRILL:  # must never get as far as a promotion
            return await end(workshop, run, RunState.STOPPED, NOT_A_RUN_YET)
