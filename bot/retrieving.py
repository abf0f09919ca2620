"""What finds corrections that fit a question: by words always, and by meaning where a model of it is installed."""

import importlib.metadata

from bot.settings import Settings
from curation.recall import RecallIndex
from curation.recall.meaning import Embedder, load
from curation.recall.minilm import WrongWeights

WORDS_ALONE = (
    "Corrections are found by their words alone, so a question in other words is seldom answered with one. "
    "For meaning as well: pip install 'finetone[recall]', then start again."
)


class RetrieverMissing(Exception):
    """The retriever that the settings ask for is not there; the message says how to get it, or to do without."""


def retriever(settings: Settings) -> Embedder | None:
    """The model of meaning that the settings ask for; None goes by words alone. Raises RetrieverMissing."""
    try:
        return load(settings.retriever)
    except (ImportError, WrongWeights) as error:
        raise RetrieverMissing(
            f"FINETONE_RETRIEVER is {settings.retriever}: {error} "
            "Or leave the setting empty, and the best that is there is taken."
        ) from error


def described(embedder: Embedder | None) -> str:
    """What finds, as `finetone doctor` says it."""
    name = RecallIndex(embedder).shape
    if embedder is None:
        return f"{name}. {WORDS_ALONE}"
    version = f" {importlib.metadata.version('wordllama')}" if embedder.name == "wordllama" else ""
    return f"{name}, by words and by meaning ({embedder.name}{version})"
