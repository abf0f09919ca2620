"""A tokenizer.json out of a GGUF file, without torch: enough to count tokens exactly as the engine does."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (gguf and tokenizers publish no complete types; this module is their edge)
from __future__ import annotations

from pathlib import Path
from typing import Any

from gguf import GGUFReader
from tokenizers import AddedToken, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence

CONTROL_TOKEN = 3  # gguf.TokenType.CONTROL: a special token such as <|im_end|>
# How the vocabularies named in `tokenizer.ggml.pre` split text first. Only those checked against the original
# tokenizers are listed; for others the training process writes the file with transformers.
KNOWN_SPLITS = ("smollm", "gpt-2")


def tokenizer_json(gguf: Path) -> bytes | None:
    """The tokenizer of a GGUF model in the `tokenizers` library's JSON, or None where its splitting is not known here.

    Raises ValueError if the file is not GGUF.
    """
    reader = GGUFReader(gguf)

    def field(name: str) -> Any:
        found = reader.get_field(name)
        return None if found is None else found.contents()

    split = field("tokenizer.ggml.pre")
    if field("tokenizer.ggml.model") != "gpt2" or split not in KNOWN_SPLITS:
        return None
    tokens: list[str] = field("tokenizer.ggml.tokens")
    kinds: list[int] = field("tokenizer.ggml.token_type") or [1] * len(tokens)
    merges = [tuple(merge.split(" ", 1)) for merge in field("tokenizer.ggml.merges")]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    tokenizer = Tokenizer(BPE(vocab=vocabulary, merges=merges))  # pyright: ignore[reportArgumentType]
    by_word = ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.pre_tokenizer = Sequence([Digits(individual_digits=True), by_word]) if split == "smollm" else by_word
    tokenizer.decoder = ByteLevelDecoder()
    special = [token for token, kind in zip(tokens, kinds, strict=True) if kind == CONTROL_TOKEN]
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    return tokenizer.to_str().encode()
