"""Signing a submission with a one-time code by e-mail: the lower of the two levels (C-97)."""

from sqlalchemy.ext.asyncio import AsyncConnection

from accounts import codes
from accounts.errors import CodeError
from cases.desk import Actor
from cases.record import Case
from cases.service_definition import ServiceDefinition
from cases.signatures import kept
from cases.signatures.errors import LevelError, SignedOtherwiseError

PURPOSE = "sign"


def check_level(service: ServiceDefinition) -> None:
    """LevelError where a code is not enough for this service."""
    if service.signature not in ("code", "code_or_qualified"):
        raise LevelError(
            f"{service.title.en} is not signed with a code.",
            "Sign it with a qualified electronic signature."
            if service.signature == "qualified"
            else "It needs no signature.",
            field="signature",
            value=service.signature,
        )


async def ask(connection: AsyncConnection, actor: Actor, case: Case, sha256: str) -> None:
    """Have a code sent that signs exactly what the case says now."""
    await codes.ask(connection, PURPOSE, account=actor.caller.account, carries=f"{case.id}:{sha256}")


async def sign(
    connection: AsyncConnection, actor: Actor, case: Case, sha256: str, *, code: str
) -> CodeError | SignedOtherwiseError | None:
    """Sign with the code. What was wrong is returned, not raised: a used-up try must be committed."""
    try:
        carried = await codes.take(connection, actor.caller.account, PURPOSE, code)
    except CodeError as err:
        return err
    if carried != f"{case.id}:{sha256}":
        return SignedOtherwiseError(
            "The code was sent for another text than the case has now.",
            "Have a new code sent; it signs what you see now.",
            field="code",
        )
    await confirmed(connection, actor, case, sha256)
    return None


async def confirmed(connection: AsyncConnection, actor: Actor, case: Case, sha256: str) -> int:
    """Keep the signature of somebody whose code was right."""
    signer = {"account": actor.caller.account, "name": actor.name, "way": "e-mail"}
    return await kept.add(connection, actor, case, kept.New("code", sha256, "code", signer=signer))
