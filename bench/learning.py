"""What corrections bring: so many of them, by each way there is to make them count, on brands whose voice nobody tells the model.

Every cell (brand, seed, number of corrections, way) is appended to a file when it is done, and not measured again: a run of many
hours may be stopped at any time, and goes on where it was. `--quick` is one small cell of each way that needs no training.
"""

import argparse
import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from itertools import product
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from bench.learning_brands import BRANDS, Brand, Group, Question, asked_of, corrections, read_brand
from bench.learning_plot import plot
from bench.learning_ways import (
    BASE,
    RECALLS,
    TRAINED,
    Bench,
    House,
    Said,
    Trained,
    Way,
    a_house,
    answers,
    line,
    trained,
)
from bench.report import Promise, arguments, finish
from bot.embedded import EmbeddedTuner, prepare_weights
from bot.retrieving import retriever
from bot.settings import load_settings
from curation.dataset import TooFewExamples
from curation.evidence import wilson
from curation.suites import Asked, Case, case_score, shipped_cases
from providers.openai_api import OpenAIProvider
from providers.quirks import TUNER
from providers.tokens import token_counter
from storage.records import Message, Suite

COUNTS = (0, 10, 25, 50, 100)
SEEDS = (1, 2, 3)
PROMISED_AT = 50
MOST = 50  # corrected questions that are asked again; half as many of each other group
MIX = ("replay", "off topic")  # what may be trained on beside the corrections; a row names the shares that are not 0
LEARNING = (Group.CORRECTED, Group.NEAR, Group.FAR, Group.UNSEEN)


def main() -> None:
    """Measure what is not measured yet, then print the table of all that is."""
    logging.getLogger().setLevel(logging.WARNING)
    options = _options()
    options.home.mkdir(parents=True, exist_ok=True)
    results = options.results or options.home / "cells.jsonl"
    asyncio.run(_measure(options, results))
    cells = _rows(results)
    if options.plot is not None:
        options.plot.write_text(plot(table(cells)), "utf-8")
    finish("learning", promises(cells), table(cells), options.json)


def _options() -> argparse.Namespace:
    parser = arguments(__doc__ or "")
    parser.add_argument(
        "--home", type=Path, default=Path("data/bench-learning"), help="keeps models, databases, results"
    )
    parser.add_argument("--results", type=Path, help="the file of cells; in the home by default")
    parser.add_argument("--brands", nargs="+", default=list(BRANDS), choices=list(BRANDS))
    parser.add_argument("--counts", nargs="+", type=int, default=list(COUNTS), help="numbers of corrections")
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--ways", nargs="+", type=Way, default=list(Way), choices=list(Way))
    parser.add_argument("--most", type=int, default=MOST, help="corrected questions that are asked again")
    shipped = load_settings(env_file=None)
    parser.add_argument(
        "--replay", type=float, default=shipped.replay, help="share of general examples in training (FINETONE_REPLAY)"
    )
    parser.add_argument(
        "--off-topic",
        type=float,
        default=shipped.off_topic,
        help="share of off-topic lines in as-served training (FINETONE_OFF_TOPIC)",
    )
    parser.add_argument("--plot", type=Path, help="write a plot of the table, as SVG")
    options = parser.parse_args()
    if options.quick:
        options.brands, options.counts, options.seeds, options.most = options.brands[:1], [2], [1], 2
        options.ways = [Way.CACHE, Way.RECALL]
    return options


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(row) for row in path.read_text("utf-8").splitlines()] if path.exists() else []


def _append(path: Path, rows: Iterable[object]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.writelines(line(row) for row in rows)


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["brand"], row["seed"], row["corrections"], row["way"], row["most"], *_mix(row)


def _mix(row: Mapping[str, Any]) -> tuple[float, float]:
    """The shares of general and of off-topic lines that were trained on beside the corrections."""
    return row.get(MIX[0], 0.0), row.get(MIX[1], 0.0)


def _mixed(replay: float, off_topic: float, way: Way) -> dict[str, float]:
    """What of these shares a way is trained beside, as a row says it: only what is not 0."""
    is_as_served, methods = TRAINED.get(way, (False, ()))
    shares = (replay if methods else 0.0, off_topic if is_as_served else 0.0)
    return {name: share for name, share in zip(MIX, shares, strict=True) if share}


# ---------------------------------------------------------------- measuring


async def _measure(options: argparse.Namespace, results: Path) -> None:
    """The cells that the file has not, each appended when it is done; so are the models, which several cells may share."""
    made = options.home / "models.jsonl"  # they lie in the home, so what is kept of them does too
    done = {_key(row) for row in _rows(results)}
    models = {row["made_of"]: Trained(**row["model"]) for row in _rows(made)}
    wanted = [
        (brand, seed, count, way)
        for brand, seed, count, way in product(options.brands, options.seeds, options.counts, options.ways)
        if (brand, seed, count, way, options.most, *_mix(_mixed(options.replay, options.off_topic, way))) not in done
    ]
    if not wanted:
        return
    async with AsyncExitStack() as stack:
        bench = await _bench(options, stack)
        for brand, seed, count in dict.fromkeys(cell[:3] for cell in wanted):
            async with a_house(bench, read_brand(brand), seed, count) as house:
                for way in (cell[3] for cell in wanted if cell[:3] == (brand, seed, count)):
                    known = set(models)
                    row = await _cell(house, way, models, options)
                    _append(
                        made, ({"made_of": key, "model": asdict(models[key])} for key in models if key not in known)
                    )
                    _append(results, (row,))
                    print(f"{brand} {seed}: {count} corrections, {way}: {_short(row)}", flush=True)


async def _bench(options: argparse.Namespace, stack: AsyncExitStack) -> Bench:
    """The embedded tuner on this home, and what asks it."""
    home: Path = options.home
    settings = load_settings(env_file=None, data_dir=home, replay=options.replay, off_topic=options.off_topic)
    weights = await prepare_weights(home / "tuner", "", print)
    provider = OpenAIProvider("http://127.0.0.1:9/v1", "embedded", TUNER)
    stack.push_async_callback(provider.aclose)
    await stack.enter_async_context(EmbeddedTuner(home / "tuner", "", provider.move_to))
    counter = token_counter(BASE, weights.tokenizer_file, home / "tiktoken")
    return Bench(home, settings, provider, provider, counter.count_messages, retriever(settings))


async def _cell(house: House, way: Way, models: dict[str, Trained], options: argparse.Namespace) -> dict[str, Any]:
    """One cell of the table, question by question; or why there is none."""
    taught = house.taught or corrections(house.brand, house.seed, PROMISED_AT)
    row: dict[str, Any] = {
        "brand": house.brand.name,
        "seed": house.seed,
        "corrections": len(house.taught),
        "way": way,
        "most": options.most,
        **_mixed(options.replay, options.off_topic, way),
    }
    try:
        made = await trained(house, way, models) if way in TRAINED else None
        questions = asked_of(house.brand, house.seed, taught, options.most)
        said = await answers(house, way, questions, made)
    except TooFewExamples as refused:
        return {**row, "refused": str(refused)}
    name = BASE if made is None else made.name
    general = await _general(house.bench, name, house.brand)
    return {
        **row,
        "shape": house.bench.press(as_served=True).shape if way in RECALLS else "chat-1",
        "training_s": 0.0 if made is None else made.seconds,
        "general answers": general,
        "answers": [_judged(house.brand, *each) for each in zip(questions, said, strict=True)],
    }


def _judged(brand: Brand, question: Question, said: Said) -> dict[str, Any]:
    is_right = question.fact is not None and brand.is_right(said.text, question.fact)
    return {
        "group": question.group,
        "question": question.text,
        "answer": said.text,
        "right": is_right,
        "tone": brand.kept_tones(said.text),
        "false": question.fact is None and brand.states_a_fact(said.text),
        "prompt_tokens": said.prompt_tokens,
        "seconds": said.seconds,
    }


async def _general(bench: Bench, model: str, brand: Brand) -> list[dict[str, Any]]:
    """Answers to the shipped general suite, asked without any fix, with their scores in [0, 1]."""
    cases = shipped_cases(Suite.GENERAL)
    gate = asyncio.Semaphore(4)

    async def one(case: Case) -> dict[str, Any]:
        async with gate:
            messages = [Message("system", brand.prompt), Message("user", case.question)]
            chunks = [chunk.text async for chunk in bench.chat_model.stream(model, messages, bench.sampling)]
        answer = "".join(chunks)
        score = case_score(answer, case.rules, Asked(brand.prompt, case.question, ""))
        return {"question": case.question, "answer": answer, "score": score}

    return await asyncio.gather(*(one(case) for case in cases))


# ---------------------------------------------------------------- telling


def _short(row: Mapping[str, Any]) -> str:
    if "refused" in row:
        return row["refused"]
    shares = {group: _share(_of(row, group)) for group in LEARNING}
    return ", ".join(f"{group} {share:.2f}" for group, share in shares.items() if share is not None)


def _of(row: Mapping[str, Any], group: Group) -> list[dict[str, Any]]:
    return [answer for answer in row["answers"] if answer["group"] == group]


def _share(answered: Sequence[Mapping[str, Any]], what: str = "right") -> float | None:
    return fmean(bool(answer[what]) for answer in answered) if answered else None


def table(cells: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row for each number of corrections and way, over all brands and seeds, shares with Wilson's 95 % interval."""
    by_row: dict[tuple[int, str, tuple[float, float]], list[Mapping[str, Any]]] = defaultdict(list)
    for cell in cells:
        by_row[cell["corrections"], cell["way"], _mix(cell)].append(cell)
    order = {way: place for place, way in enumerate(Way)}
    return [
        {"corrections": count, "way": way, **{name: share for name, share in zip(MIX, mix, strict=True) if share}}
        | _columns(measured, cells)
        for (count, way, mix), those in sorted(by_row.items(), key=lambda each: (each[0][0], order[Way(each[0][1])]))
        if (measured := [cell for cell in those if "refused" not in cell])
    ]


def _columns(measured: Sequence[Mapping[str, Any]], cells: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    answered = [answer for cell in measured for answer in cell["answers"]]
    groups = {group: [answer for answer in answered if answer["group"] == group] for group in Group}
    found: dict[str, Any] = {"cells": len(measured)}
    for group in LEARNING:
        found |= _with_interval(str(group), groups[group], "right")
    found |= _with_interval("paraphrases", groups[Group.NEAR] + groups[Group.FAR], "right")
    found |= _with_interval("false facts", groups[Group.OFF_TOPIC], "false")
    found["tone"] = round(fmean(answer["tone"] for answer in answered if answer["group"] != Group.OFF_TOPIC), 3)
    found["un-learned"] = _unlearned(measured, cells)
    found |= _general_loss(measured, cells)
    found["prompt tokens"] = round(fmean(answer["prompt_tokens"] for answer in answered), 1)
    found["training s"] = round(fmean(cell["training_s"] for cell in measured), 1)
    found["first fixed s"] = _first_fixed(measured)
    return found


def _with_interval(name: str, answered: Sequence[Mapping[str, Any]], what: str) -> dict[str, Any]:
    if not answered:
        return {name: None}
    hits = sum(bool(answer[what]) for answer in answered)
    interval = wilson(hits, len(answered))
    return {name: round(hits / len(answered), 3), f"{name} 95%": [round(interval.low, 3), round(interval.high, 3)]}


def _before(cell: Mapping[str, Any], cells: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The same with the next smaller number of corrections, whose questions were corrected in both."""
    same = [
        other
        for other in cells
        if (other["brand"], other["seed"], other["way"]) == (cell["brand"], cell["seed"], cell["way"])
        and _mix(other) == _mix(cell)
        and 0 < other["corrections"] < cell["corrections"]
        and "refused" not in other
    ]
    return max(same, key=lambda other: other["corrections"], default=None)


def _unlearned(measured: Sequence[Mapping[str, Any]], cells: Sequence[Mapping[str, Any]]) -> float | None:
    """Of corrected questions that were right with fewer corrections and were asked again: the share that is wrong now."""
    pairs: list[bool] = []
    for cell in measured:
        if (earlier := _before(cell, cells)) is not None:
            now = {answer["question"]: answer["right"] for answer in _of(cell, Group.CORRECTED)}
            right = [answer["question"] for answer in _of(earlier, Group.CORRECTED) if answer["right"]]
            pairs += [not now[question] for question in right if question in now]
    return round(fmean(pairs), 3) if pairs else None


def _general_loss(measured: Sequence[Mapping[str, Any]], cells: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How much lower each case of the general suite is scored than the base's answer to it, in points of [0, 1]."""
    base = {
        (cell["brand"], case["question"]): case["score"]
        for cell in cells
        if cell["way"] == Way.NOTHING
        for case in cell["general answers"]
    }
    lost = [
        base[key] - case["score"]
        for cell in measured
        for case in cell["general answers"]
        if (key := (cell["brand"], case["question"])) in base
    ]
    if len(lost) < 2:
        return {"general loss": None}
    mean, half = fmean(lost), 1.96 * stdev(lost) / len(lost) ** 0.5
    return {"general loss": round(mean, 3), "general loss 95%": [round(mean - half, 3), round(mean + half, 3)]}


def _first_fixed(measured: Sequence[Mapping[str, Any]]) -> float | None:
    """Seconds from the approval to a right answer to the corrected question: training where there is any, and one reply."""
    times = [
        cell["training_s"] + fmean(right)
        for cell in measured
        if (right := [answer["seconds"] for answer in _of(cell, Group.CORRECTED) if answer["right"]])
    ]
    return round(fmean(times), 2) if times else None


def promises(cells: Sequence[Mapping[str, Any]]) -> list[Promise]:
    """What is promised of the shipped way with fifty corrections; none where that is not measured yet."""
    shipped = [
        cell for cell in cells if cell["corrections"] == PROMISED_AT and "refused" not in cell and _is_shipped(cell)
    ]
    ours = [cell for cell in shipped if cell["way"] == Way.AS_SERVED]
    return list(_promises(ours, shipped, cells)) if ours else []


def _is_shipped(row: Mapping[str, Any]) -> bool:
    return _mix(row) == _mix(beside_by_default(Way(row["way"])))


def beside_by_default(way: Way) -> dict[str, float]:
    """What the way is trained beside unless somebody says otherwise, as a row says it."""
    settings = load_settings(env_file=None)
    return _mixed(settings.replay, settings.off_topic, way)


def _promises(
    ours: Sequence[Mapping[str, Any]], shipped: Sequence[Mapping[str, Any]], cells: Sequence[Mapping[str, Any]]
) -> Iterator[Promise]:
    row = _columns(ours, cells)
    for name, least in (("corrected", 0.95), ("paraphrases", 0.75), ("unseen", 0.6), ("tone", 0.95)):
        yield Promise(f"{name}, as shipped, 50 corrections", row[name], least, "higher")
    for name, most in (("false facts", 0.05), ("un-learned", 0.02), ("general loss", 0.02)):
        if row[name] is not None:
            yield Promise(f"{name}, as shipped, 50 corrections", row[name], most, "lower")
    for way in Way:
        theirs = [cell for cell in shipped if cell["way"] == way]
        if way not in (Way.AS_SERVED, Way.WEIGHTS) and (lead := _lead(ours, theirs, cells)) is not None:
            yield Promise(f"lead over {way}, where both are measured", round(lead, 3), 0.0, "higher")


def _lead(
    ours: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]], cells: Sequence[Mapping[str, Any]]
) -> float | None:
    """How far ours is ahead on the brands and seeds that both have; None where there are none, or they state more false facts."""
    places = {_place(cell) for cell in ours} & {_place(cell) for cell in theirs}
    if not places:
        return None
    us, them = (_columns([cell for cell in each if _place(cell) in places], cells) for each in (ours, theirs))
    return _mean(us) - _mean(them) if them["false facts"] <= us["false facts"] else None


def _place(cell: Mapping[str, Any]) -> tuple[str, int]:
    return cell["brand"], cell["seed"]


def _mean(row: Mapping[str, Any]) -> float:
    return fmean((row["corrected"], row["paraphrases"], row["unseen"]))


if __name__ == "__main__":
    main()
