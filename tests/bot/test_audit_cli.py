"""`finetone audit verify` as an auditor types it."""

import re
import sqlite3

from tests.bot.terminal import Terminal


def test_an_auditor_keeps_a_head_and_learns_later_that_an_entry_was_changed(terminal: Terminal):
    terminal.environment = {"FINETONE_API_URL": "http://127.0.0.1:9/v1", "FINETONE_BASE_MODEL": "smol-135m"}
    whole = terminal.run("audit", "verify")
    assert whole.returncode == 0
    (head,) = re.findall(r"^Head: ([0-9a-f]{64})$", whole.stdout, re.MULTILINE)
    assert "none changed, none missing." in terminal.run("audit", "verify", "--head", head.upper()).stdout
    with sqlite3.connect(terminal.folder / "data" / "app.sqlite") as database:
        database.execute("DROP TRIGGER audit_refuses_update")
        database.execute("UPDATE audit SET actor_id = 'actor_finetone', verb = 'approve' WHERE verb = 'set_voice'")
    changed = terminal.run("audit", "verify", "--head", head)
    assert changed.returncode == 1
    assert re.search(r"Entry \d+ \(approve\) is not what was sealed, or its seal was changed\.", changed.stdout)
    elsewhere = terminal.run("audit", "verify", "--head", "0" * 63 + "1")
    assert "is not in the chain: what it sealed was cut off or replaced." in elsewhere.stdout
