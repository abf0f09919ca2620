"""Which of the large packages are here: serving and training each need some that a bot without a tuner does not install."""

from __future__ import annotations

from importlib.util import find_spec

PACKAGES = {
    "serve": ("xllamacpp", "gguf"),
    "train": ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "safetensors"),
}


def lack(extra: str, purpose: str) -> str:
    """A sentence about what `extra` would bring, "" when all of it is installed. `purpose` begins it: "Serving", "Training"."""
    missing = [name for name in PACKAGES[extra] if find_spec(name) is None]
    if not missing:
        return ""
    return (
        f"{purpose} needs packages that are not installed here: {', '.join(missing)}. "
        f"Install them with: pip install 'finetone[{extra}]'"
    )
