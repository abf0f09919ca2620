"""The instant fix: which approved corrections fit a question. docs/decisions/0008-recall.md says why it works as it does."""

from curation.recall.fix import Fix, Place, Recalled, fix_of, holds
from curation.recall.index import RecallIndex

__all__ = ["Fix", "Place", "RecallIndex", "Recalled", "fix_of", "holds"]
