"""A profile proposed for a file: the best known one where it fits, else a YAML to start from."""

import re
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
import yaml

from geo.layers import all_layers, layer
from ingest import reference_profile
from ingest.batch import Batch
from ingest.errors import RefusedError
from ingest.normalise import template_columns
from ingest.profile import FieldRule, Profile, built_in
from ingest.readers.catalogue import reader_for
from ingest.source import Source

# Words by which columns of registers are known, ru and en.
_WORDS: dict[str, str] = {
    "number": r"(рег\w*\s*|учетн\w*\s*|учётн\w*\s*)?(номер|№|number|no|num|code|код|license.?code|expediente|tag)",
    "name": r"(наимен\w*|назван\w*|name|nombre|title|nm)",
    "status": r"(состоян\w*|статус|status|estado|state)",
    "kind": r"(вид\w*|тип|type|tipo|kind|category|категор\w*)",
    "holder": r"(арендатор|пользовател\w*|владел\w*|holder|owner|concesiona\w*|лицо)",
    "holder_inn": r"(инн|inn)",
    "minerals": r"(пи|вид_пи|полезн\w*|mineral\w*|commodity|resource_type)",
    "issued_on": r"(дата.?выдачи|issue\w*|start.?date|fecha\w*|дата.?пр\w*|order_date)",
    "expires_on": r"(дата.?оконч\w*|expir\w*|good_to\w*|срок)",
    "area_declared_m2": r"(площ\w*|area\w*|area_ha|hectares|feature_area_sqm)",
    "registered_on": r"(дата.?(регистр|учет|учёт|постан)\w*|registered\w*)",
    "quarter": r"(квартал|quarter|kv)",
    "age": r"(возраст|age)",
    "species": r"(порода|species\w*|maintreespecies)",
    "forestry": r"(лесничеств\w*|forestry|lesnichestvo)",
    "address": r"(адрес|address|местополож\w*)",
    "cadastral_number": r"(кадастров\w*\s*номер|cad_?num\w*)",
}
_LAYER_WORDS: dict[str, str] = {
    "licences": r"лиценз|license|licen[cs]e|недр|subsoil|mineral|concesion|expediente|вид_пи|resource_type",
    "deposits": r"месторожд|deposit|запас",
    "leases": r"аренд|lease|tenure|tfl",
    "stands": r"выдел|stand|порода|species|бонитет|таксац",
    "quarters": r"квартал|quarter",
    "forestries": r"лесничеств|frname|forestr",
    "parcels": r"кадастр|parcel|земельн",
    "waste_sites": r"отход|waste|нвос|груоро|фкко",
    "cutting_areas": r"лесосек|cutting",
    "zones": r"зон|zone|wha|ogma|охран|waterbody|habitat",
    "municipalities": r"муниц|region|country|admin|oktmo|октмо",
}


@dataclass(frozen=True)
class Guess:
    """What fits a file: known profiles best first with the share of their columns, and a YAML to start from."""

    fitting: list[tuple[str, float]]
    yaml: str
    notes: tuple[str, ...]


def guess(path: Path) -> Guess:
    """Propose a profile; RefusedError where the file cannot be read."""
    source = Source.open(path)
    reader = reader_for(source)
    names = reader.layers(source)
    batch = next(
        (b for name in names[:3] for b in islice(reader.batches(source, name), 1) if len(b.rows)), None
    )
    if batch is None:
        raise RefusedError(f"{path.name} holds no rows.", "Ask its sender for the file again.", field="file")
    columns = {str(c) for c in batch.columns.columns}
    fitting = sorted(
        ((name, share) for name, share in _shares(columns) if share >= 0.6), key=lambda item: -item[1]
    )
    return Guess(fitting[:5], _yaml(path, reader.name, batch, names), batch.notes)


def _shares(columns: set[str]) -> list[tuple[str, float]]:
    wanted = [(p.name, _needed(p)) for p in built_in().values()]
    lists = (p for p in reference_profile.built_in().values())
    wanted += [(p.name, {*template_columns(p.code), *p.entry.sources}) for p in lists]
    return [(name, len(need & columns) / len(need)) for name, need in wanted if need]


def _needed(profile: Profile) -> set[str]:
    rules: list[FieldRule] = [*profile.fields.values(), profile.region]
    names = {rule.sources[0] for rule in rules if rule.sources}
    return names | set(template_columns(profile.key))


def _yaml(path: Path, reader: str, batch: Batch, names: list[str]) -> str:
    """A profile that runs as soon as somebody has looked at key, layer and region."""
    columns = [str(c) for c in batch.columns.columns]
    target = _layer_of(path, columns, batch)
    fields = {p.name for p in layer(target).properties}
    taken: dict[str, dict[str, str]] = {}
    for name, pattern in _WORDS.items():
        column = next((c for c in columns if re.fullmatch(pattern, c.strip(), re.IGNORECASE)), None)
        if name in fields and column is not None and all(column != t.get("from") for t in taken.values()):
            taken[name] = {"from": column, **_conversion(name, column)}
    for required in ("number", "name"):
        if required in fields and required not in taken and not {"number", "name"} & set(taken):
            taken[required] = {"from": columns[0]}
    shapes = batch.geometries[~np.asarray(shapely.is_missing(batch.geometries))]
    document = {
        "name": re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-") or "new-register",
        "title": {"ru": path.stem, "en": path.stem},
        "layer": target,
        **({"reader": reader} if reader not in ("vector", "geojson") else {}),
        **({"source_layer": names[0]} if len(names) > 1 else {}),
        "snapshot": "delta",
        "key": f"{path.stem}:{{{_key(batch)}}}",
        "region": {"constant": "RU"},
        "crs": {"policy": "declared" if batch.crs or not len(shapes) else "fixed"}
        | ({} if batch.crs or not len(shapes) else {"fixed": "EPSG:4326"}),
        "geometry": {"broken": "repair", "missing": "reject" if len(shapes) else "accept"},
        "fields": taken or {next(iter(sorted(fields))): {"from": columns[0]}},
    }
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=120)


def _conversion(name: str, column: str) -> dict[str, str]:
    if name == "area_declared_m2":
        unit = (
            "km2"
            if re.search("км|km", column, re.I)
            else "m2"
            if re.search("m2|sqm|м2", column, re.I)
            else "ha"
        )
        return {"as": "number", "unit": unit, "bad": "warn"}
    if name.endswith("_on"):
        return {"as": "date", "bad": "warn"}
    if name == "age":
        return {"as": "integer", "bad": "warn"}
    return {"as": "inn", "bad": "warn"} if name == "holder_inn" else {}


def _key(batch: Batch) -> str:
    """The first column that tells every row from every other; the register's own number before anything else."""
    columns = batch.columns.head(5000)

    def unique(name: str) -> bool:
        values: pd.Series = columns[name]
        return bool(values.notna().all() and not values.astype(str).duplicated().any())

    names = [str(c) for c in columns.columns]
    likely = [
        n for n in names if re.search(r"(^|_)(guid|uuid|id|fid|code|number|номер|expediente|код|№)", n, re.I)
    ]
    fitting = next((n for n in [*likely, *names] if unique(n)), None)
    # None tells every row apart: the one that comes nearest shows the registrar what stands twice.
    return fitting or max(likely or names, key=lambda n: columns[n].astype(str).nunique())


def _layer_of(path: Path, columns: list[str], batch: Batch) -> str:
    text = " ".join([path.stem, *columns]).lower()
    scores = {name: len(re.findall(pattern, text)) for name, pattern in _LAYER_WORDS.items()}
    shapes = batch.geometries[~np.asarray(shapely.is_missing(batch.geometries))]
    points = len(shapes) > 0 and bool((shapely.get_dimensions(shapes) == 0).all())
    fitting = {
        name: score for name, score in scores.items() if points == (all_layers()[name].geometry == "POINT")
    } or scores
    return max(fitting, key=lambda name: fitting[name])
