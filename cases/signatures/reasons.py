"""Why a signature is not valid, or why nothing can be said of it: stable words with their texts."""

from collections.abc import Mapping

# Reason → what is told in Russian and in English; ``{facts}`` are filled in.
REASONS: Mapping[str, tuple[str, str]] = {
    "no-signature": (
        "Это не файл подписи (CMS): приложите отсоединённую подпись .sig или .p7s.",
        "This is no signature file (CMS): attach a detached signature, .sig or .p7s.",
    ),
    "attached": (
        "Подпись содержит сам документ. Подпишите его отсоединённой подписью.",
        "The signature holds the document itself. Make a detached signature.",
    ),
    "several-signers": (
        "В файле несколько подписей. Приложите каждую отдельным файлом.",
        "The file holds several signatures. Attach each as a file of its own.",
    ),
    "no-certificate": (
        "В подписи нет сертификата подписавшего. Подпишите снова и включите сертификат.",
        "The certificate of the signer is not in the signature. Sign again and include it.",
    ),
    "weak-digest": (
        "Подпись сделана устаревшим алгоритмом {algorithm}. Подпишите алгоритмом ГОСТ или SHA-256.",
        "The signature rests on the outdated {algorithm}. Sign with GOST or SHA-256.",
    ),
    "content": (
        "Подпись не от этого файла: подписано было другое, или файл изменён.",
        "The signature is not of this file: something else was signed, or the file was changed.",
    ),
    "forged": (
        "Подпись не сходится с сертификатом: её или её атрибуты изменили, или подписал другой ключ.",
        "The signature does not fit its certificate: it or its attributes were changed, or another key signed.",
    ),
    "expired": (
        "Срок действия сертификата истёк {day}. Получите новый и подпишите снова.",
        "The certificate expired on {day}. Get a new one and sign again.",
    ),
    "not-yet": ("Сертификат начнёт действовать только {day}.", "The certificate is good only from {day}."),
    "revoked": ("Сертификат отозван.", "The certificate was revoked."),
    "untrusted": (
        "Сертификат выдан центром, которому эта система не доверяет: {issuer}.",
        "The certificate was issued by a centre that this installation does not trust: {issuer}.",
    ),
    "key-usage": (
        "Сертификат выдан не для подписи документов.",
        "The certificate was not issued for signing documents.",
    ),
    "other-signer": (
        "Подписал другой: в сертификате ИНН {inn}, а обращение подаёт {party}.",
        "Somebody else signed: the certificate names INN {inn}, the case is of {party}.",
    ),
    "no-engine": (
        "Подпись по ГОСТ здесь пока нельзя проверить: на сервере не установлен пакет libengine-gost-openssl.",
        "GOST signatures cannot be verified here yet: the server lacks the package libengine-gost-openssl.",
    ),
    "no-anchors": (
        "Издателя сертификата нельзя проверить: доверенные корневые сертификаты не заданы (папка MEZHA_TRUST_FOLDER).",
        "The issuer cannot be verified: there are no trusted root certificates (folder MEZHA_TRUST_FOLDER).",
    ),
    "no-inn": (
        "В сертификате нет ИНН: нельзя сказать, чья это подпись.",
        "The certificate names no INN: nobody can tell whose signature this is.",
    ),
    "no-revocation": (
        "Нельзя проверить, не отозван ли сертификат: нет списка отзыва его издателя.",
        "Whether the certificate was revoked cannot be told: the list of its issuer is missing.",
    ),
    "tool": (
        "Проверить подпись не удалось: {cause}. Попробуйте позже.",
        "The signature could not be verified: {cause}. Try again later.",
    ),
}


def told(reason: str, **facts: object) -> dict[str, str]:
    """A reason with its texts."""
    ru, en = (text.format(**facts) for text in REASONS[reason])
    return {"reason": reason, "ru": ru, "en": en}
