"""Answers that people have written already, from files of many layouts, as answers to propose; with every row refused and why."""

from curation.imports.answers import Answer, Imported, ImportRefused, Refusal
from curation.imports.read import Source, read_answers

__all__ = ["Answer", "ImportRefused", "Imported", "Refusal", "Source", "read_answers"]
