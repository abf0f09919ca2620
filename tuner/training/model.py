"""The base as torch has it: loaded from the prepared folder, in the type this machine multiplies fastest."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from tuner.adapters import SUPPORTED, Shape
from tuner.convert import ensure_training_folder
from tuner.cores import bf16_flags
from tuner.errors import TunerError
from tuner.paths import WEIGHTS_FILE
from tuner.weights import Base


@dataclass(frozen=True)
class Loaded:
    """A base ready to be given an adapter."""

    model: Any
    tokenizer: Any
    shape: Shape


def load(base: Base, say: Callable[[str], None]) -> Loaded:
    """Raises TunerError for an architecture whose adapters could not be served."""
    folder = ensure_training_folder(base, say)
    dtype = torch.bfloat16 if torch.cuda.is_available() or bf16_flags() else torch.float32
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype)
    config = model.config
    if config.model_type not in (*SUPPORTED, "mistral"):
        raise TunerError(f"{base.name} is a {config.model_type} model; only llama-family models can be trained.")
    shape = Shape(config.num_hidden_layers, config.num_attention_heads, config.num_key_value_heads)
    return Loaded(model, tokenizer, shape)


def going_on(loaded: Loaded, folder: Path, dropout: float) -> Loaded:
    """The base with the adapter in `folder` (PEFT's layout) on it, to be trained further.

    `dropout` is this job's; rank and alpha are the adapter's. Raises TunerError where the adapter is gone.
    """
    if not (folder / WEIGHTS_FILE).exists():  # PEFT would look for it on the network
        raise TunerError(f"The adapter to go on from is no longer in {folder}. Put it back and create the job again.")
    config: Any = LoraConfig.from_pretrained(str(folder))
    config.lora_dropout = dropout
    model: Any = PeftModel.from_pretrained(loaded.model, str(folder), is_trainable=True, config=config)
    return replace(loaded, model=model)
