"""Block Kit as Slack shows it, near enough for a picture in the docs: messages, modals and the Home tab as HTML.

Pure. It draws what our app sends (sections, buttons, inputs, Markdown), not all of Slack. Raises NotDrawable for the rest, so
that no picture silently lacks something.
"""

import html
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]


class NotDrawable(AssertionError):
    """A block or element this module does not know."""


def page(body: str, width: int = 760) -> str:
    """A whole document around drawn parts."""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Slack</title><style>{STYLE}</style>'
        f'<body><main style="width:{width}px">{body}</main></body></html>'
    )


def message(
    name: str, blocks: Sequence[Json], *, text: str = "", is_bot: bool = True, seen_by_you_only: bool = False
) -> str:
    """A message: by the app, with blocks, or by a person, with text."""
    badge = '<span class="badge">APP</span>' if is_bot else ""
    whisper = '<div class="only">Only visible to you</div>' if seen_by_you_only else ""
    body = drawn(blocks) if blocks else f"<p>{mrkdwn(text)}</p>"
    kind = "bot" if is_bot else "person"
    return (
        f'<article class="message"><div class="avatar {kind}">{html.escape(name[0])}</div><div class="said">{whisper}'
        f'<div class="who"><b>{html.escape(name)}</b>{badge}<time>10:42</time></div>{body}</div></article>'
    )


def modal(view: Json) -> str:
    """A modal, as it stands over the channel."""
    label: Callable[[str], str] = lambda name: html.escape((view.get(name) or {}).get("text", ""))  # noqa: E731
    return (
        f'<section class="modal"><header><b>{label("title")}</b><i>✕</i></header><div>{drawn(view["blocks"])}</div>'
        f'<footer><button>{label("close")}</button><button class="primary">{label("submit")}</button></footer></section>'
    )


def home(name: str, view: Json) -> str:
    """The app's Home tab."""
    return (
        f'<section class="home"><h1>{html.escape(name)}</h1><nav><b>Home</b><span>Messages</span><span>About</span></nav>'
        f"<div>{drawn(view['blocks'])}</div></section>"
    )


def drawn(blocks: Sequence[Json]) -> str:
    """The blocks of a message or view, one under the other."""
    return "".join(f'<div class="block {block["type"]}">{_block(block)}</div>' for block in blocks)


def _block(block: Json) -> str:
    match block["type"]:
        case "section" if "fields" in block:
            return "".join(f'<p class="fact">{_text(text)}</p>' for text in block["fields"])
        case "section":
            return f"<p>{_text(block['text'])}</p>"
        case "header":
            return f"<h2>{_text(block['text'])}</h2>"
        case "context":
            return f"<p>{' '.join(_text(element) for element in block['elements'])}</p>"
        case "divider":
            return "<hr>"
        case "markdown":
            return markdown(block["text"])
        case "actions" | "context_actions":
            return "".join(_element(element) for element in block["elements"])
        case "input":
            optional = ' <span class="optional">(optional)</span>' if block.get("optional") else ""
            hint = f"<small>{_text(block['hint'])}</small>" if "hint" in block else ""
            return f"<label>{_text(block['label'])}{optional}</label>{_element(block['element'])}{hint}"
        case unknown:
            raise NotDrawable(f"a block of type {unknown}")


def _element(element: Json) -> str:
    match element["type"]:
        case "button":
            return f'<button class="{element.get("style", "")}">{_text(element["text"])}</button>'
        case "feedback_buttons":
            good, wrong = element["positive_button"]["text"]["text"], element["negative_button"]["text"]["text"]
            return (
                f'<span class="thumb">{THUMB}{html.escape(good)}</span>'
                f'<span class="thumb down">{THUMB}{html.escape(wrong)}</span>'
            )
        case "icon_button":
            return f'<span class="thumb">{_text(element["text"])}</span>'
        case "number_input":
            return f"<div data-input>{html.escape(element.get('initial_value', ''))}</div>"
        case "multi_static_select":
            chosen = "".join(f"<em>{_text(option['text'])} ×</em>" for option in element.get("initial_options", []))
            return f'<div data-input class="select"><span>{chosen}</span><i>⌄</i></div>'
        case "plain_text_input":
            lines = ' class="lines"' if element.get("multiline") else ""
            return f"<div{lines} data-input>{html.escape(element.get('initial_value', ''))}</div>"
        case "static_select":
            return f'<div data-input class="select">{_text(element["initial_option"]["text"])}<i>⌄</i></div>'
        case "checkboxes":
            chosen = [option["value"] for option in element.get("initial_options", [])]
            return "".join(
                f'<div class="tick">{"<i>✓</i>" if option["value"] in chosen else "<u></u>"}{_text(option["text"])}</div>'
                for option in element["options"]
            )
        case unknown:
            raise NotDrawable(f"an element of type {unknown}")


def _text(text: Json) -> str:
    return mrkdwn(text["text"]) if text["type"] == "mrkdwn" else html.escape(html.unescape(text["text"]))


def mrkdwn(text: str) -> str:
    """Slack's own markup as HTML."""
    drawn_parts: list[str] = []
    for part in re.split(r"(<[^>]+>)", text):
        if part.startswith("<@"):
            drawn_parts.append('<span class="mention">@Finetone</span>')
        elif part.startswith("<"):
            drawn_parts.append(f'<a href="#">{html.escape(part[1:-1].split("|")[-1])}</a>')
        else:
            drawn_parts.append(_emphasis(html.escape(html.unescape(part)), "*"))
    return "".join(drawn_parts).replace("\n", "<br>")


def markdown(text: str) -> str:
    """The little Markdown our replies use: paragraphs, lists, strong, code."""
    found: list[str] = []
    for paragraph in re.split(r"\n{2,}", html.escape(html.unescape(text))):
        lines = paragraph.split("\n")
        if all(re.match(r"([-*]|\d+\.) ", line) for line in lines):
            kind = "ol" if lines[0][0].isdigit() else "ul"
            items = "".join(f"<li>{_emphasis(line.split(' ', 1)[1], '**')}</li>" for line in lines)
            found.append(f"<{kind}>{items}</{kind}>")
        else:
            found.append(f"<p>{_emphasis('<br>'.join(lines), '**')}</p>")
    return "".join(found)


def _emphasis(text: str, strong: str) -> str:
    mark = re.escape(strong)
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    text = re.sub(rf"(?<!\w){mark}(?=\S)(.+?)(?<=\S){mark}(?!\w)", r"<b>\1</b>", text)
    return re.sub(r"(?<!\w)~(?=\S)(.+?)(?<=\S)~(?!\w)", r"<s>\1</s>", text)


THUMB = (  # drawn, because a machine without an emoji font shows a box
    '<svg viewBox="0 0 24 24" width="14" height="14" fill="none" stroke="currentColor" stroke-width="2">'
    '<path d="M7 11v10H3V11zm0 9h10.5a2 2 0 0 0 2-1.6l1.4-7A2 2 0 0 0 19 9h-5.5l1-4.500A2 2 0 0 0 12.500 2L7 11"/></svg> '
)
STYLE = """
* { box-sizing: border-box }
body { margin: 0; background: #fff; color: #1d1c1d;
  font: 15px/1.47 Lato, 'Helvetica Neue', 'Liberation Sans', Arial, sans-serif }
main { padding: 18px 20px }
p, ul, ol { margin: 2px 0 6px }
ul, ol { padding-left: 26px }
a { color: #1264a3; text-decoration: none }
code { font: 13px 'Liberation Mono', monospace; color: #c01343; background: #f6f6f6; border: 1px solid #ddd;
  border-radius: 3px; padding: 1px 3px }
s { color: #616061 }
h2 { font-size: 18px; margin: 4px 0 6px }
hr { border: 0; border-top: 1px solid #ddd }
.message { display: flex; gap: 10px; padding: 7px 0 }
.said { flex: 1; min-width: 0 }
.avatar { flex: none; width: 36px; height: 36px; border-radius: 6px; color: #fff; font-weight: 700; font-size: 17px;
  display: flex; align-items: center; justify-content: center }
.avatar.bot { background: #1d2733 }
.avatar.person { background: #5f8fb4 }
.who b { font-weight: 800 }
.who time { color: #616061; font-size: 12px; margin-left: 8px }
.badge { background: #e8e8e8; color: #616061; font-size: 10px; font-weight: 700; border-radius: 2px;
  padding: 1px 3px; margin-left: 6px }
.only { color: #616061; font-size: 12px }
.context p { color: #616061; font-size: 13px; margin: 3px 0 }
.mention { background: #e8f5fa; color: #1264a3; border-radius: 3px; padding: 0 2px }
.actions, .context_actions { display: flex; flex-wrap: wrap; gap: 8px; margin: 6px 0 8px }
button { font: inherit; font-weight: 700; font-size: 13px; background: #fff; color: #1d1c1d; border: 1px solid #bbb;
  border-radius: 4px; padding: 4px 12px }
button.primary { background: #007a5a; border-color: #007a5a; color: #fff }
button.danger { color: #e01e5a; border-color: #e01e5a }
.thumb { border: 1px solid #ddd; border-radius: 12px; padding: 2px 10px; font-size: 13px; color: #454447 }
.thumb svg { vertical-align: -2px; margin-right: 3px }
.thumb.down svg { transform: rotate(180deg) }
.fact { display: inline-block; width: 50%; vertical-align: top; margin: 4px 0 8px }
.modal { border: 1px solid #ccc; border-radius: 8px; box-shadow: 0 6px 24px rgba(0,0,0,.18) }
.modal header { display: flex; justify-content: space-between; padding: 16px 24px; font-size: 20px }
.modal header i { font-style: normal; color: #616061 }
.modal > div { padding: 0 24px 8px }
.modal footer { display: flex; justify-content: flex-end; gap: 10px; padding: 14px 24px; border-top: 1px solid #eee }
.input { margin: 12px 0 }
label { display: block; font-weight: 700; margin-bottom: 5px }
.optional { color: #616061; font-weight: 400 }
[data-input] { border: 1px solid #8d8d8e; border-radius: 4px; padding: 7px 11px; min-height: 36px;
  white-space: pre-wrap }
.lines { min-height: 74px }
.select { display: flex; justify-content: space-between }
.select i { font-style: normal }
.tick { display: flex; gap: 8px; align-items: center; margin: 4px 0 }
.tick i { width: 17px; height: 17px; border-radius: 3px; background: #1264a3; color: #fff;
  font: 700 12px/17px sans-serif; text-align: center }
.tick u { width: 17px; height: 17px; border-radius: 3px; border: 1px solid #8d8d8e }
.select em { font-style: normal; background: #e8f5fa; border-radius: 3px; padding: 1px 6px; margin-right: 6px }
small { color: #616061 }
.home h1 { font-size: 18px; margin: 0 }
.home nav { display: flex; gap: 18px; border-bottom: 1px solid #ddd; margin: 8px 0 12px; padding-bottom: 0;
  color: #616061 }
.home nav b { color: #1d1c1d; border-bottom: 2px solid #007a5a; padding-bottom: 6px }
.home .section { margin: 8px 0 }
"""
