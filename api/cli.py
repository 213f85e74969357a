"""The `mezha` command: exit 0 done, 1 done with rejected rows, 2 refused with the reason and the cure."""

import signal
import sys
from typing import Annotated

import typer
from rich.console import Console

from api import server, supervisor
from api.commands import demo, house, imports, journal, rasters, tiles, users
from geo.errors import MezhaError
from geo.logs import configure as configure_logs
from geo.settings import Settings

app = typer.Typer(
    name="mezha",
    help="Mezha: registers of plots and deposits.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
imports.register(app)
tiles.register(app)
rasters.register(app)
demo.register(app)
journal.register(app)
house.register(app)
users.register(app)
out = Console()
err = Console(stderr=True)


@app.command()
def up(
    port: Annotated[int, typer.Option(help="Port of the server")] = 8000,
    workers: Annotated[int, typer.Option(help="Server processes")] = 2,
) -> None:
    """Start everything: database, migrations, demo region, server and worker. Ctrl-C stops it."""
    settings = Settings()
    private = not settings.database_url
    changes: dict[str, object] = {"port": port, "workers": workers}
    if private:
        # A private database is a demonstration unless somebody says otherwise: its region is fictional.
        changes |= {"demo": True, "region": "97", "publish": settings.publish or frozenset({"*"})}
    settings = settings.model_copy(update=changes)
    # A shell that starts us in the background tells us to ignore Ctrl-C; whoever sends it means it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    cluster = None
    house = None
    try:
        cluster = supervisor.private_cluster(settings)
        settings = supervisor.private_settings(cluster, settings) if cluster else settings
        house = supervisor.House(settings, lambda text: err.print(text, highlight=False))
        # The server needs its imports before it needs the database: start it first.
        house.start("server", server.serve, port, workers)
        supervisor.prepare_database(cluster, settings)
        supervisor.make_seal(settings)
        supervisor.fill_demo(settings, house.say)
        if settings.demo:
            users.show_demo(settings)
        house.wait_ready()
        house.start("worker", work)
        out.print(f"Mezha is ready at http://{settings.host}:{port}", highlight=False, soft_wrap=True)
        house.watch()
    except KeyboardInterrupt:
        err.print("Stopping …")
    finally:
        if house:
            house.stop()
        if cluster:
            cluster.stop()


@app.command()
def serve(port: Annotated[int, typer.Option()] = 8000, workers: Annotated[int, typer.Option()] = 2) -> None:
    """Start the server alone; the database must be migrated."""
    server.serve(port, workers)


@app.command()
def migrate() -> None:
    """Bring the database to the newest structure."""
    from geo.migration import migrate as run
    from geo.revision import newest

    settings = supervisor.database_settings(Settings())
    before = run(settings.url_for("owner"), settings.publish)
    out.print(f"{before or 'empty'} → {newest()}")


@app.command()
def work() -> None:
    """Start the worker alone: imports, overviews, messages."""
    import asyncio

    from api.worker import work as run

    asyncio.run(run(Settings()))


def main() -> None:
    """Run the command; an error that a person may see ends with code 2, never with a traceback."""
    configure_logs()
    try:
        app()
    except MezhaError as error:
        err.print(f"[red]refused[/red] ({error.code}): {error}", highlight=False, soft_wrap=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
