"""Reports: what a run found and did, as JSON, as a page that opens without internet, and for the eye."""

import json
from collections import Counter
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
import yaml
from rich.console import Console
from rich.table import Table

from geo import remarks
from geo.crs import Catalogue, reproject
from geo.errors import CrsError, MezhaError
from geo.session import connect
from ingest import problem_map, rejects
from ingest.pipeline import Result
from ingest.problem import Problem

COUNTS = {
    "read": ("прочитано", "read"),
    "new": ("новых", "new"),
    "changed": ("изменено", "changed"),
    "unchanged": ("без изменений", "unchanged"),
    "gone": ("закрыто", "closed"),
    "rejected": ("отклонено", "rejected"),
    "warnings": ("предупреждений", "warnings"),
}
STATUSES = {
    "done": ("загружено", "loaded"),
    "dry": ("пробный прогон: ничего не изменено", "dry run: nothing was changed"),
    "waiting": ("ждёт решения: ничего не изменено", "waits for a decision: nothing was changed"),
    "refused": ("отказано: ничего не изменено", "refused: nothing was changed"),
}
ROWS = 1_000


@cache
def titles() -> dict[str, dict[str, str]]:
    """Kinds of problem by code, ru and en."""
    return yaml.safe_load(files("ingest").joinpath("problem_titles.yaml").read_text("utf-8"))  # type: ignore[no-any-return]


def title(code: str) -> str:
    """A kind of problem as people read it: Russian, then English; the code itself where nobody wrote one."""
    found = titles().get(code)
    return f"{found['ru']} · {found['en']}" if found else code


def document(result: Result) -> dict[str, Any]:
    """The result as plain data."""
    return {
        "run": result.run,
        "profile": result.profile,
        "layer": result.layer,
        "file": result.file,
        "sha256": result.sha256,
        "status": result.status,
        "crs": result.crs,
        "notes": result.notes,
        "resumed": result.resumed,
        "counts": result.counts,
        "problems": [vars(p) for p in result.problems],
    }


def write(result: Result, folder: Path, url: str) -> list[Path]:
    """Write ``run-N.json``, ``run-N.html`` and, where rows were turned away, ``run-N-rejected.gpkg``; returns them."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / f"run-{result.run}"
    written = [stem.with_suffix(".json"), stem.with_suffix(".html")]
    written[0].write_text(json.dumps(document(result), ensure_ascii=False, indent=1), "utf-8")
    with connect(url) as connection:
        package = folder / f"run-{result.run}-rejected.gpkg"
        if rejects.write(connection, result.run, result.profile, package):
            written.append(package)
        outlines = _outlines(rejects.of_run(connection, result.run), result, Catalogue.load(connection))
    written[1].write_text(page(result, outlines, package.name if package in written else ""), "utf-8")
    return written


def write_refusal(err: MezhaError, profile: tuple[str, str], file: Path, folder: Path) -> list[Path]:
    """JSON and page of a file that was refused whole: the reason stands in the place of its rows. ``profile``: name, layer."""
    folder.mkdir(parents=True, exist_ok=True)
    reason = Problem(0, err.code, err.field or "file", err.value, err.message, err.remedy)
    result = Result(0, *profile, file.name, "", status="refused", problems=[reason])
    stem = folder / f"refused-{file.stem}"
    written = [stem.with_suffix(".json"), stem.with_suffix(".html")]
    written[0].write_text(json.dumps(document(result), ensure_ascii=False, indent=1), "utf-8")
    written[1].write_text(page(result, [], ""), "utf-8")
    return written


def _outlines(rejected: list[rejects.Rejected], result: Result, catalogue: Catalogue) -> list[Any]:
    """Rejected geometries in WGS 84, where their system is known."""
    placed: list[Any] = []
    system = catalogue.find(result.crs[0]) if len(result.crs) == 1 else None
    for row in rejected[: problem_map.SHAPES]:
        found = system or (catalogue.find(row.crs) if row.crs else None)
        if found is None or row.geometry is None:
            continue
        try:
            shape = reproject(np.array([row.geometry], dtype=object), found.definition)[0]
        except CrsError:
            continue
        if np.isfinite(shape.bounds).all() and abs(shape.bounds[1]) <= 90 and abs(shape.bounds[3]) <= 90:
            placed.append(shape)
    return placed


def page(result: Result, outlines: list[Any], package: str) -> str:
    """The self-contained page of a run."""
    drawn = problem_map.html(result.problems, outlines, {code: title(code) for code in titles()})
    ru, en = STATUSES.get(result.status, (result.status, result.status))
    template = Template(files("ingest").joinpath("report.html").read_text("utf-8"))
    return template.substitute(
        title=escape(f"{result.file} → {result.layer}"),
        run=result.run,
        status_ru=escape(ru),
        status_en=escape(en),
        facts=_facts(result),
        counts="".join(
            f'<div class="count {name}"><b>{result.counts.get(name, 0):,}</b><span>{names[0]}</span><i>{names[1]}</i></div>'.replace(
                ",", " "
            )
            for name, names in COUNTS.items()
        ),
        kinds=_kinds(result.problems),
        map=f'<iframe title="Карта дефектов" srcdoc="{escape(drawn, quote=True)}"></iframe>'
        if drawn
        else "<p>Ни у одного дефекта нет места на карте. · No problem has a place on the map.</p>",
        rows=_rows(result.problems),
        package=_package(result, package),
    )


def _facts(result: Result) -> str:
    facts = {
        "Профиль · Profile": result.profile,
        "Слой · Layer": result.layer,
        "Система координат · CRS": ", ".join(result.crs) or "—",
        "SHA-256": result.sha256,
        "Решено по признакам · Decided by evidence": "; ".join(result.notes) or "—",
    }
    return "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in facts.items())


def _kinds(problems: list[Problem]) -> str:
    counted = Counter((p.code, p.warning) for p in problems).most_common()
    if not counted:
        return '<tr><td colspan="4">Замечаний нет. · Nothing to remark.</td></tr>'
    first = {p.code: p for p in reversed(problems)}
    return "".join(
        f'<tr class="{_class(warning)}"><td>{escape(title(code))}</td><td><code>{escape(code)}</code></td>'
        f"<td class=n>{count}</td><td>{_bilingual(first[code].remedy)}</td></tr>"
        for (code, warning), count in counted
    )


def _class(warning: bool) -> str:
    return "warning" if warning else "rejected"


def _rows(problems: list[Problem]) -> str:
    ordered = sorted(problems, key=lambda p: (p.warning, p.row))[:ROWS]
    rest = len(problems) - len(ordered)
    body = "".join(
        f'<tr class="{_class(p.warning)}"><td class=n>{p.row}</td><td>{escape(title(p.code))}</td>'
        f"<td>{escape(p.field)}</td><td><code>{escape(p.value)}</code></td>"
        f"<td>{_bilingual(p.message, p.remedy)}</td><td>{_place(p)}</td></tr>"
        for p in ordered
    )
    more = f'<tr><td colspan="6">… ещё {rest} · {rest} more in the JSON</td></tr>' if rest else ""
    return body + more


def _bilingual(*sentences: str) -> str:
    """Sentences in Russian with the English ones below, or once where they are the same."""
    russian, english = (" ".join(remarks.said(s, locale) for s in sentences) for locale in ("ru", "en"))
    return escape(russian) + (f'<i lang="en">{escape(english)}</i>' if english != russian else "")


def _place(p: Problem) -> str:
    return f"{p.lon:.6f} {p.lat:.6f}" if p.lon is not None and p.lat is not None else ""


def _package(result: Result, package: str) -> str:
    if not package:
        return ""
    command = f"mezha ingest {result.profile} {package} --part"
    return (
        f"<section><h2>Исправить и загрузить снова <i>Mend and load again</i></h2><p>Отклонённые строки с причинами — в файле "
        f"<code>{escape(package)}</code>. Исправьте их в QGIS и загрузите: <code>{escape(command)}</code>. "
        f"<i>The rejected rows with their reasons are in that file: mend them in QGIS and load them with this command.</i></p></section>"
    )


def show(result: Result, console: Console) -> None:
    """Print the counts, what was decided by evidence, and the kinds of problem."""
    console.print(
        f"{result.file} → {result.layer} ({result.profile}), {result.status}; CRS {', '.join(result.crs) or '—'}",
        highlight=False,
    )
    for note in result.notes[:12]:
        console.print(f"  {note}", highlight=False)
    table = Table(*COUNTS)
    table.add_row(*(str(result.counts.get(name, 0)) for name in COUNTS))
    console.print(table)
    for (code, warning), count in Counter((p.code, p.warning) for p in result.problems).most_common(12):
        first = next(p for p in result.problems if p.code == code)
        console.print(
            f"{'warning' if warning else 'rejected'}  {code} × {count}: row {first.row}: {first.message} {first.remedy}",
            highlight=False,
        )
