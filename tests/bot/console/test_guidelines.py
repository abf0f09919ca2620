"""Guidelines: a little Markdown as records, and the sentence of each reason."""

import pytest

from bot.console.guidelines import Block, Guidelines, Run, parse
from storage.records import Judgement


def said(guidelines: Guidelines, reason: Judgement) -> str:
    return "".join(run.text for run in guidelines.sentences.get(reason, ()))


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        pytest.param("", (), id="nothing"),
        pytest.param("One\ntwo", (Block("text", ((Run("text", "One two"),),)),), id="a paragraph over two lines"),
        pytest.param("## Tone ##", (Block("heading", ((Run("text", "Tone"),),)),), id="a heading"),
        pytest.param(
            "- a\n  b\n2. c\n\nd",
            (
                Block("list", ((Run("text", "a b"),), (Run("text", "c"),))),
                Block("text", ((Run("text", "d"),),)),
            ),
            id="a list, then a paragraph",
        ),
        pytest.param(
            "**b** *e* `c` [w](https://a.example/x)",
            (
                Block(
                    "text",
                    (
                        (
                            Run("strong", "b"),
                            Run("text", " "),
                            Run("em", "e"),
                            Run("text", " "),
                            Run("code", "c"),
                            Run("text", " "),
                            Run("link", "w", "https://a.example/x"),
                        ),
                    ),
                ),
            ),
            id="what stands in a line",
        ),
    ],
)
def test_the_blocks_of_a_text(text: str, blocks: tuple[Block, ...]):
    assert parse(text).blocks == blocks


@pytest.mark.parametrize(
    "text", ["[w](javascript:alert(1))", "[w](http://a.example)", "<b>x</b>", "2 * 3 * 4", "**open"]
)
def test_what_is_no_markdown_of_ours_stays_as_it_is_written(text: str):
    assert parse(text).blocks == (Block("text", ((Run("text", text),),)),)


@pytest.mark.parametrize(
    ("heading", "reason"),
    [("Not how we sound", Judgement.TONE), ("TONE", Judgement.TONE), ("off topic", Judgement.OFF_TOPIC)],
)
def test_the_sentence_of_a_reason_stands_first_below_its_name(heading: str, reason: Judgement):
    assert said(parse(f"# {heading}\nSay *we*. Then more."), reason) == "Say we."
    assert said(parse(f"# {heading}\nNo full stop"), reason) == "No full stop"
    assert said(parse(f"# {heading}\nAt 1.5 km. Then more."), reason) == "At 1.5 km."
    assert parse(f"# {heading}\n# Another\nText.").sentences == {}
    assert parse("# Prices\nText.").sentences == {}
