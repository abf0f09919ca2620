"""`finetone learning` as a person types it."""

from tests.bot.terminal import Terminal

ELSEWHERE = {"FINETONE_API_URL": "http://127.0.0.1:9/v1", "FINETONE_BASE_MODEL": "base"}


def test_before_a_run_it_says_what_will_appear_and_what_is_not_known(terminal: Terminal):
    terminal.environment = ELSEWHERE
    folder = terminal.folder / "plots"
    said = terminal.run("learning", "--plots", str(folder)).stdout
    assert said.startswith("# What ")
    assert "No model was asked yet what it learned." in said
    assert "No run may start now. 0 approved examples, at least 18 needed" in said
    assert list(folder.iterdir()) == []
