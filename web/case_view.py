"""How a case is shown: its form as fields, its states as a spine, its findings in the visitor's language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from fastapi import Request

from accounts.errors import CodeError
from accounts.person import Person
from cases import boundary_file
from cases.desk import Actor, Desk
from cases.lifecycle import FINAL, Action, Role, State
from cases.queue import Dossier
from cases.service_definition import ServiceDefinition
from cases.signatures.errors import SignedOtherwiseError
from geo.db import Database
from geo.dictionaries import dictionary
from geo.errors import MezhaError
from geo.problem import sentence_of
from web import language
from web.templating import locale_of
from web.visitor import caller_of, person_of, settings_of

_CODES = {
    "wrong-code": "The code is wrong or no longer good. Check it, or have a new one sent.",
    "signed-otherwise": "Something changed after the code was sent. Have a new one sent.",
}
# The straight way of a case; a state beside it is shown where it stands.
_WAY = (State.draft, State.submitted, State.accepted, State.in_review, State.approved, State.closed)
_BESIDE = {
    State.correction_asked: State.in_review,
    State.answered: State.in_review,
    State.suspended: State.in_review,
    State.rejected: State.approved,
    State.appealed: State.approved,
    State.withdrawn: State.closed,
}


@dataclass(frozen=True)
class Field:
    """A field of a form, ready for its macro."""

    name: str
    label: str
    hint: str
    widget: str
    unit: str
    value: str
    required: bool
    options: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Stage:
    """A stage of the spine: done, current or still to come."""

    label: str
    mark: Literal["done", "current", "ahead"]


def actor_of(request: Request) -> Actor:
    """Who acts on a page; LogInNeededError where nobody is logged in."""
    caller = caller_of(request)
    person: Person | None = request.scope["state"].get("person")
    if person is None and caller.anonymous:
        person_of(request)
    return Actor.of(caller, person)


def desk_of(request: Request) -> Desk:
    """The desk of this installation."""
    return Desk.of(settings_of(request))


def writer_of(request: Request) -> Database:
    """The writing connections of this process."""
    writer: Database = request.app.state.writer
    return writer


def fields(
    service: ServiceDefinition, payload: Mapping[str, Any], locale: str
) -> list[tuple[str, list[Field]]]:
    """The form in its sections, with the values that are there."""
    required = set(service.form.json_schema.get("required", ()))
    return [
        (
            section.title.of(locale),
            [_field(service, name, payload, locale, name in required) for name in section.fields],
        )
        for section in service.form.sections
    ]


def _field(
    service: ServiceDefinition, name: str, payload: Mapping[str, Any], locale: str, required: bool
) -> Field:
    ui = service.form.ui[name]
    schema = service.form.json_schema["properties"][name]
    codes = schema.get("enum", ())
    labels = dictionary(ui.dictionary) if ui.dictionary else {}
    return Field(
        name=name,
        label=ui.label.of(locale),
        hint=ui.hint.of(locale) if ui.hint else "",
        widget=ui.widget,
        unit=ui.unit,
        value=written(payload.get(name), ui.widget, locale),
        required=required,
        options=[(str(c), labels.get(str(c), {}).get(locale, str(c))) for c in codes],
    )


def written(value: Any, widget: str, locale: str) -> str:
    """A value as people of the language write it."""
    if value is None:
        return ""
    if (
        widget == "date"
        and locale == "ru"
        and isinstance(value, str)
        and len(value) == 10
        and value[4] == "-"
    ):
        return ".".join(reversed(value.split("-")))
    if isinstance(value, float):
        text = f"{value:.10g}"
        return text.replace(".", ",") if locale == "ru" else text
    return str(value)


def spine(service: ServiceDefinition, state: State, role: Role, locale: str) -> list[Stage]:
    """The stages of a case; where it stands beside the straight way, that state takes the place."""
    side: Literal["applicant", "staff"] = "applicant" if role == Role.applicant else "staff"
    way = [s for s in _WAY if s in service.states]
    here = state if state in way else _BESIDE[state]
    stages: list[Stage] = []
    for position, stage in enumerate(way):
        mark: Literal["done", "current", "ahead"] = (
            "current" if stage == here else "done" if position < way.index(here) else "ahead"
        )
        label = service.label(state if mark == "current" else stage, side, locale)
        if stages and stages[-1].label == label:
            # Two states with one word are one stage for this reader.
            stages[-1] = Stage(label, "current" if "current" in (mark, stages[-1].mark) else mark)
            continue
        stages.append(Stage(label, mark))
    if state in FINAL and stages:
        stages[-1] = Stage(stages[-1].label, "current")
    return stages


def shown_findings(found: Sequence[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], int]:
    """Findings that need a reader, and the number of rules that found nothing."""
    open_ = [f for f in found if f["outcome"] != "clear"]
    return open_, len(found) - len(open_)


def payload_of(form: Mapping[str, Any], service: ServiceDefinition) -> dict[str, str]:
    """The fields of the service among what a form sent."""
    return {name: str(form[name]) for name in service.form.ui if name in form}


def reasons_of(form: Mapping[str, Any]) -> dict[str, str]:
    """Reasons given to warnings."""
    head = "acknowledgements."
    return {name.removeprefix(head): str(value) for name, value in form.items() if name.startswith(head)}


def pieces(found: Sequence[Mapping[str, Any]], locale: str) -> list[dict[str, Any]]:
    """The offending pieces for the map, each with its area as label; the gravest is drawn last."""
    grave = ("info", "warn", "block")
    hits = [f for f in found if f["piece"] and f["outcome"] == "hit" and f["severity"] in grave]
    return [
        {
            "rule": f["rule"],
            "severity": f["severity"],
            "geometry": f["piece"],
            "label": language.area(f["area_m2"], locale) if f["area_m2"] else "",
        }
        for f in sorted(hits, key=lambda f: grave.index(f["severity"]))
    ]


def map_data(
    dossier: Dossier, found: Sequence[Mapping[str, Any]], locale: str, extent: Sequence[float] | None = None
) -> dict[str, Any]:
    """What the map of a case draws."""
    boundary = dossier.geometry
    return {
        "boundary": boundary["geometry"] if boundary else None,
        "bbox": (boundary["bbox"] if boundary else None) or extent,
        "change": {k: v["geometry"] for k, v in boundary["change"].items()} if boundary else {},
        "pieces": pieces(found, locale),
        "subject": [dossier.case.subject_layer, dossier.case.subject_id] if dossier.case.subject_id else None,
    }


def file_view(row: Mapping[str, Any], request: Request) -> dict[str, Any]:
    """A file with a boundary as its page shows it: what is asked, or why it was refused, in the visitor's language."""
    problem, locale = row["problem"], locale_of(request)
    message = remedy = ""
    if problem:
        told = [sentence_of(problem[part]) for part in ("message", "remedy")]
        message, remedy = language.problem(locale, problem["code"], told[0], told[1])
    return {
        "id": row["id"],
        "name": row["file_name"],
        "status": row["status"],
        "busy": row["status"] in boundary_file.BUSY,
        "question": row["question"],
        "choices": row["choices"],
        "read": row["objects_read"],
        "message": message,
        "remedy": remedy,
        "place": problem.get("place"),
    }


def open_file(dossier: Dossier, request: Request) -> dict[str, Any] | None:
    """The file of which the page has to tell: one under way, or refused since the boundary was set last."""
    row = dossier.file
    if row is None or row["status"] == "done":
        return None
    since = dossier.geometry["made_at"] if dossier.geometry else None
    if row["status"] == "refused" and since and since > row["changed_at"]:
        return None
    return file_view(dict(row), request)


def first_due(dossier: Dossier) -> date | None:
    """The first term that runs out."""
    due = [t["due_on"] for t in dossier.terms if t["due_on"] and not t["ended_at"]]
    return min(due, default=None)


def buttons(dossier: Dossier) -> list[Action]:
    """Actions that have a button of their own; submitting and answering belong to the form."""
    return [a for a in dossier.actions if a not in (Action.submit, Action.answer, Action.amend, Action.lapse)]


def mistakes(problems: Sequence[Mapping[str, str]], error: MezhaError | None, locale: str) -> dict[str, str]:
    """Mistakes by their fields; a wrong code stands beside its field too."""
    found = {p["field"]: p[locale] for p in problems}
    if isinstance(error, CodeError | SignedOtherwiseError):
        found["code"] = language.translate(locale, _CODES[error.code])
    return found
