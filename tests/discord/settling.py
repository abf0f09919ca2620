"""How long a verb waits for the bot: until it is done, or waits for something outside (a model), or sleeps.

simcord by itself waits in real time for any sleep under its timeout, and gives up where a task waits for another task that waits
for something outside (asyncio.wait_for, a queue between them): it cannot see through.
"""

import asyncio
from typing import Any

import simcord

SLICE_S = 0.2  # a sleep longer than this is left for `pass_time`; a bot busy for longer is waited for
IDLE_S = 0.001  # simcord's own 0.05 is what nearly every verb would cost


class Settling:
    """Stands in for an Env's own settling."""

    def __init__(self, env: simcord.Env) -> None:
        self.workers: set[asyncio.Task[Any]] = set()
        self._env = env
        self._strict = env._settle_internal
        env._settle_internal = self.settle  # type: ignore[method-assign]

    async def settle(
        self,
        *,
        timeout: float | None = None,  # noqa: ASYNC109  # simcord's own signature
        idle: float = IDLE_S,  # env.settle passes its own, longer one
        dispatch: str | None = None,
        _deadline: float | None = None,
    ) -> None:
        """Raises TimeoutError if the bot is busy to the end, with what it is at."""
        now = asyncio.get_running_loop().time
        whole_s = self._env.settle_timeout if timeout is None else timeout
        deadline = now() + whole_s if _deadline is None else _deadline
        while True:
            until = min(deadline, now() + SLICE_S)
            try:
                return await self._strict(timeout=whole_s, idle=IDLE_S, dispatch=dispatch, _deadline=until)
            except TimeoutError:
                if self._env._work.external_waits.keys() - self.workers:
                    return None
                if until >= deadline:
                    raise
