"""Pure: what may enter and what may leave. Every text from a person or a model passes here once, at the edge."""

import re
import unicodedata

QUESTION_LIMIT = 8_000  # characters; about 2,000 tokens, the room the smallest served context leaves for a question
CORRECTION_LIMIT = 12_000  # characters; Slack's longest single message block
NOTE_LIMIT = 2_000  # characters

# Zero-width and bidirectional *override* characters hide text from a reader. The joiners U+200C and U+200D stay (Persian and
# emoji need them), and so do the marks U+200E, U+200F (right-to-left text needs them).
_HIDDEN = re.compile("[\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")
# Unicode's categories Cc (but for the line break and the tab), Cs and Co, whose members never change.
_UNREADABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd]"
)
_BLANK_LINES = re.compile(r"\n{4,}")
# The characters a chat template may read as its own marks, e.g. <|im_start|>.
_TEMPLATE_MARKS = re.compile(r"<\|([A-Za-z0-9_]{1,40})\|>")


class TextRefused(ValueError):
    """The text cannot be taken; the message says why, with the number, and what to do."""


def clean(text: str) -> str:
    """Remove what no reader can see or what could act: NUL and other controls, hidden and override characters, template marks.

    Line breaks and tabs stay; letters, emoji and right-to-left text are untouched but for NFC normalisation.
    """
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = _TEMPLATE_MARKS.sub(r"\1", _HIDDEN.sub("", _UNREADABLE.sub("", text)))
    return _BLANK_LINES.sub("\n\n\n", text).strip()


def clean_question(text: str) -> str:
    """A customer's text, ready for the model; "" when nothing readable is left. Raises TextRefused above QUESTION_LIMIT."""
    return _within(clean(text), QUESTION_LIMIT, "question", "Please send the part that matters.")


def clean_correction(text: str) -> str:
    """A moderator's text. Raises TextRefused when it is empty or above CORRECTION_LIMIT."""
    cleaned = _within(clean(text), CORRECTION_LIMIT, "correction", "Please shorten it.")
    if not cleaned:
        raise TextRefused("The correction is empty. Write what the reply should have been.")
    return cleaned


def clean_note(text: str) -> str:
    """A note beside a judgement or decision; may be empty. Raises TextRefused above NOTE_LIMIT."""
    return _within(clean(text), NOTE_LIMIT, "note", "Please shorten it.")


def _within(text: str, limit: int, what: str, next_step: str) -> str:
    if len(text) > limit:
        raise TextRefused(f"The {what} has {len(text):,} characters; at most {limit:,} are taken. {next_step}")
    return text


def clean_reply(text: str) -> str:
    """A model's text before it may leave: cleaned as above, and no "everyone" mention of any platform left alive.

    `<!channel>`, `@everyone` and their kin get a zero-width joiner after the sign, so that they read the same and ring nobody.
    Markup of HTML is left as text: each adapter escapes for its own surface.
    """
    return _MASS_MENTION.sub(lambda m: m.group(1) + "\u200d" + m.group(2), clean(text))


_MASS_MENTION = re.compile(r"([@!])(everyone|here|channel|group)\b", re.IGNORECASE)


def excerpt(text: str, limit: int = 80) -> str:
    """One line of at most `limit` characters, for lists and logs' eyes."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def listed(text: str) -> list[str]:
    """Values apart by commas, as settings and options have them; empty ones are passed over."""
    return [value.strip() for value in text.split(",") if value.strip()]
