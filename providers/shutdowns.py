"""Pure: on which day a base model stops: what the vendor's own list says, else what it has announced and we have read.

A tune stops with its base (developers.openai.com/api/docs/deprecations).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

_OPENAI = "https://developers.openai.com/api/docs/deprecations"
_AZURE = "https://learn.microsoft.com/en-us/azure/foundry/openai/how-to/fine-tuning"
_READ = date(2026, 11, 21)


@dataclass(frozen=True, slots=True)
class Shutdown:
    """A model's last day, and who says so."""

    on: date
    source: str  # a URL, or "its list of models"
    read_on: date | None = None  # None: read just now


def _announced(vendor: str, on: date, source: str, *models: str) -> dict[tuple[str, str], Shutdown]:
    return {(vendor, model): Shutdown(on, source, _READ) for model in models}


ANNOUNCED: Mapping[tuple[str, str], Shutdown] = {
    **_announced(
        "openai",
        date(2026, 10, 23),
        _OPENAI,
        *("gpt-3.5-turbo", "gpt-4", "gpt-4-turbo", "gpt-4.1-nano", "o4-mini"),
    ),
    **_announced(
        "openai",
        date(2027, 1, 14),
        _OPENAI,
        *("gpt-4o-2024-08-06", "gpt-4o-2024-11-20", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini"),
    ),
    # Tuned deployments live until then; the untuned models have gone already.
    **_announced(
        "azure", date(2027, 10, 1), _AZURE, "gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano"
    ),
}


def shutdown_of(vendor: str, model: str, listed: Mapping[str, date]) -> Shutdown | None:
    """The last day of a model, or of the base of a tuned one; None where nobody has named one.

    `listed` is what the vendor's own list gives now, and counts before what was read on a page.
    """
    base = model.split(":")[1] if model.startswith("ft:") else model
    for name in dict.fromkeys((model, base)):
        if (day := listed.get(name)) is not None:
            return Shutdown(day, "its list of models")
    for name in dict.fromkeys((base, re.sub(r"-\d{4}-\d{2}-\d{2}$", "", base))):
        if (announced := ANNOUNCED.get((vendor, name))) is not None:
            return announced
    return None
