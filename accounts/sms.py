"""Short messages: a port, and its adapter for gateways that take JSON over HTTP."""

import httpx

from accounts.errors import UndeliveredError
from geo.settings import Settings

TIMEOUT_S = 20.0
LONGEST = 600


def send(settings: Settings, number: int, phone: str, text: str) -> None:
    """Hand one message to the gateway; UndeliveredError says whether another try can help.

    ``Idempotency-Key`` is the number in the outbox, so that a message handed over twice is sent once.
    """
    headers = {"idempotency-key": f"mezha-{number}"}
    if settings.sms_token:
        headers["authorization"] = f"Bearer {settings.sms_token}"
    try:
        answer = httpx.post(
            settings.sms_url,
            json={"to": phone, "text": text[:LONGEST]},
            headers=headers,
            timeout=TIMEOUT_S,
            trust_env=False,
        )
    except httpx.HTTPError as err:
        raise UndeliveredError(
            f"The gateway does not answer ({type(err).__name__}).", "It is tried again.", reachable=False
        ) from err
    if answer.is_success:
        return
    refused = answer.status_code in (400, 404, 410, 422)
    raise UndeliveredError(
        f"The gateway answers {answer.status_code}.", "Check MEZHA_SMS_URL and the number.", final=refused
    )
