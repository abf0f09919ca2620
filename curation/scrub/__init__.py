"""Pure: personal data and secrets out, typed placeholders in. Nothing here stores, logs or shows what it finds.

`scrub_conversation` replaces, on approval. `findings_in_lines` looks once more at the final bytes of a dataset, whose build
fails on anything it yields. What these rules find and what they miss: docs/decisions/0005-scrubbing-and-duplicates.md.
"""

from curation.scrub.kinds import FOR_A_PERSON, Finding, Kind, Person, Rules
from curation.scrub.replacing import Placeholders, Scrubbed, scrub_conversation
from curation.scrub.scan import Located, findings, findings_in_lines, hints

__all__ = [
    "FOR_A_PERSON",
    "Finding",
    "Kind",
    "Located",
    "Person",
    "Placeholders",
    "Rules",
    "Scrubbed",
    "findings",
    "findings_in_lines",
    "hints",
    "scrub_conversation",
]
