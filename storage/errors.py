"""What can go wrong with what we remember, as types; every message is a sentence a person can act on."""

from storage.records import Correction, Deployment, Dispute, Run, Side


class StorageError(Exception):
    """Something about the stored state stood in the way."""


class NotFound(StorageError):
    """No such thing is stored."""

    def __init__(self, kind: str, id: str) -> None:
        self.kind = kind
        self.id = id
        super().__init__(f"There is no {kind} {id!r}. Check the id; a list of what exists shows the ones in use.")


class RunMoved(StorageError):
    """Somebody else moved the run since it was read: its epoch or its state is another one now. Read it again."""

    def __init__(self, run: Run, epoch: int) -> None:
        self.run = run
        self.epoch = epoch
        holder = run.lease_owner or "nobody"
        super().__init__(
            f"Run {run.id} has moved on: it is {run.state.value} at epoch {run.epoch}, held by {holder}; "
            f"this write came under epoch {epoch} and was refused. Read the run again before acting on it."
        )


class DeploymentMoved(StorageError):
    """Another deployment was appended since the current one was read. Look at it, then decide again."""

    def __init__(self, current: Deployment) -> None:
        self.current = current
        super().__init__(
            f"Model {current.model.number} ({current.model.name}) took over at {current.since:%Y-%m-%d %H:%M:%S} UTC "
            f"as deployment {current.seq}: {current.why} Look at it, then decide again."
        )


class AlreadyDecided(StorageError):
    """The correction is no longer proposed: somebody decided before."""

    def __init__(self, correction: Correction) -> None:
        self.correction = correction
        when = f" at {correction.decided_at:%Y-%m-%d %H:%M:%S} UTC" if correction.decided_at else ""
        super().__init__(
            f"Correction {correction.id} is already {correction.state.value}, by {correction.decided_by}{when}. "
            "Propose a new correction to change the outcome."
        )


class AlreadySettled(StorageError):
    """The dispute is no longer open: somebody settled it before."""

    def __init__(self, dispute: Dispute) -> None:
        self.dispute = dispute
        when = f" at {dispute.settled_at:%Y-%m-%d %H:%M:%S} UTC" if dispute.settled_at else ""
        super().__init__(
            f"Dispute {dispute.id} is already settled, by {dispute.settled_by}{when}. "
            "Propose a new correction to change the outcome."
        )


class SideMoved(StorageError):
    """A group of a split keeps its side for ever; a dataset version tried to move one."""

    def __init__(self, group_key: str, side: Side, asked: Side) -> None:
        self.group_key = group_key
        super().__init__(
            f"Group {group_key!r} is on the {side.value} side for ever and cannot go to {asked.value}. "
            "Read the sides again and build the version from them."
        )


class UnstorableText(StorageError):
    """Text that a database cannot keep: a NUL character, or half of a surrogate pair. Clean it before saving."""

    def __init__(self, position: int, code_point: int) -> None:
        super().__init__(
            f"The text holds U+{code_point:04X} at character {position}, which the database cannot keep. "
            "Remove it before saving."
        )


class ConstraintBroken(StorageError):
    """A bug of ours: a write that the database's rules forbid, such as naming a thing that does not exist."""


class DatabaseUnavailable(StorageError):
    """The database cannot be used right now; the sentence says why and what to do. Nothing was half-written."""
