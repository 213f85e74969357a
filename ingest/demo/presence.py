"""Whether a database is to hold the demo region and does not yet; asked at every start, so it imports little."""

from geo.session import connect

# Deliveries of the full region: twelve registers first, then those that changed (a test counts them).
DELIVERIES = 33
_RUNS = """
SELECT count(*) FILTER (WHERE profile NOT LIKE 'demo-%'),
       count(DISTINCT (profile, sha256)) FILTER (WHERE profile LIKE 'demo-%' AND status = 'done')
FROM ingest.runs WHERE NOT dry
"""
_HELD = "SELECT EXISTS (SELECT FROM register.municipalities) OR EXISTS (SELECT FROM register.parcels)"


def wanted(url: str) -> bool:
    """Whether the registers are empty, or hold the beginning of the demo region and nothing else."""
    with connect(url) as connection:
        others, done = connection.execute(_RUNS).fetchone() or (1, 0)
        held = connection.execute(_HELD).fetchone() == (True,)
    return not others and done < DELIVERIES and not (held and not done)
