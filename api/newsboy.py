"""The newsboy: brings the scheduled sources in, and the news of them to the registrars of the region."""

from accounts import mail
from geo.imports import reports_folder
from geo.session import connect
from geo.settings import Settings
from ingest import desk, schedule
from ingest.profile import scheduled
from ingest.schedule import Outcome


def look(settings: Settings) -> list[Outcome]:
    """Fetch what is due, load what changed, write the letters."""
    url = settings.url_for("registrar")
    outcomes = schedule.run_due(
        url,
        scheduled(settings.profiles_folder),
        most_bytes=settings.upload_mb << 20,
        private=settings.fetch_private,
        object_mb=settings.object_mb,
    )
    told = [o for o in outcomes if o.status != "unchanged"]
    for outcome in told:
        if outcome.result:
            desk.leave_report(outcome.result, reports_folder(settings.home), url)
    if told:
        with connect(url) as connection:
            addresses = connection.execute(
                "SELECT email FROM accounts.registrars(%s)", [settings.region]
            ).fetchall()
            for outcome in told:
                for (address,) in addresses:
                    mail.put(connection, address, *letter(outcome, settings.base_url))
        mail.deliver(settings)
    return outcomes


def letter(outcome: Outcome, base: str) -> tuple[str, str]:
    """Subject and text of the news, in both languages."""
    if outcome.result is None or outcome.status == "refused":
        return (
            f"Межа: реестр {outcome.profile} не загружен / register {outcome.profile} not loaded",
            f"Источник по расписанию не загружен, реестр не изменён.\n{outcome.fault}\n\n"
            f"The scheduled source was not loaded, nothing was changed.\n{outcome.fault}\n",
        )
    counts = outcome.result.counts
    numbers = ", ".join(f"{name}: {counts.get(name, 0)}" for name in ("new", "changed", "gone", "rejected"))
    return (
        f"Межа: реестр {outcome.profile} обновлён / register {outcome.profile} updated",
        f"Загрузка {outcome.result.run} выполнена по расписанию ({numbers}).\n"
        f"Run {outcome.result.run} was loaded by schedule.\n{base}/office/imports/runs/{outcome.result.run}\n",
    )
