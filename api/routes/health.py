"""Readiness and metrics."""

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.params import DatabaseDep
from geo import health

router = APIRouter(tags=["operation"])


@router.get("/healthz")
async def healthz(request: Request, response: Response, database: DatabaseDep) -> dict[str, str]:
    """Whether the database answers and has the structure that this release needs."""
    state = await health.readiness(database)
    response.status_code = 200 if state.ready else 503
    return {
        "status": "ready" if state.ready else "not-ready",
        "database": state.database,
        "migrations": state.migrations,
    }


@router.get("/metrics", include_in_schema=False)
async def metrics() -> Response:
    """Prometheus metrics of this process."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
