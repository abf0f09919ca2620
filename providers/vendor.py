"""A vendor put together from its row: who answers, who trains, who serves what was trained, who knows when models end."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

from providers.base import Chunk, Host, Message, Sampling, Trainer
from providers.hosting import AtOnce, Azure, ByHand, Crusoe, Nebius, Together
from providers.openai_api import OpenAIProvider
from providers.rows import Hosting, Quirks
from providers.together import TogetherTrainer


@dataclass(frozen=True, slots=True)
class Vendor:
    """The halves of one vendor, over one client; itself the half that answers. Close it with `aclose()`."""

    row: Quirks
    client: OpenAIProvider
    trainer: Trainer
    host: Host

    def stream(self, model: str, messages: Sequence[Message], sampling: Sampling) -> AsyncGenerator[Chunk]:
        """As ChatModel says."""
        return self.client.stream(model, messages, sampling)

    async def model_names(self) -> frozenset[str]:
        """As ChatModel says."""
        return await self.client.model_names()

    async def score(self, model: str, messages: Sequence[Message], answer: str) -> float:
        """As Scores says."""
        return await self.client.score(model, messages, answer)

    async def shutdown_dates(self) -> Mapping[str, date]:
        """As Catalogue says."""
        return await self.client.shutdown_dates()

    def move_to(self, base_url: str) -> None:
        """Use another address from the next call on."""
        self.client.move_to(base_url)

    async def aclose(self) -> None:
        """Close the connections."""
        await self.client.aclose()


@dataclass(frozen=True, slots=True)
class Access:
    """How a vendor is reached. `hosting` names what to deploy on (rows.Quirks.hosting_needs), `hosting_key` is for that alone."""

    key: str
    url: str = ""  # "": the vendor's own
    hosting: str = ""
    hosting_key: str = ""


def open_vendor(row: Quirks, access: Access) -> Vendor:
    """Connect to nothing yet; every call opens what it needs."""
    base_url = access.url or row.base_url
    chat_url = None if access.url else row.chat_url
    client = OpenAIProvider(base_url, access.key, row, chat_url)
    trainer: Trainer = client if row.is_openai_shaped else TogetherTrainer(client, row)
    return Vendor(row, client, trainer, _host(row, access, client, base_url))


def _host(row: Quirks, access: Access, client: OpenAIProvider, base_url: str | None) -> Host:
    lacks = bool(row.hosting_needs) and not (access.hosting and (access.hosting_key or not row.hosting_needs_key))
    if lacks:
        return ByHand(client, row)
    match row.hosting:
        case Hosting.AT_ONCE:
            return AtOnce(client)
        case Hosting.NEBIUS:
            parts = urlsplit(base_url or "")
            return Nebius(client, f"{parts.scheme}://{parts.netloc}")
        case Hosting.AZURE:
            return Azure(client, access.hosting, access.hosting_key)
        case Hosting.CRUSOE:
            return Crusoe(client, access.hosting)
        case Hosting.TOGETHER:
            return Together(client, access.hosting)
