"""Every parameter of the documented operations, with values nobody meant: no answer is a server error."""

from typing import Any

import psycopg
import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as rules

from geo.settings import Settings
from tests.conftest import make_object

PATHS = (
    "/api/v1/spatial",
    "/api/v1/search",
    "/api/v1/objects",
    "/collections",
    "/conformance",
    "/tileMatrixSets",
    "/",
)


@pytest.fixture(scope="module", autouse=True)
def things(settings: Settings) -> None:
    """A few objects, so that conditions have rows to fail on."""
    with psycopg.connect(settings.database_url, autocommit=True) as c:
        for name in ("zones", "stands", "leases", "waste_sites"):
            make_object(c, name)


def _ours(path: str) -> bool:
    if path.startswith("/collections/"):
        return path.startswith("/collections/zones")
    return path in ("/", "/collections", "/conformance") or path.startswith(PATHS[:-1])


@pytest.mark.parametrize(("document", "examples"), [("/ogc/api", 12), ("/api/openapi.json", 10)])
def test_no_value_is_a_server_error(server: str, document: str, examples: int) -> None:
    schema = schemathesis.openapi.from_url(server + document)
    walked = 0
    for found in schema.get_all_operations():
        operation: Any = found.ok()
        if not _ours(operation.path):
            continue
        walked += 1
        base = f"{server}/ogc" if document == "/ogc/api" else server

        @rules(
            max_examples=examples, deadline=None, database=None, derandomize=True,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def answered(case: Any) -> None:
            answer = case.call(base_url=base, timeout=20)  # noqa: B023 (called in the same turn)
            assert answer.status_code < 500, (answer.status_code, answer.request.url, answer.text[:300])

        answered()
    assert walked >= 8


HOSTILE = [
    "/ogc/collections/zones/items?filter=%00", "/ogc/collections/zones/items?filter=name%20=%20'%00'",
    "/ogc/collections/zones/items?bbox=1e400,0,1,1", "/ogc/collections/zones/items?number=%00",
    "/ogc/collections/zones/items?datetime=0000-00-00", "/ogc/collections/zones/items?datetime=9999-12-31/..",
    "/ogc/collections/zones/items?as_of=0001-01-01T00:00:00%2B14:00", "/ogc/collections/zones/items?after=999999999999999999",
    "/ogc/collections/zones/items?filter=area_m2%20%3D%201e999", "/ogc/collections/zones/items?area_m2=nan",
    "/ogc/collections/zones/items?area_m2=1e999", "/ogc/collections/cutting_areas/items?year=99999999999999999999",
    "/ogc/collections/zones/items?filter=established_on%20%3D%20DATE('9999-12-31')",
    "/ogc/collections/zones/items?filter=S_INTERSECTS(geometry,POINT(1e308%201e308))",
    "/ogc/collections/zones/items?filter=number%20LIKE%20'%5C'", "/ogc/collections/zones/items?crs=%00",
    "/ogc/collections/zones/items/999999999999999999", "/ogc/collections/%00/items", "/ogc/crs/%00",
    "/api/v1/search?q=%00%00%00", "/api/v1/search?q=%25%25%25", "/api/v1/spatial/at?lon=180&lat=90&radius=5000",
    "/api/v1/spatial/at?lon=-180&lat=-90&datetime=0001-01-01", "/api/v1/spatial/nearest?lon=0&lat=90",
    "/api/v1/spatial/overlaps?kinds=%00", "/api/v1/spatial/questions/%00", "/api/v1/spatial/summary?layer=zones&by=%00",
    "/api/v1/spatial/summary?layer=stands&within=zones/999999999999999999",
]  # fmt: skip


@pytest.mark.parametrize("path", HOSTILE)
def test_hostile_values_are_answered(server: str, path: str) -> None:
    import requests

    answer = requests.get(server + path, timeout=20)
    assert answer.status_code < 500, answer.text
