"""Pure: JSON of unknown shape, read without surprises."""

from collections.abc import Mapping
from typing import Any, cast


def object_in(value: Any) -> Mapping[str, Any]:
    """The value, where it is an object; an empty one else."""
    return cast(Mapping[str, Any], value) if isinstance(value, Mapping) else {}


def list_in(value: Any) -> list[Any]:
    """The value, where it is a list; an empty one else."""
    return cast(list[Any], value) if isinstance(value, list) else []


def objects_in(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list; what else stands in it is passed over."""
    return [object_in(item) for item in list_in(value) if isinstance(item, Mapping)]
