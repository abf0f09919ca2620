"""Pure: a dataset card as Markdown, for a repository, a pull request or the console. Says what the record says and no more."""

import re
from collections.abc import Mapping, Sequence

from curation.agreement import Alpha
from curation.card import UNKNOWN, Card
from curation.examples import Kind
from curation.fixes import is_as_served, trained_for_another
from storage.records import Side

SHOWN = 10  # values of one dimension; the others are counted together
TITLES = {
    "kind": "Made from",
    "channel": "Channel",
    "reason": "Reason",
    "language": "Language",
    "script": "Script",
    "moderator": "Moderator",
}
_ADDRESS = re.compile(r"https://[\w./#-]+[,;).]*")
_SPECIAL = "\\`*_[]<>|#~&"


def card_markdown(card: Card, names: Mapping[str, str] | None = None, *, prompts: str = "") -> str:
    """The card as a page. `names` are what people are called (actor id → name) and channels (place → name); `prompts` is what
    `prompts_sentence` says of the version's.
    """
    parts = [
        f"# Dataset {card.version_id}",
        _sides(card),
        *_dimensions(card, names or {}),
        _balance(card, names or {}),
        _left_out(card),
        _cost(card),
        _prompt(card, prompts),
        _agreement(card, names or {}),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def cell(text: str) -> str:
    """Any text as one line of Markdown that shows it as it is: no mark-up, no table of its own, no HTML."""
    line = " ".join(text.split())
    return "".join(f"\\{letter}" if letter in _SPECIAL else letter for letter in line)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table of cells that are Markdown already; the first column is left-aligned, the others are numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _sides(card: Card) -> str:
    rows = [
        [str(side).replace("_", " "), f"{n.examples:,}", f"{n.groups:,}", f"{n.tokens:,}", f"{n.longest:,}"]
        for side in Side
        if (n := card.numbers.sides[side])
    ]
    said = (
        f"{card.numbers.held_out_share:.1%} of the examples are kept back to judge by. "
        f"Tokens were counted by {cell(card.basis.counted_by)}."
    )
    if added := card.numbers.counts["kind"].get(Kind.OFF_TOPIC):
        said += (
            f" {added:,} of those to train on are off-topic questions that come with Finetone, answered in the opening and "
            "sign-off of the corrections."
        )
    return table(["side", "examples", "groups", "tokens", "longest"], rows) + "\n\n" + said


def _dimensions(card: Card, names: Mapping[str, str]) -> list[str]:
    found: list[str] = []
    blank: list[str] = []
    for name, title in TITLES.items():
        counts = list(card.numbers.counts[name].items())
        if len(counts) == 1 and counts[0][0] == UNKNOWN:
            blank.append(f"{title}: unknown of all {counts[0][1]:,}.")
            continue
        rows = [[cell(names.get(value, value)), f"{count:,}"] for value, count in counts[:SHOWN]]
        if rest := counts[SHOWN:]:
            rows.append([f"{len(rest):,} others", f"{sum(count for _, count in rest):,}"])
        if rows:
            found.append(f"## {title}\n\n" + table([name, "examples"], rows))
    return [*found, *(["\n".join(f"- {line}" for line in blank)] if blank else [])]


def _balance(card: Card, names: Mapping[str, str]) -> str:
    numbers = card.numbers
    if not numbers.largest:
        return ""
    rows: list[list[str]] = []
    for name, largest in numbers.largest.items():
        cap = card.basis.caps.get(name)
        over = numbers.over_cap.get(name)
        verdict = (
            "" if cap is None else f"at most {cap:.1%}" + (f", exceeded by {_who(over.value, names)}" if over else "")
        )
        rows.append([name, f"{_who(largest.value, names)}, {largest.share:.1%}", verdict])
    lines = [
        f"- {numbers.repeated_lines:,} lines repeat another word for word, {numbers.repeated_questions:,} its question.",
        f"- {numbers.torn_groups:,} groups stand on both sides of the split.",
    ]
    if numbers.merged:
        lines.append(f"- {numbers.merged:,} corrections are spoken for by the line of another that says the same.")
    return "## Balance\n\n" + table(["of each", "the most", "cap"], rows) + "\n\n" + "\n".join(lines)


def _left_out(card: Card) -> str:
    counts = card.numbers.left_out
    if not counts:
        return "## Left out\n\nNothing."
    rows = [[cell(reason), f"{count:,}"] for reason, count in counts.items()]
    return f"## Left out\n\n{sum(counts.values()):,} corrections are not in it.\n\n" + table(
        ["why", "corrections"], rows
    )


def _cost(card: Card) -> str:
    if not card.estimates:
        return ""
    tokens = card.numbers.sides[Side.TRAIN].tokens
    epochs = f"{card.basis.epochs} {'epoch' if card.basis.epochs == 1 else 'epochs'}"
    wanted = ["training", *(["serving a month"] if card.basis.traffic else []), "up for a month"]
    rows: list[list[str]] = []
    notes: list[str] = []
    for made in card.estimates:
        where = cell(f"{made.vendor} {made.model}")
        found = [made.training, *([made.serving] if card.basis.traffic else []), made.idle]
        rows.append([where, *("unknown" if money is None else str(money) for money in found)])
        notes += [f"- {where}: {_linked(sentence)}" for sentence in made.sentences()]
    head = f"## Cost\n\nTraining reads {tokens:,} tokens × {epochs}.\n\n"
    return head + table(["where", *wanted], rows) + "\n\n" + "\n".join(notes)


def _linked(sentence: str) -> str:
    """A sentence as `cell` shows it, but with addresses left whole: a backslash in one would lead elsewhere."""
    return " ".join(word if _ADDRESS.fullmatch(word) else cell(word) for word in sentence.split())


def prompts_sentence(shape: str, served: str) -> str:
    """The shape of a version's prompts, and whether a model trained on them is served with others here; "" for no shape."""
    if not shape:
        return ""
    fixes = "with the fixes a reply would be shown" if is_as_served(shape) else "without fixes"
    said = f"Its prompts are built {fixes}: {shape}."
    differs = trained_for_another(shape, served)
    return (
        f"{said} A model trained on it is trained for another shape than is served here: {served}." if differs else said
    )


def _prompt(card: Card, prompts: str) -> str:
    built, saved = card.numbers.prompt_tokens, card.numbers.saved_tokens_per_reply
    said = f"Built with a system prompt of {built:,} tokens"
    if saved > 0:
        said += f", {saved:,} fewer than the voice's full one: what a reply of a model trained on this spends less"
    return f"## System prompt\n\n{said}." + (f" {cell(prompts)}" if prompts else "")


def _agreement(card: Card, names: Mapping[str, str]) -> str:
    made = card.agreement
    if not made.raters:
        return ""
    rows = [["all", _alpha(made.overall)], *([cell(value), _alpha(found)] for value, found in made.by_value.items())]
    people = [
        [_who(r.rater, names), f"{r.ratings:,}", f"{r.rated_together:,}", f"{r.agreements:,}", f"{r.disagreements:,}"]
        for r in made.raters
    ]
    parts = [
        "## Agreement\n\nKrippendorff's alpha, nominal, on what more than one person reviewed; in brackets 95 % confidence.",
        table(["reason", "alpha"], rows),
        table(["moderator", "reviews", "with others", "agreed", "differed"], people),
    ]
    return "\n\n".join(parts)


def _alpha(found: Alpha) -> str:
    return cell(str(found))


def _who(value: str, names: Mapping[str, str]) -> str:
    return cell(names.get(value, value))
