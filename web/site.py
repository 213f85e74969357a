"""The site: its pages, its static files and the libraries that pages load."""

from pathlib import Path

from fastapi import Depends, FastAPI
from starlette.staticfiles import StaticFiles

from geo.settings import Settings
from web.csrf import guard
from web.headers import PageHeaders
from web.pages import (
    acting,
    boundaries,
    cabinet,
    calendar,
    certificates,
    documents,
    entry,
    home,
    imports,
    journal,
    login,
    manual,
    messages,
    office_cases,
    passkeys,
    preferences,
    profile,
    providers,
    rasters,
    registers,
    security,
    staff,
    status,
    team,
    verify,
    viewer,
    webhooks,
)

ROOT = Path(__file__).parent
# Only what pages really load leaves node_modules.
LIBRARIES = {
    "maplibre": "maplibre-gl/dist",
    "htmx": "htmx.org/dist",
    "topojson": "topojson-client/dist",
    "world": "world-atlas",
    "golos": "@fontsource/golos-text",
    "swagger": "swagger-ui-dist",
    "terra-draw": "terra-draw/dist",
    "terra-draw-maplibre": "terra-draw-maplibre-gl-adapter/dist",
    "pkijs": "pkijs/build",
    "asn1js": "asn1js/build",
    "bytestreamjs": "bytestreamjs/build",
    "peculiar": "@peculiar/utils/build",
    "noble": "@noble/hashes",
}
PAGES = (
    home.router,
    imports.router,
    rasters.router,
    viewer.router,
    registers.router,
    status.router,
    manual.router,
    login.router,
    entry.router,
    profile.router,
    cabinet.router,
    boundaries.router,
    messages.router,
    calendar.router,
    preferences.router,
    webhooks.router,
    office_cases.router,
    documents.router,
    verify.router,
    security.router,
    passkeys.router,
    team.router,
    staff.router,
    providers.router,
    acting.router,
    journal.router,
    certificates.router,
)


def mount(app: FastAPI, settings: Settings) -> None:
    """Add pages and static files to the application."""
    for router in PAGES:
        app.include_router(router, include_in_schema=False, dependencies=[Depends(guard)])
    # Printed maps are set in the typeface of the pages.
    app.state.fonts = ROOT / "node_modules" / LIBRARIES["golos"] / "files"
    for name, folder in LIBRARIES.items():
        path = ROOT / "node_modules" / folder
        app.mount(f"/lib/{name}", StaticFiles(directory=path, check_dir=False), name=f"lib-{name}")
    app.mount("/static", StaticFiles(directory=ROOT / "static"), name="static")
    app.add_middleware(PageHeaders, settings=settings)
