"""`mezha user add`, and the log-ins of the demonstration."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from api.supervisor import database_settings
from geo.errors import ParameterError
from geo.session import connect
from geo.settings import Settings

if TYPE_CHECKING:
    from accounts.enrolment import Company
    from cases.signatures.centre import Holder

out = Console(soft_wrap=True)
users = typer.Typer(help="Accounts of people.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(users, name="user")


@users.callback()
def group() -> None:
    """Accounts of people."""


@users.command()
def add(
    name: Annotated[str, typer.Argument(help="Name for the log-in")],
    *,
    email: Annotated[str, typer.Option(help="E-mail address")],
    full_name: Annotated[str, typer.Option(help="Name of the person; else the log-in's name")] = "",
    role: Annotated[
        str, typer.Option(help="owner, operator, controller or contractor of the party of --inn")
    ] = "",
    inn: Annotated[str, typer.Option(help="INN of the party")] = "",
    party: Annotated[str, typer.Option(help="Name of the party, where it is new")] = "",
    duty: Annotated[str, typer.Option(help="officer, inspector, registrar or administrator")] = "",
    region: Annotated[
        str, typer.Option(help="Region of the duty or party; * is every region; else MEZHA_REGION")
    ] = "",
    office: Annotated[str, typer.Option(help="Office of the duty")] = "Управление",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input")
    ] = False,
) -> None:
    """Make an account; without --password-stdin a password is made and printed, to be changed at the first log-in."""
    from accounts import enrolment, passwords

    if bool(role) != bool(inn):
        raise ParameterError(
            "--role and --inn belong together.", "Give both, or a --duty.", field="role", value=role
        )
    settings = database_settings(Settings())
    password = sys.stdin.readline().rstrip("\n") if password_stdin else passwords.temporary()
    where = region or settings.region
    with connect(settings.url_for("owner")) as connection:
        account = enrolment.enrol(connection, enrolment.Newcomer(name, email, full_name or name), password)
        if role:
            facts = enrolment.Company(inn, party or inn, where)
            enrolment.join(connection, account, enrolment.company(connection, facts), role)
        if duty:
            enrolment.appoint(connection, account, duty, where, office)
    out.print(f"account {account}: {name}", highlight=False)
    if not password_stdin:
        out.print(f"password: {password}", highlight=False, markup=False)


@users.command()
def reset(
    name: Annotated[str, typer.Argument(help="Name for the log-in, or e-mail address")],
    *,
    factors: Annotated[
        bool, typer.Option("--factors", help="Take the authenticator app and the passkeys too")
    ] = False,
) -> None:
    """Let somebody in who is locked out, an administrator too: a new password is made and printed."""
    from accounts import enrolment, passwords

    password = passwords.temporary()
    with connect(database_settings(Settings()).url_for("owner")) as connection:
        account = enrolment.reset(connection, name, password, factors=factors)
    out.print(f"account {account}: {name}", highlight=False)
    out.print(f"password: {password}", highlight=False, markup=False)


@users.command(name="rotate-keys")
def rotate_keys() -> None:
    """Seal the secrets of the database with a new key; restart the server afterwards."""
    from accounts import sealing

    settings = database_settings(Settings())
    with connect(settings.url_for("owner")) as connection:
        count = sealing.rotate(connection, settings)
    out.print(f"{count} secrets sealed anew; keys: {sealing.file_of(settings)}", highlight=False)


def show_demo(settings: Settings) -> None:
    """Make the log-ins of the demonstration where they are missing, and print them with where their keys lie."""
    from accounts import demo
    from cases.signatures import demonstration

    with connect(settings.url_for("owner")) as connection:
        if demo.missing(connection):
            demo.seed(connection, _demo_companies())
    table = Table("log-in", "who", title=f"password of all: {demo.PASSWORD}", title_justify="left", box=None)
    for part in demo.PARTS:
        table.add_row(part.login, part.title)
    out.print(table)
    if demonstration.missing(settings, [p.login for p in demo.PARTS if p.role in demo.SIGNING]):
        demonstration.make(settings, _demo_holders(), demo.PASSWORD)
    out.print(
        f"keys and certificates to sign with, for this demonstration only (.p12 with the same password): {demonstration.folder(settings)}",
        highlight=False,
    )


def _demo_holders() -> "dict[str, Holder]":
    """The applicants who sign with a certificate, by log-in."""
    from accounts.demo import PARTS, SIGNING
    from cases.signatures.centre import Holder

    companies = _demo_companies()
    return {
        part.login: Holder(part.name, companies[part.trade].name, companies[part.trade].inn)
        for part in PARTS
        if part.role in SIGNING
    }


def _demo_companies() -> "dict[str, Company]":
    from accounts.enrolment import Company
    from ingest.demo import names

    holders = {"forest": names.FOREST_COMPANY, "subsoil": names.SUBSOIL_COMPANY, "waste": names.WASTE_COMPANY}
    return {trade: Company(h.inn, h.name, names.REGION, h.ogrn) for trade, h in holders.items()}
