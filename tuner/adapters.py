"""A LoRA adapter from PEFT's tensors to llama.cpp's GGUF adapter file.

Format: general.type=adapter, adapter.type=lora, adapter.lora.alpha, tensors `<name>.lora_a` (r × in) and `.lora_b`
(out × r); llama.cpp/convert_lora_to_gguf.py, read 2026-11-21.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (gguf and numpy publish loose types; arrays enter and leave here)
from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf

# Architectures whose attention rows GGUF stores permuted; only these are converted and tested.
SUPPORTED = ("llama",)


@dataclass(frozen=True)
class Shape:
    """What the conversion must know of the base model."""

    n_layers: int
    n_heads: int
    n_kv_heads: int


def write_adapter(path: Path, tensors: dict[str, Any], alpha: float, shape: Shape, name: str) -> None:
    """Write PEFT's LoRA `tensors` (name → float array) to `path`, whole or not at all.

    `alpha` is lora_alpha; llama.cpp divides it by r itself. Raises ValueError for a tensor that is no LoRA pair of a
    known linear layer, so that nothing trained is dropped in silence.
    """
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, shape.n_layers)
    temporary = path.with_name(f".{path.name}.part")
    writer = gguf.GGUFWriter(str(temporary), "llama")
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, float(alpha))
    writer.add_name(name)
    for key, value in sorted(tensors.items()):
        match = re.fullmatch(r"base_model\.model\.(.+)\.lora_([AB])(?:\.default)?\.weight", key)
        target = names.get_name(f"{match[1]}.weight", try_suffixes=(".weight",)) if match else None
        if match is None or target is None:
            raise ValueError(f"{key} has no place in a GGUF adapter")
        array = value
        if match[2] == "B" and match[1].endswith("q_proj"):
            array = permute_rows(array, shape.n_heads)
        elif match[2] == "B" and match[1].endswith("k_proj"):
            array = permute_rows(array, shape.n_kv_heads)
        writer.add_tensor(f"{target}.lora_{match[2].lower()}", array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    os.replace(temporary, path)


def permute_rows(array: Any, n_heads: int) -> Any:
    """Reorder the rows of an attention weight from Hugging Face's rotary layout (halves) to GGUF's (pairs)."""
    rows, columns = array.shape
    return array.reshape(n_heads, 2, rows // n_heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)
