"""Whatever moderators do to corrections, in any order: what the store says is what a few lines of Python say."""

import asyncio
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from storage.errors import AlreadyDecided
from storage.records import CorrectionState
from storage.store import open_store
from tests.conftest import Clock
from tests.storage.scenes import a_proposal, a_reply, a_scene

PROPOSED, APPROVED = CorrectionState.PROPOSED, CorrectionState.APPROVED


@dataclass
class Expected:
    """What a correction should be by now."""

    reply_id: str | None
    text: str
    state: CorrectionState = PROPOSED


class Corrections(RuleBasedStateMachine):
    proposals = Bundle("proposals")
    migrated_sqlite_file: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.loop = asyncio.Runner()
        self.expected: dict[str, Expected] = {}
        self.approvals = 0
        path = Path(self.folder.name) / "app.sqlite"
        shutil.copy(self.migrated_sqlite_file, path)
        self.store = self.loop.run(open_store(f"sqlite:///{path}"))
        self.scene = self.loop.run(a_scene(self.store, Clock()))
        self.replies = [self.loop.run(a_reply(self.scene, key)) for key in ("one", "two")]

    def teardown(self) -> None:
        audited = [entry.verb for entry in self.loop.run(self.store.audit.entries(999))]
        assert audited.count("approve") == self.approvals
        self.loop.run(self.store.close())
        self.loop.close()
        self.folder.cleanup()

    @rule(target=proposals, reply=st.sampled_from([0, 1]))
    def correct_a_reply(self, reply: int) -> str:
        return self._propose(reply=self.replies[reply])

    @rule(target=proposals, line=st.integers(0, 3))
    def import_a_line(self, line: int) -> Any:
        return self._propose(origin=f"import:faq.csv:{line}") or multiple()

    def _propose(self, **options: Any) -> str | None:
        proposal = a_proposal(self.scene, **options)
        saved, is_new = self.loop.run(self.store.corrections.propose(proposal))
        assert is_new == (saved.id not in self.expected)
        if is_new:
            self.expected[saved.id] = Expected(saved.reply_id, saved.corrected_text)
        return saved.id if is_new else None

    @rule(id=proposals, state=st.sampled_from([APPROVED, CorrectionState.REJECTED, CorrectionState.RETRACTED]))
    def decide(self, id: str, state: CorrectionState) -> None:
        decision = self.store.corrections.decide(id, state, self.scene.moderator.id, "", at=self.scene.clock())
        if self.expected[id].state is not PROPOSED:
            with pytest.raises(AlreadyDecided):
                self.loop.run(decision)
            return
        self.loop.run(decision)
        self._expect(id, state)

    @rule(ids=st.lists(consumes(proposals), max_size=4))
    def approve_many(self, ids: list[str]) -> None:
        open_ids = sorted(id for id in set(ids) if self.expected[id].state is PROPOSED)
        approval = self.store.corrections.approve_many(ids, self.scene.moderator.id, "", at=self.scene.clock())
        assert self.loop.run(approval) == len(open_ids)
        for id in open_ids:
            self._expect(id, APPROVED)

    def _expect(self, id: str, state: CorrectionState) -> None:
        decided = self.expected[id]
        if state is APPROVED:
            self.approvals += 1
            for other in self.expected.values():
                if other.state is APPROVED and other.reply_id is not None and other.reply_id == decided.reply_id:
                    other.state = CorrectionState.SUPERSEDED
        decided.state = state

    @rule(id=proposals, text=st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=20))
    def reword(self, id: str, text: str) -> None:
        edit = self.store.corrections.edit_text(id, text, self.scene.moderator.id, at=self.scene.clock())
        if self.expected[id].state is not PROPOSED:
            with pytest.raises(AlreadyDecided):
                self.loop.run(edit)
            return
        self.expected[id].text = self.loop.run(edit).corrected_text
        assert self.expected[id].text == text

    @invariant()
    def the_store_says_what_is_expected(self) -> None:
        listing = self.store.corrections.list(self.scene.voice.id, CorrectionState, limit=999)
        found = {each.id: Expected(each.reply_id, each.corrected_text, each.state) for each in self.loop.run(listing)}
        assert found == self.expected


def test_corrections_obey_their_states_in_any_order(migrated_sqlite_file: Path) -> None:
    Corrections.migrated_sqlite_file = migrated_sqlite_file
    run_state_machine_as_test(
        Corrections,
        settings=settings(
            max_examples=12,
            stateful_step_count=15,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
