"""A process that does one action and is killed after a step of it: run by the tests, never imported."""

import asyncio
import os
import signal
import sys

from cases.desk import Desk
from geo.settings import Settings
from tests.cases.region import APPLICANT, OFFICER, act, writer_of


async def main(action: str, case: int, step: str) -> None:
    """Do the action; die without a word after the step."""

    def after(done: str) -> None:
        if done == step:
            os.kill(os.getpid(), signal.SIGKILL)

    settings = Settings()
    actor = APPLICANT if action == "submit" else OFFICER
    await act(writer_of(settings), Desk.of(settings, after=after), actor, action, case)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
