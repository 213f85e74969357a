"""A giant among the parcels of a plan: turned away alone, or with the whole file, as the profile says."""

from pathlib import Path

import psycopg
import pytest

from geo.settings import Settings
from ingest.errors import RefusedError
from ingest.pipeline import Options, ingest
from ingest.profile import profile

PLAN = "rosreestr-kpt-xml/kpt11_fragment_24_21_1003001_full.xml"
# Megabytes: the larger parcels of the plan take more, the smaller ones less.
LIMIT = 0.006


@pytest.mark.parametrize("rule", ["reject", "refuse"])
def test_a_giant_goes_the_way_of_every_bad_row(settings: Settings, shared_data: Path, rule: str) -> None:
    kept = profile("rosreestr-kpt").model_copy(update={"bad_rows": rule})
    url, path, options = settings.url_for("registrar"), shared_data / PLAN, Options(object_mb=LIMIT)
    counted = "SELECT count(*) FROM register.parcels"
    with psycopg.connect(settings.database_url) as owner:
        before = owner.execute(counted).fetchone()
    if rule == "refuse":
        with pytest.raises(RefusedError, match="takes whole files only"):
            ingest(url, kept, path, options)
    else:
        result = ingest(url, kept, path, options)
        giants = [p for p in result.problems if p.code == "giant-object"]
        assert giants and result.counts["new"] > 0
        assert result.counts["read"] == result.counts["new"] + result.counts["rejected"]
    with psycopg.connect(settings.database_url) as owner:
        assert (owner.execute(counted).fetchone() == before) == (rule == "refuse")
