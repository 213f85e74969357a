"""The clock: what happens to cases when nobody acts; run by the worker."""

import structlog

from cases import record, service, terms
from cases.desk import CLOCK, Desk
from cases.lifecycle import Role, move
from geo.db import Database
from geo.errors import MezhaError
from geo.settings import Settings

log = structlog.get_logger("clock")


async def lapse_overdue(settings: Settings) -> list[int]:
    """End the terms that have passed, each in a transaction of its own; returns the cases that lapsed."""
    writer = Database(settings, role="registrar")
    desk = Desk.of(settings)
    try:
        return await lapsed(writer, desk)
    finally:
        await writer.engine.dispose()


async def lapsed(writer: Database, desk: Desk) -> list[int]:
    """`lapse_overdue` over connections that are there already."""
    async with writer.transaction(CLOCK.caller) as connection:
        waiting = await terms.overdue(connection, desk.today())
    done = []
    for row in waiting:
        try:
            async with writer.transaction(CLOCK.caller) as connection:
                case = await record.load(connection, row["case_id"], lock=True)
                definition = await record.definition_of(connection, desk, case)
                wanted = terms.lapsing(definition, row["term"])
                if wanted and move(case.state, wanted, Role.system, definition.actions):
                    await service.lapse(connection, desk, CLOCK, case.id)
                    done.append(case.id)
        except MezhaError as err:
            log.warning("a term did not lapse", case=row["case_id"], code=err.code)
    return done
