"""`finetone voice card` prints the card, and decides about a rule by its key."""

from tests.bot.terminal import Terminal


def test_the_card_is_printed_and_an_unknown_rule_is_named(terminal: Terminal):
    shown = terminal.run("voice", "card")
    assert shown.stdout == "# Voice card: practice\n\nApproved corrections show no rule yet.\n"
    refused = terminal.run("voice", "card", "--approve", "forbidden:never")
    assert refused.returncode == 1
    assert "There is no rule 'forbidden:never'." in refused.stderr
