"""The server: granian's workers, forked from one process that has loaded the application once."""

import asyncio
import gc
import importlib

from geo.settings import Settings


def serve(port: int, workers: int) -> None:
    """Serve until told to end; the settings are those of the environment.

    Loading the application is nearly all of a start: a fork shares it, where each worker of its own would load it
    anew, and freezing keeps the shared pages shared.
    """
    from granian import Granian
    from granian.constants import Interfaces, Loops
    from granian.log import LogLevels

    from api.loop import Policy

    # Nothing that is loaded is garbage: collecting it over and over costs a tenth of the start.
    gc.disable()
    importlib.import_module("api.main")
    gc.freeze()
    gc.enable()
    # granian's own choice of uvloop would make uvloop's plain one.
    asyncio.set_event_loop_policy(Policy())
    Granian(
        "api.main:create_gateway",
        factory=True,
        address=Settings().host,
        port=port,
        workers=workers,
        interface=Interfaces.RSGI,
        loop=Loops.asyncio,
        log_level=LogLevels.warning,
        log_access=False,
        websockets=False,
        respawn_failed_workers=True,
    ).serve()
