"""The store: everything Finetone remembers, one attribute per noun. Records go in and out, rows never do."""

import asyncio
from types import TracebackType
from typing import Self

from storage.alarms import Alarms
from storage.audit import Audit
from storage.blind_pairs import BlindPairs
from storage.channels import Channels
from storage.conversations import Conversations
from storage.corrections import Corrections
from storage.database import Database, parse_url
from storage.datasets import Datasets
from storage.disputes import Disputes
from storage.doubts import Doubts
from storage.erasing import Erasures
from storage.feedback import FeedbackGiven
from storage.hand_overs import HandOvers
from storage.holds import Holds
from storage.inbox import Inbox
from storage.installations import Installations
from storage.learned import LearnedCorrections
from storage.migrate import migrate
from storage.models import Models
from storage.people import People
from storage.postings import Postings
from storage.releases import Releases
from storage.reviews import Reviews
from storage.runs import Runs
from storage.seals import Seals
from storage.upkeep import Upkeep
from storage.voice_rules import VoiceRules
from storage.voices import Voices
from storage.votes import Votes


async def open_store(database_url: str) -> "Store":
    """Bring the database to the newest schema (creating a SQLite file and its folder), then open it.

    `sqlite+aiosqlite:///data/app.sqlite` or `postgresql+psycopg://user@host/name`. Raises DatabaseUnavailable.
    """
    url = parse_url(database_url)
    await asyncio.to_thread(migrate, url)
    return Store(Database(url))


class Store:
    """The nouns' stores over one database. Each method of theirs is one short transaction; time is passed in."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.people = People(database)
        self.voices = Voices(database)
        self.conversations = Conversations(database)
        self.feedback = FeedbackGiven(database)
        self.votes = Votes(database)
        self.corrections = Corrections(database)
        self.reviews = Reviews(database)
        self.datasets = Datasets(database)
        self.runs = Runs(database)
        self.releases = Releases(database)
        self.models = Models(database)
        self.audit = Audit(database)
        self.alarms = Alarms(database)
        self.seals = Seals(database)
        self.inbox = Inbox(database)
        self.postings = Postings(database)
        self.channels = Channels(database)
        self.hand_overs = HandOvers(database)
        self.installations = Installations(database)
        self.erasures = Erasures(database)
        self.disputes = Disputes(database)
        self.holds = Holds(database)
        self.doubts = Doubts(database)
        self.blind_pairs = BlindPairs(database)
        self.voice_rules = VoiceRules(database)
        self.learned = LearnedCorrections(database)
        self.upkeep = Upkeep(database)

    async def close(self) -> None:
        """Close every connection; the store is of no use afterwards."""
        await self._database.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
