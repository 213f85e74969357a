"""The worker: the tasks of every room, run one after another by procrastinate."""

from procrastinate import App, PsycopgConnector

from geo.settings import Settings


def worker_app(settings: Settings) -> App:
    """Procrastinate's application as the writing role; rooms add their tasks here."""
    connector = PsycopgConnector(
        conninfo=settings.url_for("registrar"), kwargs={"options": "-c search_path=jobs,public"}
    )
    app = App(connector=connector)

    @app.task(name="house.ping")
    async def ping() -> None:
        """A job that does nothing: shows that the worker lives."""

    return app


async def work(settings: Settings, *, wait: bool = True) -> None:
    """Run jobs until told to stop; with ``wait`` False, until none is left."""
    app = worker_app(settings)
    async with app.open_async():
        await app.run_worker_async(wait=wait, install_signal_handlers=wait, concurrency=2)
