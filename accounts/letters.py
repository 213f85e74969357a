"""Texts of letters, in the language of the account: subject and body."""

_CODE = {
    "recover": {
        "ru": (
            "Восстановление доступа",
            "Кто-то, вероятно вы, восстанавливает доступ к вашей учётной записи.",
        ),
        "en": ("Recovery of access", "Somebody, probably you, recovers access to your account."),
    },
    "enter": {
        "ru": ("Подтверждение адреса", "Спасибо за регистрацию. Подтвердите, что этот адрес ваш."),
        "en": (
            "Confirmation of your address",
            "Thank you for registering. Confirm that this address is yours.",
        ),
    },
    "second": {
        "ru": ("Код для входа", "Кто-то, вероятно вы, входит в вашу учётную запись."),
        "en": ("Code for the log-in", "Somebody, probably you, logs in to your account."),
    },
    "email": {
        "ru": ("Новый адрес почты", "Подтвердите, что этот адрес ваш."),
        "en": ("New e-mail address", "Confirm that this address is yours."),
    },
    "forward": {
        "ru": (
            "Пересылка сообщений",
            "Кто-то просит пересылать сюда сообщения из кабинета. Подтвердите, что этот адрес ваш.",
        ),
        "en": (
            "Forwarding of messages",
            "Somebody asks to have messages of the cabinet forwarded here. Confirm that this address is yours.",
        ),
    },
    "sign": {
        "ru": ("Код подписи", "Вы подписываете обращение в кабинете. Введите код на странице дела."),
        "en": ("Code of a signature", "You sign a case in the cabinet. Enter the code on its page."),
    },
    "confirm": {
        "ru": (
            "Подтверждение личности",
            "Орган проверил ваши документы. Введите код на странице подтверждения.",
        ),
        "en": (
            "Confirmation of identity",
            "The office checked your papers. Enter the code on the confirmation page.",
        ),
    },
}
_TAIL = {
    "ru": "Код: {code}\nОн действует {minutes} мин. и только один раз.\n\nЕсли это не вы, ничего не делайте и никому не сообщайте код.",
    "en": "Code: {code}\nIt is good for {minutes} minutes and once.\n\nIf it was not you, do nothing and tell the code to nobody.",
}


def code(locale: str, purpose: str, digits: str, minutes: int) -> tuple[str, str]:
    """A letter with a one-time code."""
    subject, body = _CODE[purpose][locale]
    name = "Межа" if locale == "ru" else "Mezha"
    return f"{name}: {subject}", f"{body}\n\n{_TAIL[locale].format(code=digits, minutes=minutes)}\n"


def known_already(locale: str) -> tuple[str, str]:
    """To somebody who registers with an address that has an account."""
    if locale == "ru":
        return (
            "Межа: у вас уже есть учётная запись",
            "Кто-то, вероятно вы, пытался зарегистрироваться с этим адресом. Учётная запись уже есть: войдите или "
            "восстановите пароль на странице входа.\n",
        )
    return (
        "Mezha: you have an account already",
        "Somebody, probably you, tried to register with this address. There is an account: log in, or recover the "
        "password on the log-in page.\n",
    )


def locked(locale: str, facts: dict[str, object]) -> tuple[str, str]:
    """Notice of a possible threat: failures locked the account."""
    if locale == "ru":
        return (
            "Межа: вход в вашу учётную запись заблокирован",
            "Неудачных попыток входа подряд: {tries}. Вход заблокирован на {minutes} мин.\nАдрес: {address}\n"
            "Устройство: {device}\n\nЕсли это не вы, смените пароль после разблокировки и включите второй фактор.\n".format(
                **facts
            ),
        )
    return (
        "Mezha: log-in to your account is locked",
        "Failures in a row: {tries}. Log-in is locked for {minutes} minutes.\nAddress: {address}\nDevice: {device}\n\n"
        "If it was not you, change the password afterwards and switch on the second factor.\n".format(
            **facts
        ),
    )


def invitation(locale: str, party: str, address: str) -> tuple[str, str]:
    """Invitation to act for a party."""
    if locale == "ru":
        return (
            f"Межа: приглашение в команду «{party}»",
            f"Вас приглашают действовать за «{party}».\nВойдите под учётной записью с этим адресом почты и откройте:\n"
            f"{address}\n\nПриглашение действует 7 дней.\n",
        )
    return (
        f"Mezha: invitation to the team of {party}",
        f"You are invited to act for {party}.\nLog in with the account of this address and open:\n{address}\n\n"
        "The invitation is good for 7 days.\n",
    )
