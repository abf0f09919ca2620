"""What a driver needs of the client that talks HTTP: one request to a route of the vendor's own."""

from collections.abc import Mapping
from typing import Any, Protocol, cast


class Wire(Protocol):
    """A vendor's address and key; OpenAIProvider is one."""

    async def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        doing: str,
        creating: bool = False,
        key: str | None = None,
        file: tuple[str, bytes] | None = None,
    ) -> dict[str, Any]:
        """The JSON object that `method path` gives; a list comes as {"data": […]}. Raises ProviderError."""
        ...


def items(answer: Mapping[str, Any], *names: str) -> list[dict[str, Any]]:
    """The objects of a list, under the first of `names` that the answer has; [] where it has none."""
    for name in names or ("data",):
        found = answer.get(name)
        if isinstance(found, list):
            return [cast(dict[str, Any], item) for item in cast(list[Any], found) if isinstance(item, dict)]
    return []
