"""What the app may send to Slack: every rule here is one Slack or Finetone holds, and the emulator does not.

Pure: payloads in, sentences out. slack_sdk.models raise on most of Slack's limits but drop what they do not know, leave
icon names, block counts and sums unchecked (seen with slack_sdk 3.47); those are checked here.
"""

import re
from collections.abc import Iterator
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from tests.slack.calls import Asked

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
MESSAGE_CHARACTERS = 12_000  # msg_blocks_too_long comes near 13,200 (slackapi/bolt-js#2509)
INPUT_CHARACTERS = 3_000  # plain_text_input
ICONS = {"trash"}
MASS_MENTION = re.compile(r"<!(channel|here|everyone|subteam)", re.IGNORECASE)

MESSAGES = {"chat.postMessage", "chat.update", "chat.postEphemeral"}
VIEWS = {"views.open", "views.push", "views.update", "views.publish"}


def call_violations(asked: Asked) -> list[str]:
    """What is wrong with a Web API call of the app; empty when nothing is."""
    arguments = asked.arguments
    found = mention_violations(arguments)
    if asked.method in MESSAGES:
        found += message_violations(arguments)
    if asked.method == "chat.postMessage":
        for switch in ("unfurl_links", "unfurl_media"):
            if arguments.get(switch) not in (False, "false", "0", 0):
                found.append(f"{switch} is not off")
    if asked.method == "chat.stopStream":
        found += block_violations(arguments.get("blocks") or [], MESSAGE_BLOCKS)
    if asked.method in VIEWS:
        found += view_violations(arguments.get("view"))
    return [f"{asked.method}: {violation}" for violation in found]


def message_violations(payload: dict[str, Any]) -> list[str]:
    """A message as it is posted, edited, or sent to a response_url."""
    found: list[str] = []
    text = payload.get("text")
    if not isinstance(text, str) or not text.strip():
        found.append("text is missing or empty (notifications and screen readers read it)")
    elif len(text) > MESSAGE_CHARACTERS:
        found.append(f"text has {len(text)} characters, at most {MESSAGE_CHARACTERS}")
    for switch in ("link_names", "reply_broadcast"):
        if payload.get(switch) in (True, "true", "1", 1):
            found.append(f"{switch} is on")
    if payload.get("parse") == "full":
        found.append("parse is full, so plain @channel would mention everyone")
    return found + block_violations(payload.get("blocks") or [], MESSAGE_BLOCKS)


def response_violations(payload: dict[str, Any]) -> list[str]:
    """A post to a response_url, or the body that acknowledged a command: removal alone needs no text."""
    found = mention_violations(payload)
    if payload.get("delete_original") is not True:
        found += message_violations(payload)
    return [f"response: {violation}" for violation in found]


def acknowledgement_violations(body: dict[str, Any]) -> list[str]:
    """The JSON body that answered a delivery: a view for a submission, or a message for a command."""
    if "response_action" not in body:
        return response_violations(body) if body else []
    found = mention_violations(body)
    if "view" in body:
        found += view_violations(body["view"])
    return [f"acknowledgement: {violation}" for violation in found]


def stream_violations(text: str) -> list[str]:
    """The whole text of a stream so far: a mention may be split over two chunks."""
    found = mention_violations(text)
    if len(text) > MESSAGE_CHARACTERS:
        found.append(f"text has {len(text)} characters, at most {MESSAGE_CHARACTERS}")
    return [f"stream: {violation}" for violation in found]


def view_violations(view: Any) -> list[str]:
    """A modal or a home tab."""
    if not isinstance(view, dict):
        return [f"the view is {view!r}"]
    found = block_violations(view.get("blocks") or [], VIEW_BLOCKS)
    try:
        found += lost({**view, "blocks": []}, View(**view).to_dict(), "view")
    except (SlackObjectFormationError, TypeError) as error:
        found.append(f"view: {error}")
    for block in _objects(view):
        initial = block.get("initial_value")
        if isinstance(initial, str) and block.get("type") == "plain_text_input" and len(initial) > INPUT_CHARACTERS:
            found.append(f"an input is filled with {len(initial)} characters, at most {INPUT_CHARACTERS}")
    return found


def block_violations(blocks: Any, limit: int) -> list[str]:
    """The blocks of one message or view."""
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        return [f"blocks are not a list of objects: {blocks!r}"[:200]]
    found: list[str] = []
    if len(blocks) > limit:
        found.append(f"{len(blocks)} blocks, at most {limit}")
    if limit == MESSAGE_BLOCKS and (characters := sum(map(len, _texts(blocks)))) > MESSAGE_CHARACTERS:
        found.append(f"blocks hold {characters} characters together, at most {MESSAGE_CHARACTERS}")
    for at, block in enumerate(blocks):
        try:
            parsed = Block.parse(block)
            found += lost(block, parsed.to_dict() if parsed else None, f"block {at}")
        except (SlackObjectFormationError, TypeError) as error:
            found.append(f"block {at}: {error}")
        found += _repeated("action_id", _objects(block), f"block {at}")
    found += _repeated("block_id", blocks, "blocks")
    for thing in _objects(blocks):
        if thing.get("type") == "icon_button" and thing.get("icon") not in ICONS:
            found.append(f"icon {thing.get('icon')!r} is unknown, known: {', '.join(sorted(ICONS))}")
        if thing.get("type") in ("mrkdwn", "plain_text") and not thing.get("text"):
            found.append("a text object is empty")
    return found


def mention_violations(payload: Any) -> list[str]:
    """No text from a user or a model may mention everyone."""
    return [f"mentions everyone: {text[:80]!r}" for text in _strings(payload) if MASS_MENTION.search(text)]


def lost(sent: Any, modelled: Any, where: str) -> list[str]:
    """What slack_sdk's models dropped of `sent`: a field, a block or an element that Slack does not know."""
    if sent in (None, "", False, [], {}):
        return [f"{where} is null"] if sent is None else []
    if modelled is None:
        kind = f" of type {sent.get('type')!r}" if isinstance(sent, dict) else ""
        return [f"{where}{kind} is unknown"]
    if isinstance(sent, dict) and isinstance(modelled, dict):
        return [line for name, value in sent.items() for line in lost(value, modelled.get(name), f"{where}.{name}")]
    if isinstance(sent, list) and isinstance(modelled, list):
        pairs = enumerate(zip(sent, modelled, strict=True))
        return [line for at, (one, other) in pairs for line in lost(one, other, f"{where}[{at}]")]
    return []


def _repeated(name: str, objects: Any, where: str) -> list[str]:
    seen: set[str] = set()
    found: list[str] = []
    for thing in objects:
        value = thing.get(name)
        if value in seen:
            found.append(f"{where}: {name} {value!r} is there twice")
        if value:
            seen.add(value)
    return found


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """`value` and everything in it that is an object."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(inner)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _strings(inner)


def _texts(blocks: Any) -> Iterator[str]:
    """Every text people read in blocks."""
    return (thing["text"] for thing in _objects(blocks) if isinstance(thing.get("text"), str))
