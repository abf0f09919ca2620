"""What a run proved, for people: one reading of an evaluation, as a page, as Markdown, and as plots."""

from curation.report.markdown import markdown
from curation.report.reading import Report, read_report

__all__ = ["Report", "markdown", "read_report"]
