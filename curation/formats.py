"""Pure: check a JSONL training file by the rules its vendor publishes, before anybody pays for finding out.

Written from those rules (providers/quirks.py names each source) and independent of curation/export.py: what that writes is
held to this, and so is a file from anywhere else. Every problem has its file and line and says what to do next.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from curation.format_rows import TOP_KEYS, Fault, row_faults, row_texts
from curation.prompting import CountTokens
from providers.quirks import ByteOrderMark, Method, Quirks

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
LISTED = 200  # problems kept in a report; the others are counted
WHOLE_FILE = 0  # the line of a problem that no single line has


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in line `line` (from 1) of a file, and the next step."""

    file: str
    line: int
    what: str
    next_step: str

    def __str__(self) -> str:
        place = self.file if self.line == WHOLE_FILE else f"{self.file}:{self.line}"
        return f"{place}: {self.what}. {self.next_step}."


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found. `problems` are in the order of the file, at most LISTED; `found` counts all of them."""

    vendor: str
    method: Method
    examples: int  # lines that hold a JSON object
    tokens: int | None  # of all examples; None without a counter
    problems: tuple[Problem, ...]
    found: int
    not_checked: tuple[str, ...]  # sentences: rules that nobody publishes, or that need what was not given

    @property
    def is_fit(self) -> bool:
        """Whether the vendor's published rules have nothing against the file."""
        return self.found == 0

    def sentences(self) -> tuple[str, ...]:
        """The report as a person reads it: the verdict, each problem, what stands unchecked."""
        if self.is_fit:
            verdict = f"Fit for {self.vendor} ({self.method}): {_plural(self.examples, 'example')}."
        else:
            verdict = f"Not fit for {self.vendor} ({self.method}): {_plural(self.found, 'problem')}."
        said = [verdict, *map(str, self.problems)]
        if self.found > len(self.problems):
            said.append(f"{self.found - len(self.problems)} further problems are not listed.")
        return (*said, *self.not_checked)


def check_file(
    content: bytes,
    name: str,
    vendor: Quirks,
    method: Method,
    *,
    count_tokens: CountTokens | None = None,
    max_tokens: int | None = None,
) -> Report:
    """Check a file of any origin. `max_tokens` is the base model's context, where it is less than the vendor's own limit.

    A method that the vendor does not train by is a problem like any other, so that the rest is told too.
    """
    bounds = [bound for bound in (vendor.max_example_tokens, max_tokens) if bound is not None]
    limit = min(bounds, default=None)
    found: list[Problem] = [*_file_problems(content, name, vendor, method)]
    examples, tokens = 0, 0
    for number, raw in _lines(content):
        try:
            row, faults = _parsed(raw)
            if row is not None:
                examples += 1
                faults = [*faults, *row_faults(row, vendor, method)]
                if count_tokens is not None:
                    counted = count_tokens([text.encode(errors="replace").decode() for text in row_texts(row)])
                    tokens += counted
                    faults += _length_faults(counted, limit)
        except RecursionError:
            faults = [Fault("nested too deeply", "Write the example as messages with text")]
        found += [Problem(name, number, fault.what, fault.next_step) for fault in faults]
    if 0 < examples < vendor.minimum_examples:
        missing = vendor.minimum_examples - examples
        what = f"{_plural(examples, 'example')}, {vendor.name} takes at least {vendor.minimum_examples}"
        found.append(Problem(name, WHOLE_FILE, what, f"Approve {missing} more"))
    return Report(
        vendor.name,
        method,
        examples,
        None if count_tokens is None else tokens,
        tuple(found[:LISTED]),
        len(found),
        tuple(_not_checked(vendor, has_counter=count_tokens is not None, limit=limit)),
    )


def method_of(content: bytes) -> Method | None:
    """The method whose keys the first readable line has; None where no line says so."""
    for _, raw in _lines(content):
        try:
            row, _ = _parsed(raw)
        except RecursionError:
            continue
        for method, keys in TOP_KEYS.items():
            if row is not None and set(keys) <= set(row):
                return method
    return None


def _file_problems(content: bytes, name: str, vendor: Quirks, method: Method) -> Iterator[Problem]:
    if method not in vendor.methods:
        has = ", ".join(sorted(vendor.methods))
        yield Problem(name, WHOLE_FILE, f"{vendor.name} does not train by {method}", f"It trains by {has}")
    if not content.removeprefix(BYTE_ORDER_MARK).strip():
        yield Problem(name, WHOLE_FILE, "the file is empty", "Write one JSON object per line")
        return
    if vendor.max_file_bytes is not None and len(content) > vendor.max_file_bytes:
        what = f"{len(content):,} bytes, {vendor.name} takes at most {vendor.max_file_bytes:,}"
        yield Problem(name, WHOLE_FILE, what, "Split the file, or leave examples out")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        yield Problem(name, WHOLE_FILE, "the file is UTF-16", "Save it as UTF-8")
    has_mark = content.startswith(BYTE_ORDER_MARK)
    if has_mark and vendor.byte_order_mark is ByteOrderMark.REFUSED:
        yield Problem(name, 1, "the file begins with a byte-order mark", "Save it as UTF-8 without one")
    if not has_mark and vendor.byte_order_mark is ByteOrderMark.REQUIRED:
        what = f"the file has no byte-order mark, which {vendor.name} asks for"
        yield Problem(name, 1, what, "Save it as UTF-8 with one")


def _length_faults(tokens: int, limit: int | None) -> Iterator[Fault]:
    if limit is not None and tokens > limit:
        step = "Shorten the example, or drop the oldest turns of its history"
        yield Fault(f"{tokens:,} tokens, at most {limit:,} fit", step)


def _not_checked(vendor: Quirks, *, has_counter: bool, limit: int | None) -> Iterator[str]:
    if limit is not None and not has_counter:
        yield f"The limit of {limit:,} tokens per example was not checked: there is no tokenizer to count with."
    if limit is None:
        yield f"{vendor.name} publishes no token limit per example; the base model's context still bounds it."
    if "minimum_examples" in vendor.unpublished:
        yield f"{vendor.name} publishes no minimum number of examples."


def _lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers from 1. The end of the last line is no line of its own; any other empty one is."""
    text = content.removeprefix(BYTE_ORDER_MARK)
    if not text.strip():
        return
    yield from enumerate(text.removesuffix(b"\n").split(b"\n"), 1)


def _parsed(raw: bytes) -> tuple[dict[str, Any] | None, list[Fault]]:
    """The object of one line, or why there is none. A key given twice is a fault that leaves the object readable."""
    if not raw.strip():
        return None, [Fault("the line is empty", "Remove it")]
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        return None, [Fault(f"byte {error.start + 1} of the line is not UTF-8", "Save the file as UTF-8")]
    if text.startswith("\ufeff"):
        return None, [Fault("a byte-order mark inside the file", "Remove it; files were joined here")]
    repeated: list[str] = []

    def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            repeated.extend(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
        return made

    try:
        row = json.loads(text, object_pairs_hook=object_of, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        return None, [_syntax_fault(text, error)]
    except ValueError as error:  # a constant, or a number with too many digits
        return None, [Fault(str(error), "Write a JSON value")]
    faults = [Fault(f"the key {_shown(key)} is given twice", "Keep one of them") for key in repeated]
    if not isinstance(row, dict):
        return None, [Fault(f"a JSON {_kind(row)}, not an object", "Write one JSON object per line"), *faults]
    return cast(dict[str, Any], row), faults


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _syntax_fault(text: str, error: json.JSONDecodeError) -> Fault:
    """Name the usual slips; anything else by the parser's own words."""
    before = text[: error.pos].rstrip()
    at = f"at column {error.colno}"
    if before.endswith(",") and text[error.pos : error.pos + 1] in ("}", "]"):
        return Fault(f"a trailing comma before {text[error.pos]} {at}", "Remove the comma")
    if error.msg.startswith("Illegal trailing comma"):  # Python 3.13's own words
        return Fault(f"a trailing comma {at}", "Remove the comma")
    if error.msg == "Extra data" and text[error.pos] == ",":
        return Fault("a comma after the object", "Remove it: lines are not separated by commas")
    if error.msg == "Extra data":
        return Fault(f"more than one JSON value, the second {at}", "Write one JSON object per line")
    if text.strip() in ("[", "{", "]", "}", "],", "},"):
        return Fault("one JSON value over several lines", "Write each example on a line of its own")
    return Fault(f"not valid JSON: {error.msg} {at}", "Correct the line, or write it with a JSON library")


def _kind(value: object) -> str:
    names: dict[type, str] = {list: "list", str: "string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "number")


def _shown(key: str) -> str:
    """A key as it may be printed: short, and without what is not text."""
    text = json.dumps(key)
    return text if len(text) <= 40 else text[:36] + '…"'


def _plural(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
