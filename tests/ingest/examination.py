"""Examination: a file read and checked without a database, as the tests of bad files want it."""

import zipfile
from pathlib import Path

import pytest

from geo.crs import Catalogue, seeded
from geo.errors import MezhaError
from geo.layers import layer
from geo.settings import OBJECT_MB
from ingest.check import check
from ingest.normalise import normalise
from ingest.placement import placement_of
from ingest.problem import Problem
from ingest.profile import Profile
from ingest.readers.catalogue import reader_for
from ingest.source import Source

CATALOGUE = Catalogue(seeded())
ANY = Profile.model_validate(
    {
        "name": "any",
        "title": {"ru": "любой", "en": "any"},
        "layer": "zones",
        "key": "any",
        "region": {"constant": "54"},
        "geometry": {"broken": "repair", "missing": "reject"},
        "fields": {},
    }
)


def examine(path: Path, known: Profile = ANY, *, object_mb: float = OBJECT_MB) -> tuple[int, list[Problem]]:
    """Rows and problems of a file, read and checked without a database; MezhaError where it is refused."""
    source = Source.open(path, object_mb=object_mb)
    rows, problems = 0, []
    for batch in reader_for(source, known.reader, known.read).batches(source, known.source_layer):
        rows += len(batch.rows)
        placed = placement_of(batch, known, CATALOGUE, None)
        problems += [*batch.problems, *normalise(batch, known).problems]
        problems += check(batch, known, layer(known.layer), placed).problems
    return rows, problems


def refusal(path: Path, known: Profile = ANY, *, object_mb: float = OBJECT_MB) -> MezhaError:
    """The refusal of a file, which must name a cure."""
    with pytest.raises(MezhaError) as err:
        examine(path, known, object_mb=object_mb)
    assert err.value.message
    assert err.value.remedy
    return err.value


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return path
