"""Base models between the two layouts: GGUF for serving, a Hugging Face folder for training. Needs torch.

Runs only in the training process or in a process of its own, never in the server.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (torch and transformers are loosely typed; their objects stay inside this module)
from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from tuner.errors import TunerError, WeightsDamaged
from tuner.paths import held_lock, write_atomically
from tuner.weights import Base, Report


def ensure_training_folder(base: Base, report: Report) -> Path:
    """The base in Hugging Face layout, made from the GGUF on first use (about 20 s for 135M) and kept in the cache.

    Raises WeightsDamaged if the GGUF cannot be read. Two jobs at once wait for one conversion.
    """
    target = Path(base.training_folder)
    if base.source:
        return target
    with held_lock(target.with_name(".training.lock")):
        if not (target / "config.json").exists():
            report(f"Preparing {base.name} for training (once)")
            _dequantise(Path(base.gguf), target)
        if not Path(base.tokenizer).exists():
            write_atomically(Path(base.tokenizer), (target / "tokenizer.json").read_bytes())
    return target


def _dequantise(gguf_file: Path, target: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    scratch = Path(tempfile.mkdtemp(dir=target.parent, prefix=".training-"))
    # Alone in a folder: beside a tokenizer.json transformers would take that one and miss the GGUF's chat template.
    alone = Path(tempfile.mkdtemp(dir=target.parent, prefix=".alone-"))
    folder, name = str(alone), "model.gguf"
    (alone / name).symlink_to(gguf_file.resolve())
    try:
        try:
            model: Any = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32)
            tokenizer: Any = AutoTokenizer.from_pretrained(folder, gguf_file=name)
        # transformers 5.23 and gguf: no such architecture, a key or tensor that is missing, a quantisation not known
        except (ValueError, KeyError, NotImplementedError) as error:
            raise WeightsDamaged(f"{gguf_file} cannot be read for training: {error}") from error
        if not tokenizer.chat_template:
            raise TunerError(f"{gguf_file} has no chat template, so it cannot be tuned on conversations.")
        # Trainers refuse a model still marked as GGUF-quantised, though its tensors are plain now (providers.md section 11).
        model.hf_quantizer = None
        model.is_quantized = False
        if hasattr(model.config, "quantization_config"):
            del model.config.quantization_config
        model.to(torch.bfloat16).save_pretrained(scratch)
        tokenizer.save_pretrained(scratch)
        shutil.rmtree(target, ignore_errors=True)
        os.replace(scratch, target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        shutil.rmtree(alone, ignore_errors=True)


def folder_to_gguf(folder: Path, target: Path, name: str) -> None:
    """Write a llama-family model in Hugging Face layout as a GGUF file (F16), whole or not at all.

    Raises TunerError for another architecture or a vocabulary that is not byte-level BPE.
    """
    import gguf
    import torch
    from safetensors import safe_open
    from transformers import AutoConfig, AutoTokenizer

    from tuner.adapters import permute_rows

    config: Any = AutoConfig.from_pretrained(folder)
    if config.model_type not in ("llama", "mistral"):
        raise TunerError(
            f"{folder} is a {config.model_type!r} model; only llama-family folders can be converted for serving. "
            "Name a .gguf file of it instead."
        )
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    backend: Any = tokenizer.backend_tokenizer
    if type(backend.model).__name__ != "BPE" or backend.model.byte_fallback:
        raise TunerError(f"{folder} has no byte-level BPE vocabulary; name a .gguf file of this model instead.")
    temporary = target.with_name(f".{target.name}.part")
    writer = gguf.GGUFWriter(str(temporary), "llama")
    writer.add_name(name)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    writer.add_rope_dimension_count(head_dim)
    writer.add_key_length(head_dim)
    writer.add_value_length(head_dim)
    rope = getattr(config, "rope_parameters", None) or {}
    if rope.get("rope_type", "default") != "default":
        raise TunerError(
            f"{folder} scales its rotary positions ({rope['rope_type']}); name a .gguf file of it instead."
        )
    writer.add_rope_freq_base(float(rope.get("rope_theta", 10000.0)))
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    _add_vocabulary(writer, tokenizer, config.vocab_size, folder)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    for shard in sorted(folder.glob("*.safetensors")):
        with safe_open(shard, framework="pt") as tensors:
            for key in tensors.keys():  # noqa: SIM118 (safe_open offers keys() only)
                target_name = names.get_name(key, try_suffixes=(".weight", ".bias"))
                if target_name is None:
                    raise TunerError(f"{folder} holds a tensor {key} that a llama model does not have.")
                tensor: Any = tensors.get_tensor(key).to(torch.float32).numpy()
                if key.endswith("q_proj.weight"):
                    tensor = permute_rows(tensor, config.num_attention_heads)
                elif key.endswith("k_proj.weight"):
                    tensor = permute_rows(tensor, config.num_key_value_heads)
                writer.add_tensor(target_name, tensor.astype("float16") if tensor.ndim == 2 else tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    os.replace(temporary, target)


def _add_vocabulary(writer: Any, tokenizer: Any, size: int, folder: Path) -> None:
    import json

    import gguf

    facts = json.loads((folder / "tokenizer.json").read_text())
    by_id = {index: token for token, index in tokenizer.get_vocab().items()}
    special = {entry["id"] for entry in facts.get("added_tokens", []) if entry.get("special")}
    tokens = [by_id.get(index, f"[PAD{index}]") for index in range(size)]
    kinds = [
        gguf.TokenType.UNUSED
        if index not in by_id
        else gguf.TokenType.CONTROL
        if index in special
        else gguf.TokenType.NORMAL
        for index in range(size)
    ]
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in facts["model"]["merges"]]
    splits = json.dumps(facts.get("pre_tokenizer"))
    writer.add_tokenizer_model("gpt2")
    # llama.cpp knows splitting rules by name; SmolLM's splits digits one by one, GPT-2's does not.
    writer.add_tokenizer_pre(
        "smollm" if '"Digits"' in splits else "llama-bpe" if "\\\\p{N}{1,3}" in splits else "gpt-2"
    )
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(merges)
    for add, index in (
        (writer.add_bos_token_id, tokenizer.bos_token_id),
        (writer.add_eos_token_id, tokenizer.eos_token_id),
        (writer.add_unk_token_id, tokenizer.unk_token_id),
        (writer.add_pad_token_id, tokenizer.pad_token_id),
    ):
        if index is not None:
            add(index)
    writer.add_add_bos_token(False)
    if tokenizer.chat_template:
        writer.add_chat_template(tokenizer.chat_template)
