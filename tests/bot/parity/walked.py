"""Which verbs were walked through while something ran, and which verbs there are."""

import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FunctionType, ModuleType
from typing import Any

Verbs = Mapping[str, FunctionType]


def verbs_of(*modules: ModuleType) -> dict[str, FunctionType]:
    """The public coroutines a module, or a package in its own modules, defines: "verbs.approve"."""
    return {
        f"{module.__name__.rpartition('.')[2]}.{name}": thing
        for module in modules
        for name, thing in vars(module).items()
        if inspect.iscoroutinefunction(thing)
        and f"{thing.__module__}.".startswith(f"{module.__name__}.")
        and not name.startswith("_")
    }


@contextmanager
def watched(verbs: Verbs) -> Iterator[set[str]]:
    """The names of the verbs that are called in this block, however they were imported: their code is exchanged for the time."""
    seen: set[str] = set()
    kept = {name: verb.__code__ for name, verb in verbs.items()}
    for name, verb in verbs.items():
        original = FunctionType(verb.__code__, verb.__globals__, name, verb.__defaults__, verb.__closure__)
        original.__kwdefaults__ = verb.__kwdefaults__
        hook = f"_watched_{name.replace('.', '_')}"
        verb.__globals__[hook] = _noting(seen, name, original)
        made: dict[str, Any] = {}
        exec(f"async def shim(*args, **more):\n    return await {hook}(*args, **more)", made)
        verb.__code__ = made["shim"].__code__
    try:
        yield seen
    finally:
        for name, verb in verbs.items():
            verb.__code__ = kept[name]
            del verb.__globals__[f"_watched_{name.replace('.', '_')}"]


def _noting(seen: set[str], name: str, verb: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    def noted(*args: Any, **more: Any) -> Awaitable[Any]:
        seen.add(name)
        return verb(*args, **more)

    return noted


def not_walked(verbs: Verbs, seen: set[str], left_out: Mapping[str, str]) -> list[str]:
    """What is wrong: verbs nobody reached that should be, and reasons for not reaching one that was reached or is none."""
    missing = [f"{name} is not reached" for name in sorted(verbs.keys() - seen - left_out.keys())]
    stale = [f"{name} is reached, so its reason can go" for name in sorted(left_out.keys() & seen)]
    return missing + stale + [f"{name} is no verb" for name in sorted(left_out.keys() - verbs.keys())]
