"""What the journal knows how to record: every action with its titles."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Action(StrEnum):
    """Something that a person or the system did; the values are stored for ever, so they never change."""

    log_in = "log-in"
    log_in_failed = "log-in-failed"
    log_out = "log-out"
    locked = "locked"
    unlocked = "unlocked"
    session_ended = "session-ended"
    password_changed = "password-changed"  # noqa: S105 - the name of an action
    recovery = "recovery"
    factor_changed = "factor-changed"
    account_made = "account-made"
    account_changed = "account-changed"
    account_confirmed = "account-confirmed"
    account_refused = "account-refused"
    consent = "consent"
    right_given = "right-given"
    right_taken = "right-taken"
    token_made = "token-made"  # noqa: S105 - the name of an action
    token_revoked = "token-revoked"  # noqa: S105 - the name of an action
    view = "view"
    listed = "listed"
    download = "download"
    upload = "upload"
    change = "change"
    imported = "imported"
    undo = "undo"
    submit = "submit"
    withdraw = "withdraw"
    sign = "sign"
    decide = "decide"
    case_changed = "case-changed"
    checked = "check"
    payment = "payment"
    message = "message"
    setting_changed = "setting-changed"
    journal_read = "journal-read"


TITLES: Mapping[Action, Mapping[str, str]] = MappingProxyType(
    {
        Action.log_in: {"ru": "Вход", "en": "Log-in"},
        Action.log_in_failed: {"ru": "Неудачный вход", "en": "Failed log-in"},
        Action.log_out: {"ru": "Выход", "en": "Log-out"},
        Action.locked: {"ru": "Учётная запись заблокирована", "en": "Account locked"},
        Action.unlocked: {"ru": "Учётная запись разблокирована", "en": "Account unlocked"},
        Action.session_ended: {"ru": "Сеанс завершён", "en": "Session ended"},
        Action.password_changed: {"ru": "Пароль изменён", "en": "Password changed"},
        Action.recovery: {"ru": "Восстановление доступа", "en": "Recovery of access"},
        Action.factor_changed: {"ru": "Второй фактор изменён", "en": "Second factor changed"},
        Action.account_made: {"ru": "Учётная запись создана", "en": "Account made"},
        Action.account_changed: {"ru": "Учётные данные изменены", "en": "Account changed"},
        Action.account_confirmed: {"ru": "Учётная запись подтверждена", "en": "Account confirmed"},
        Action.account_refused: {"ru": "В подтверждении отказано", "en": "Confirmation refused"},
        Action.consent: {"ru": "Согласие с условиями", "en": "Consent to the terms"},
        Action.right_given: {"ru": "Право выдано", "en": "Right given"},
        Action.right_taken: {"ru": "Право отозвано", "en": "Right taken"},
        Action.token_made: {"ru": "Токен создан", "en": "Token made"},
        Action.token_revoked: {"ru": "Токен отозван", "en": "Token revoked"},
        Action.view: {"ru": "Просмотр", "en": "View"},
        Action.listed: {"ru": "Просмотр списка", "en": "View of a list"},
        Action.download: {"ru": "Выгрузка", "en": "Download"},
        Action.upload: {"ru": "Загрузка файла", "en": "Upload"},
        Action.change: {"ru": "Изменение", "en": "Change"},
        Action.imported: {"ru": "Импорт реестра", "en": "Import of a register"},
        Action.undo: {"ru": "Отмена изменения", "en": "Undo"},
        Action.submit: {"ru": "Подача", "en": "Submission"},
        Action.withdraw: {"ru": "Отзыв", "en": "Withdrawal"},
        Action.sign: {"ru": "Подписание", "en": "Signature"},
        Action.decide: {"ru": "Решение", "en": "Decision"},
        Action.checked: {"ru": "Проверка", "en": "Check"},
        Action.case_changed: {"ru": "Изменение дела", "en": "Change of a case"},
        Action.payment: {"ru": "Платёж", "en": "Payment"},
        Action.message: {"ru": "Сообщение", "en": "Message"},
        Action.setting_changed: {"ru": "Настройка изменена", "en": "Setting changed"},
        Action.journal_read: {"ru": "Чтение журнала", "en": "Reading of the journal"},
    }
)
