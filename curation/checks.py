"""Pure: what every answer of a voice has to keep to, declared once, and a sentence for each answer that does not.

`{"language": "de", "length": {"most_words": 80}, "required": ["Your Puffin crew"], "forbidden": ["guarantee"],
"style": ["no_emoji"], "json_schema": {"type": "object", …}}`: every key may be left out. A check knows one answer at a time
and no model.
"""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, cast

from curation.languages import NAMES, language_of
from curation.scripts import script_of
from curation.style import STYLES, Style, keeps_to

WITHOUT_SPACES = frozenset({"Han", "Kana", "Thai"})  # scripts in which a word has no visible ends
DECLARABLE = ("language", "length", "required", "forbidden", "style", "json_schema")
LENGTHS = ("least_words", "most_words", "least_characters", "most_characters")


class ChecksWrong(ValueError):
    """A voice's checks cannot be used as declared; the message says which, and what would do."""


class Check(Protocol):
    """One demand on an answer."""

    @property
    def name(self) -> str:
        """What it is declared as."""
        ...

    def failure(self, answer: str) -> str | None:
        """The sentence that says what is wrong with this answer; None where nothing is."""
        ...


@dataclass(frozen=True, slots=True)
class Failure:
    """An answer that does not keep to a check."""

    check: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Language:
    """The answer is in this language (a code of `languages.NAMES`). An answer too short to tell passes: nothing is known."""

    code: str
    name: str = "language"

    def failure(self, answer: str) -> str | None:
        """Fails only where the answer is clearly in another language."""
        found = language_of(answer)
        if found is None or found == self.code:
            return None
        return f"It is in {NAMES[found]}, not in {NAMES[self.code]}."


@dataclass(frozen=True, slots=True)
class Length:
    """How long an answer is, in words (between white space) or characters; None: as long as it likes."""

    least_words: int | None = None
    most_words: int | None = None
    least_characters: int | None = None
    most_characters: int | None = None
    name: str = "length"

    def failure(self, answer: str) -> str | None:
        """The first bound that is missed."""
        text = answer.strip()
        for size, unit, least, most in (
            (len(text.split()), "word", self.least_words, self.most_words),
            (len(text), "character", self.least_characters, self.most_characters),
        ):
            units = unit if size == 1 else f"{unit}s"
            if least is not None and size < least:
                return f"It has {size} {units}; at least {least} are asked for."
            if most is not None and size > most:
                return f"It has {size} {units}; at most {most} are allowed."
        return None


@dataclass(frozen=True, slots=True)
class Required:
    """The answer says each of these phrases, in any case and with any white space: a greeting, a signature."""

    phrases: tuple[str, ...]
    name: str = "required"

    def failure(self, answer: str) -> str | None:
        """Names every phrase that is missing."""
        missing = [phrase for phrase in self.phrases if not says(answer, phrase)]
        return f"It does not say {_quoted(missing)}." if missing else None


@dataclass(frozen=True, slots=True)
class Forbidden:
    """The answer says none of these words or phrases, as whole words: "cheap" does not forbid "cheapest"."""

    phrases: tuple[str, ...]
    name: str = "forbidden"

    def failure(self, answer: str) -> str | None:
        """Names every phrase that is said."""
        said = [phrase for phrase in self.phrases if says(answer, phrase)]
        return f"It says {_quoted(said)}." if said else None


@dataclass(frozen=True, slots=True)
class Written:
    """The answer is written so: words of `curation.style.Style`."""

    styles: tuple[Style, ...]
    name: str = "style"

    def failure(self, answer: str) -> str | None:
        """Names every style it does not keep to."""
        missed = [STYLES[style] for style in self.styles if not keeps_to(style, answer)]
        return f"It does not keep to {_quoted(missed)}." if missed else None


@dataclass(frozen=True, slots=True)
class Schema:
    """The whole answer is JSON of this shape (JSON Schema). A reference outside the schema is never fetched."""

    schema: Mapping[str, Any]
    name: str = "json_schema"

    def failure(self, answer: str) -> str | None:
        """What is not JSON, or the place that has the wrong shape; a value itself is not repeated, it may be personal."""
        validator = _validator(self.schema)
        try:
            value = json.loads(answer, parse_constant=_refuse)
            found = next(iter(validator.iter_errors(value)), None)
        except ValueError as wrong:
            return f"It is not JSON: {wrong}."
        except RecursionError:
            return "It is not JSON that can be read: it is nested too deeply."
        if found is None:
            return None
        return f"It does not have the declared shape: {found.json_path} does not keep to “{found.validator}”."


def declared(checks: Mapping[str, Any]) -> tuple[Check, ...]:
    """The checks of a voice from plain data, in the order of DECLARABLE. Raises ChecksWrong."""
    unknown = [key for key in checks if key not in DECLARABLE]
    if unknown:
        raise ChecksWrong(f"Unknown checks: {_quoted(unknown)}. There are {_quoted(DECLARABLE)}.")
    make = {
        "language": _language,
        "length": _length,
        "required": _required,
        "forbidden": _forbidden,
        "style": _written,
        "json_schema": _schema,
    }
    return tuple(make[key](checks[key]) for key in DECLARABLE if key in checks)


def failures(answer: str, checks: Sequence[Check]) -> tuple[Failure, ...]:
    """Every check the answer does not keep to, in their order; empty where it keeps to all."""
    found = ((check.name, check.failure(answer)) for check in checks)
    return tuple(Failure(name, sentence) for name, sentence in found if sentence is not None)


def says(answer: str, phrase: str) -> bool:
    """Whether `phrase` stands in `answer` as whole words; case, white space and typographic forms of a letter aside."""
    text, wanted = folded(answer), folded(phrase)
    if script_of(wanted) in WITHOUT_SPACES:
        return wanted in text
    # A phrase may begin or end with a sign ("— the Puffin crew", "100 %"), which has no word's end to be looked for.
    before = r"(?<!\w)" if wanted[:1].isalnum() else ""
    after = r"(?!\w)" if wanted[-1:].isalnum() else ""
    return re.search(before + re.escape(wanted) + after, text) is not None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a JSON number")  # Python reads NaN and Infinity; nobody else does


def folded(text: str) -> str:
    """What `says` compares: NFKC, lower case, one kind of apostrophe, single spaces."""
    lower = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(lower.replace("’", "'").split())


def _quoted(phrases: Sequence[str]) -> str:
    return ", ".join(f"“{phrase}”" for phrase in phrases)


def _language(code: object) -> Check:
    if not isinstance(code, str) or code not in NAMES:
        raise ChecksWrong(f"The language {code!r} cannot be checked. Known are {', '.join(NAMES)}.")
    return Language(code)


def _length(bounds: object) -> Check:
    if not isinstance(bounds, Mapping) or not bounds:
        raise ChecksWrong(f"A length wants one or more of {_quoted(LENGTHS)}, such as {{'most_words': 80}}.")
    given = cast(Mapping[object, object], bounds)
    sizes: dict[str, int] = {}
    for key, size in given.items():
        if key not in LENGTHS or not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise ChecksWrong(
                f"A length of {key!r}: {size!r} cannot be used. A whole number for one of {_quoted(LENGTHS)} can."
            )
        sizes[str(key)] = size
    for unit in ("words", "characters"):
        least, most = sizes.get(f"least_{unit}", 0), sizes.get(f"most_{unit}")
        if most is not None and least > most:
            raise ChecksWrong(f"No answer has at least {least} and at most {most} {unit}.")
    least_words, most_words, least_characters, most_characters = map(sizes.get, LENGTHS)
    return Length(least_words, most_words, least_characters, most_characters)


def _phrases(kind: str, phrases: object) -> tuple[str, ...]:
    given = cast(Sequence[object], phrases) if isinstance(phrases, list | tuple) else ()
    texts = tuple(phrase for phrase in given if isinstance(phrase, str) and phrase.strip())
    if not texts or len(texts) != len(given):
        raise ChecksWrong(f"“{kind}” wants a list of words or phrases, none of them empty.")
    return texts


def _required(phrases: object) -> Check:
    return Required(_phrases("required", phrases))


def _forbidden(phrases: object) -> Check:
    return Forbidden(_phrases("forbidden", phrases))


def _written(styles: object) -> Check:
    words = _phrases("style", styles)
    if unknown := [word for word in words if word not in set(Style)]:
        raise ChecksWrong(f"Unknown styles: {_quoted(unknown)}. There are {_quoted(list(Style))}.")
    return Written(tuple(Style(word) for word in words))


def _schema(schema: object) -> Check:
    if not isinstance(schema, Mapping):
        raise ChecksWrong("A JSON schema is an object, such as {'type': 'object', 'required': ['answer']}.")
    shape = cast(Mapping[str, Any], schema)
    outside = sorted(reference for reference in _references(shape) if not reference.startswith("#"))
    if outside:
        raise ChecksWrong(
            f"The JSON schema refers to {_quoted(outside)}; only what it holds itself (“#/$defs/…”) can be used."
        )
    _validator(shape)
    missing = sorted(reference for reference in _references(shape) if not _leads_somewhere(reference, shape))
    if missing:
        raise ChecksWrong(f"The JSON schema refers to {_quoted(missing)}, which it does not hold.")
    return Schema(shape)


def _references(part: object) -> set[str]:
    match part:
        case Mapping():
            items = cast(Mapping[str, object], part)
            own = {
                str(value) for key, value in items.items() if key in ("$ref", "$dynamicRef") and isinstance(value, str)
            }
            return own.union(*(_references(value) for value in items.values()))
        case list():
            return set[str]().union(*(_references(value) for value in cast(list[object], part)))
        case _:
            return set()


def _validator(schema: Mapping[str, Any]) -> Any:
    """jsonschema's validator; with a registry of its own it never goes to the network for a reference."""
    library = _library("jsonschema")
    kind = library.validators.validator_for(schema, default=library.Draft202012Validator)
    try:
        kind.check_schema(schema)
    except library.SchemaError as wrong:
        raise ChecksWrong(f"The JSON schema is itself wrong at {wrong.json_path}: {wrong.message}") from wrong
    return kind(schema, registry=_library("referencing").Registry())


def _leads_somewhere(reference: str, schema: Mapping[str, Any]) -> bool:
    resource = _library("referencing.jsonschema").DRAFT202012.create_resource(schema)
    try:
        _library("referencing").Registry().resolver_with_root(resource).lookup(reference)
    except _library("referencing.exceptions").Unresolvable:
        return False
    return True


def _library(name: str) -> Any:
    """Imported where a voice declares a schema, 0.1 s; as Any, because its own types are unknown in part (jsonschema 4.26)."""
    return import_module(name)
