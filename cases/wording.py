"""What a message says: the service's own words for the state, then one sentence on what happened and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from cases.lifecycle import Action, State
from cases.rules import Text
from cases.service_definition import ServiceDefinition

Side = Literal["applicant", "officer"]
LOCALES = ("ru", "en")
# After these the case waits for nobody, or for an appeal: messages about them are final (F-25).
FINAL = frozenset(
    {
        Action.approve,
        Action.reject,
        Action.lapse,
        Action.uphold,
        Action.close,
        Action.withdraw,
        Action.discard,
    }
)
_APPLICANT: Mapping[Action, Mapping[str, str]] = {
    Action.submit: {
        "ru": "Заявление отправлено и зарегистрировано.",
        "en": "The application was sent and registered.",
    },
    Action.amend: {
        "ru": "Изменения приняты, номер и место в очереди прежние.",
        "en": "The changes were taken; number and place in the queue stay.",
    },
    Action.accept: {"ru": "Орган принял заявление.", "en": "The office took the application in."},
    Action.review: {"ru": "Специалист начал рассмотрение.", "en": "An officer has begun the review."},
    Action.ask_correction: {
        "ru": "Орган просит исправить заявление.",
        "en": "The office asks for a correction.",
    },
    Action.answer: {"ru": "Исправления отправлены.", "en": "The corrections were sent."},
    Action.approve: {"ru": "Принято положительное решение.", "en": "The application was approved."},
    Action.reject: {"ru": "Принято решение об отказе.", "en": "The application was refused."},
    Action.withdraw: {"ru": "Заявление отозвано.", "en": "The application was withdrawn."},
    Action.suspend: {"ru": "Рассмотрение приостановлено.", "en": "The review is suspended."},
    Action.resume: {"ru": "Рассмотрение возобновлено.", "en": "The review goes on."},
    Action.appeal: {"ru": "Жалоба отправлена.", "en": "The appeal was sent."},
    Action.reopen: {
        "ru": "Жалоба удовлетворена, дело рассматривают заново.",
        "en": "The appeal was granted: the case is reviewed again.",
    },
    Action.uphold: {
        "ru": "В жалобе отказано, решение остаётся в силе.",
        "en": "The appeal was dismissed: the decision stands.",
    },
    Action.close: {"ru": "Работа по делу закончена.", "en": "The case is closed."},
    Action.lapse: {
        "ru": "Срок для ответа истёк, в решении отказано.",
        "en": "The term for an answer is over; the application was refused.",
    },
}
_OFFICER: Mapping[Action, Mapping[str, str]] = {
    Action.submit: {"ru": "Поступило заявление: {party}.", "en": "A new application: {party}."},
    Action.amend: {
        "ru": "Заявитель изменил отправленное: {party}.",
        "en": "The applicant changed what was sent: {party}.",
    },
    Action.answer: {
        "ru": "Заявитель прислал исправления: {party}.",
        "en": "The applicant sent corrections: {party}.",
    },
    Action.withdraw: {
        "ru": "Заявитель отозвал заявление: {party}.",
        "en": "The applicant withdrew: {party}.",
    },
    Action.appeal: {"ru": "Заявитель обжаловал решение: {party}.", "en": "The applicant appealed: {party}."},
    Action.lapse: {
        "ru": "Заявитель не ответил в срок: {party}.",
        "en": "The applicant did not answer in time: {party}.",
    },
}
_REASON = {"ru": "Указано: {reason}", "en": "It says: {reason}"}
_ANSWERS = {"ru": "Орган ответит не позже {day}.", "en": "The office answers by {day}."}
_UNTIL = {
    "applicant": {"ru": "Ответьте до {day}.", "en": "Answer by {day}."},
    "officer": {"ru": "Срок до {day}.", "en": "The term ends on {day}."},
}
_ENDING: Mapping[str, Mapping[str, str]] = {
    "licences": {"ru": "Истекает лицензия", "en": "A licence ends"},
    "leases": {"ru": "Истекает договор аренды", "en": "A lease ends"},
}
_LEFT = {
    "ru": "Последний день {day}, осталось дней: {left}.",
    "en": "The last day is {day}, days left: {left}.",
}
_THREAD = {"ru": "Новое сообщение в переписке", "en": "New message in the thread"}
_TERM = {"ru": "Напоминание о сроке", "en": "Reminder of a term"}
_DUE = {"ru": "{term}: срок истекает {day}.", "en": "{term}: the term ends on {day}."}


@dataclass(frozen=True)
class Subject:
    """What a message is about: a case in the words of its service."""

    service: ServiceDefinition
    state: State
    number: str
    party: str

    def title(self, side: Side, locale: str) -> str:
        """State as the side calls it, service and number."""
        label = self.service.label(self.state, "applicant" if side == "applicant" else "staff", locale)
        return f"{label}: {self.named(locale)}"

    def named(self, locale: str) -> str:
        """Service and number."""
        return f"{self.service.title.of(locale)} {self.number}".strip()


def day(value: date, locale: str) -> str:
    """A day as letters write it."""
    return value.strftime("%d.%m.%Y") if locale == "ru" else value.strftime("%d %B %Y").lstrip("0")


def event(
    subject: Subject, action: Action, reason: str, due: Mapping[str, date]
) -> dict[Side, dict[str, dict[str, str]]]:
    """Title and body for each side that is told of an action; ``due`` has the first running term of each side."""
    told: dict[Side, dict[str, dict[str, str]]] = {}
    sides: tuple[tuple[Side, Mapping[Action, Mapping[str, str]]], ...] = (
        ("applicant", _APPLICANT),
        ("officer", _OFFICER),
    )
    for side, sentences in sides:
        if action in sentences:
            told[side] = {
                "title": {x: subject.title(side, x) for x in LOCALES},
                "body": {
                    x: _body(
                        sentences[action][x].format(party=subject.party),
                        reason,
                        _until(side, due, x),
                        x,
                    )
                    for x in LOCALES
                },
            }
    return told


def _body(sentence: str, reason: str, until: str, locale: str) -> str:
    stop = "" if reason.endswith((".", "!", "?", "…")) else "."
    said = _REASON[locale].format(reason=reason) + stop if reason else ""
    return " ".join(part for part in (sentence, said, until) if part)


def _until(side: Side, due: Mapping[str, date], locale: str) -> str:
    """The term of the side; the applicant who waits is told the office's."""
    if side in due:
        return _UNTIL[side][locale].format(day=day(due[side], locale))
    return _ANSWERS[locale].format(day=day(due["officer"], locale)) if "officer" in due else ""


def remark(subject: Subject, author: str, words: str) -> dict[str, dict[str, str]]:
    """Title and body of the news of a remark in the thread."""
    return {
        "title": {x: f"{_THREAD[x]}: {subject.named(x)}" for x in LOCALES},
        "body": dict.fromkeys(LOCALES, f"{author}: {words}"),
    }


def reminder(subject: Subject, term: Text, due: date) -> dict[str, dict[str, str]]:
    """Title and body of a reminder of a term."""
    return {
        "title": {x: f"{_TERM[x]}: {subject.named(x)}" for x in LOCALES},
        "body": {x: _DUE[x].format(term=term.of(x), day=day(due, x)) for x in LOCALES},
    }


def right(layer: str) -> Text:
    """What ends."""
    return Text(**_ENDING[layer])


def ending(layer: str, name: str, on: date, left: int) -> dict[str, dict[str, str]]:
    """Title and body of the news that a right ends."""
    return {
        "title": {x: f"{_ENDING[layer][x]}: {name}" for x in LOCALES},
        "body": {x: _LEFT[x].format(day=day(on, x), left=left) for x in LOCALES},
    }
