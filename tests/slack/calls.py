"""One Web API call as the app made it: its method, its decoded arguments, its token, and how it was answered."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

# A form carries these as JSON text; a JSON body carries them as they are.
JSON_ARGUMENTS = {"attachments", "blocks", "chunks", "files", "loading_messages", "metadata", "prompts", "view"}
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Asked:
    """What the app asked. `arguments` are decoded: blocks and views are lists and dicts, whatever way they travelled."""

    method: str  # "chat.postMessage"
    arguments: dict[str, Any]
    token: str  # "" when the call carried none


@dataclass(frozen=True)
class Call:
    """What the app asked, and what it heard."""

    method: str
    arguments: dict[str, Any]
    token: str
    status: int  # the HTTP status; 0 when the connection was cut
    answer: dict[str, Any]  # {} when the connection was cut or the answer was not a JSON object

    @property
    def ok(self) -> bool:
        return self.answer.get("ok") is True


def read_call(
    method: str,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    body: bytes,
    form: Mapping[str, str] | None = None,
) -> Asked:
    """Decode one request. `form` holds the fields of a multipart body, which only its reader can split."""
    arguments: dict[str, Any] = dict(query)
    kind = headers.get("Content-Type", "")
    if form is not None:
        arguments |= form
    elif "application/json" in kind:
        arguments |= json.loads(body or b"{}")
    elif FORM in kind:
        arguments |= parse_qsl(body.decode(), keep_blank_values=True)
    token = headers.get("Authorization", "")
    token = token.removeprefix("Bearer ") if token.startswith("Bearer ") else str(arguments.get("token", ""))
    arguments.pop("token", None)
    return Asked(method, {name: _decoded(name, value) for name, value in arguments.items()}, token)


def _decoded(name: str, value: Any) -> Any:
    if name not in JSON_ARGUMENTS or not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def as_form(arguments: Mapping[str, Any]) -> dict[str, str]:
    """Arguments as form fields: structures as JSON text, true and false as words, None left out."""
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in arguments.items()
        if value is not None
    }
