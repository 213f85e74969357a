"""A process that does one action and is killed after a step of it."""

import asyncio
import os
import signal
import subprocess
import sys

from cases.desk import Desk
from geo.settings import Settings
from tests.cases.region import APPLICANT, OFFICER, act, writer_of


def killed(settings: Settings, action: str, case: int, step: str) -> int:
    """Do an action in a process that dies after a step; returns how it ended, -9 where it was killed."""
    env = os.environ | {
        "MEZHA_DATABASE_URL": settings.database_url,
        "MEZHA_REGISTRAR_DATABASE_URL": settings.registrar_database_url,
        "MEZHA_REGION": "54",
        "MEZHA_HOME": str(settings.home),
    }
    command = [sys.executable, "-m", "tests.cases.kill", action, str(case), step]
    return subprocess.run(command, env=env, capture_output=True, timeout=120, check=False).returncode


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
