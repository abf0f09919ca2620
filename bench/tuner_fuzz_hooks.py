"""What the fuzzer is told so that it gets past the front door: names and ids that exist, and short answers.

Loaded by schemathesis itself (SCHEMATHESIS_HOOKS); TUNER_FUZZ_KNOWN holds the ids as JSON. Three of four requests are
left as the fuzzer made them where that matters to it: only what would end every request in a 404 is replaced.
"""

import json
import os
from typing import Any

import schemathesis

KNOWN: dict[str, str] = json.loads(os.environ.get("TUNER_FUZZ_KNOWN", "{}"))
FEW_TOKENS = 4


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    """A model that exists, most of the time; an answer of a few tokens wherever one is generated."""
    if not isinstance(body, dict):
        return body
    if "model" in body and len(repr(body)) % 4:
        body["model"] = KNOWN["model"]
    if "training_file" in body and len(repr(body)) % 4:
        body["training_file"] = KNOWN["file_id"]
    for name in ("max_tokens", "max_completion_tokens"):
        if isinstance(body.get(name), int):
            body[name] = min(body[name], FEW_TOKENS)
    if "messages" in body or "prompt" in body:
        body.setdefault("max_tokens", FEW_TOKENS)
    return body


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: Any) -> Any:
    """Ids that exist, half of the time."""
    if not isinstance(path_parameters, dict):
        return path_parameters
    return {
        name: KNOWN[name] if name in KNOWN and len(str(value)) % 2 else value for name, value in path_parameters.items()
    }
