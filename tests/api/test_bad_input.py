"""Bad input: a problem document that names the value and the cure, never a 500."""

import httpx
import pytest

BAD = {
    "/tiles/nothing/3/1/1.mvt": 404,
    "/tiles/licences/3/8/1.mvt": 400,
    "/tiles/licences/99/0/0.mvt": 400,
    "/tiles/licences/-1/0/0.mvt": 400,
    "/tiles/licences/a/b/c.mvt": 400,
    "/tiles/licences/3/1/1.mvt?datetime=2024-02-30": 400,
    "/tiles/licences/3/1/1.mvt?as_of=2999-01-01": 400,
    "/tiles/licences/3/1/1.mvt?colour=red": 400,
    "/ogc/collections/nothing": 404,
    "/ogc/collections/nothing/items": 404,
    "/ogc/collections/zones/items?limit=0": 400,
    "/ogc/collections/zones/items?limit=-1": 400,
    "/ogc/collections/zones/items?limit=many": 400,
    "/ogc/collections/zones/items?bbox=nan,0,1,1": 400,
    "/ogc/collections/zones/items?bbox=0,10,1,1": 400,
    "/ogc/collections/zones/items?bbox=1,2,3": 400,
    "/ogc/collections/zones/items?datetime=yesterday": 400,
    "/ogc/collections/zones/items?datetime=2024-01-02/2023-01-01": 400,
    "/ogc/collections/zones/items?unknown=1": 400,
    "/ogc/collections/zones/items?established_on=never": 400,
    "/ogc/collections/zones/items/99999999": 404,
    "/ogc/collections/zones/items/abc": 404,
    "/ogc?f=docx": 400,
    "/api/v1/nothing": 404,
}


@pytest.mark.parametrize(("path", "status"), BAD.items())
async def test_bad_input_is_a_problem_document(client: httpx.AsyncClient, path: str, status: int) -> None:
    answer = await client.get(path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] and problem["title"] and problem["detail"]


async def test_a_huge_limit_is_clamped(client: httpx.AsyncClient) -> None:
    answer = await client.get("/ogc/collections/zones/items?limit=1000000000")
    assert answer.status_code == 200


async def test_a_missing_database_is_a_problem_document(settings: object, tmp_path: object) -> None:
    from geo.settings import Settings
    from tests.conftest import client_of

    lost = Settings(database_url="postgresql://nobody@/nothing?host=/nowhere")
    async with client_of(lost) as client:
        for path in ("/ogc/collections/zones/items", "/tiles/zones/12/1/1.mvt"):
            answer = await client.get(path)
            assert answer.status_code == 503, answer.text
            assert answer.json()["code"] == "database-missing"
        assert (await client.get("/healthz")).status_code == 503
