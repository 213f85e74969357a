"""The worker: the tasks of every room, composed here and run by procrastinate."""

import asyncio

import structlog
from procrastinate import App, PsycopgConnector

from accounts import mail, notices
from accounts.roots import folder, seal_yesterday
from api import newsboy, surveyor
from cases import boundary_file, clock, courier, messages, postman, reminders
from cases.documents import orphans, store
from geo import search
from geo.imports import reports_folder
from geo.moment import Moment
from geo.rasters import uploads
from geo.session import connect
from geo.settings import Settings
from geo.spatial import conflicts, questions
from ingest import desk
from tiles import overviews

log = structlog.get_logger("worker")
# A worker that has not given a sign of life for so long is dead, and its jobs are begun anew (seconds).
SILENCE = 30


def worker_app(settings: Settings) -> App:
    """Procrastinate's application as the writing role; rooms add their tasks here."""
    connector = PsycopgConnector(
        conninfo=settings.url_for("registrar"), kwargs={"options": "-c search_path=jobs,public"}
    )
    app = App(connector=connector)
    _house(app)
    _accounts(app, settings)
    _imports(app, settings)
    _journal(app, settings)
    _spatial(app, settings)
    _cases(app, settings)
    _rasters(app, settings)
    return app


def _house(app: App) -> None:
    @app.task(name="house.ping")
    async def ping() -> None:
        """A job that does nothing: shows that the worker lives."""

    @app.periodic(cron="* * * * *")
    @app.task(name="house.revive", queueing_lock="revive")
    async def revive(timestamp: int) -> None:
        """Begin the jobs of dead workers anew."""
        await _revive(app)


async def _revive(app: App) -> None:
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=SILENCE):
        log.warning("job begins anew", job=job.id, task=job.task_name)
        await app.job_manager.retry_job(job)


def _spatial(app: App, settings: Settings) -> None:
    url = settings.url_for("registrar")

    @app.task(name="spatial.monitor")
    async def monitor() -> None:
        await asyncio.to_thread(conflicts.settle_at, url)

    # Searched at once in any case, only slower: a minute is soon enough.
    @app.periodic(cron="* * * * *")
    @app.task(name=search.FILL, lock=search.FILL, queueing_lock=search.FILL)
    async def fill(timestamp: int | None = None) -> None:
        await asyncio.to_thread(search.fill, url)

    @app.periodic(cron="41 3 * * *")
    @app.task(name=search.SWEEP, queueing_lock=search.SWEEP)
    async def sweep(timestamp: int) -> None:
        await asyncio.to_thread(search.sweep, url)

    @app.task(name=questions.TASK)
    async def answer(identity: str) -> None:
        await questions.answer(settings, identity)


def _rasters(app: App, settings: Settings) -> None:
    @app.task(name=uploads.TASK, queue="imports")
    async def convert(number: int) -> None:
        """Make a COG of a raster that the office sent in."""
        from tiles.rasters import desk

        await asyncio.to_thread(desk.convert, settings, number)

    @app.periodic(cron="47 4 * * *")
    @app.task(name=uploads.SWEEP, queue="imports", queueing_lock=uploads.SWEEP)
    async def sweep(timestamp: int) -> None:
        """Delete abandoned uploads and pixels that no raster is drawn from."""
        from tiles.rasters import desk

        await asyncio.to_thread(desk.sweep, settings)


def _accounts(app: App, settings: Settings) -> None:
    # Asked every minute too: a letter that could not be sent is due again at some time.
    @app.periodic(cron="* * * * *")
    @app.task(name="accounts.deliver", queueing_lock="accounts.deliver")
    async def deliver(timestamp: int | None = None) -> None:
        await asyncio.to_thread(mail.deliver, settings)

    @app.task(name="accounts.notice")
    async def notice(**facts: object) -> None:
        await asyncio.to_thread(notices.notice, settings, facts)

    @app.task(name="accounts.code")
    async def code(purpose: str, name: str, account: int | None, carries: str) -> None:
        await asyncio.to_thread(notices.code, settings, purpose, name, account, carries)

    @app.periodic(cron="17 * * * *")
    @app.task(name="accounts.sweep", queueing_lock="accounts.sweep")
    async def sweep(timestamp: int) -> None:
        await asyncio.to_thread(notices.sweep, settings)


def _cases(app: App, settings: Settings) -> None:
    @app.periodic(cron="7 * * * *")
    @app.task(name="cases.lapse", queueing_lock="cases.lapse")
    async def lapse(timestamp: int) -> None:
        """End the terms of applicants that nobody answered."""
        await clock.lapse_overdue(settings)

    @app.task(name=boundary_file.TASK, queue="imports")
    async def read_boundary(number: int) -> None:
        """Read the file with a boundary that an applicant sent."""
        await surveyor.survey(settings, number)

    # Events ask for it; every minute it is asked besides, for the letters of the day and after a standstill.
    @app.periodic(cron="* * * * *")
    @app.task(name=messages.POST)
    async def post(timestamp: int | None = None) -> None:
        """Make letters of what people are told, and send them."""
        if await postman.post(settings):
            await asyncio.to_thread(mail.deliver, settings)

    @app.periodic(cron="* * * * *")
    @app.task(name=messages.CALL)
    async def call(timestamp: int | None = None) -> None:
        """Make the calls of webhooks that are due."""
        await asyncio.to_thread(courier.deliver, settings)

    @app.periodic(cron="23 4 * * *")
    @app.task(name="cases.sweep", queueing_lock="cases.sweep")
    async def sweep(timestamp: int) -> None:
        """Delete files that a process which died left on their way into the store, or in it without a row."""
        await asyncio.to_thread(store.sweep, settings)
        await orphans.sweep(settings)

    @app.periodic(cron="11 * * * *")
    @app.task(name="cases.remind", queueing_lock="cases.remind")
    async def remind(timestamp: int) -> None:
        """Remind of terms and of rights that end."""
        await reminders.remind(settings)


def _imports(app: App, settings: Settings) -> None:
    url = settings.url_for("registrar")

    @app.task(name="ingest.read", queue="imports")
    async def read(upload: int) -> None:
        await asyncio.to_thread(
            desk.read, url, upload, reports_folder(settings.home), object_mb=settings.object_mb
        )

    @app.task(name="ingest.apply", queue="imports")
    async def apply(upload: int, confirm_gone: bool = False) -> None:
        await asyncio.to_thread(
            desk.apply, url, upload, confirm_gone=confirm_gone, object_mb=settings.object_mb
        )

    @app.task(name="ingest.drop", queue="imports")
    async def drop(upload: int) -> None:
        await asyncio.to_thread(desk.drop, url, upload)

    @app.periodic(cron="*/5 * * * *")
    @app.task(name="ingest.sources", queue="imports", queueing_lock="ingest.sources")
    async def sources(timestamp: int) -> None:
        """Fetch the scheduled sources that are due, and tell the registrars."""
        await asyncio.to_thread(newsboy.look, settings)

    @app.task(name="ingest.undo", queue="imports")
    async def undo(run: int, account: int | None = None) -> None:
        await asyncio.to_thread(desk.undo, url, run, account)


def _journal(app: App, settings: Settings) -> None:
    def seal() -> None:
        with connect(settings.url_for("registrar")) as connection:
            seal_yesterday(connection, settings.time_zone, folder(settings.home))

    # Asked every hour, so that a worker that stood still at midnight seals the day when it is back.
    @app.periodic(cron="7 * * * *")
    @app.task(name="journal.seal", queueing_lock="journal.seal")
    async def seal_journal(timestamp: int) -> None:
        """Close the journal of the day that has ended into a root and publish it."""
        await asyncio.to_thread(seal)


async def _keep_overviews(settings: Settings) -> None:
    """Follow the register with the overviews of the map, in pieces short enough to stop between them."""
    turn = 0
    while True:
        try:
            today = Moment.today(settings.time_zone).first
            built = await asyncio.to_thread(overviews.keep, settings, today, seconds=2.0) if today else 0
            if turn % 600 == 0:
                await asyncio.to_thread(overviews.merge_changes, settings)
            if built:
                log.debug("overviews", chunks=built)
        except Exception:
            # The map is right without them, only slower; the database may be back in a moment.
            log.exception("overviews")
            await asyncio.sleep(5)
        turn += 1
        await asyncio.sleep(1)


async def work(settings: Settings, *, wait: bool = True) -> None:
    """Run jobs until told to stop; with ``wait`` False, until none is left."""
    app = worker_app(settings)
    async with app.open_async():
        await _revive(app)
        keeper = asyncio.create_task(_keep_overviews(settings)) if wait else None
        await app.run_worker_async(wait=wait, install_signal_handlers=wait, concurrency=2)
        if keeper:
            keeper.cancel()
