"""Every surface of Mezha and how the leak suite asks it: a new route needs a row here (docs/access.md).

A row names the path template as the route table has it, and the addresses to call; ``{id}`` runs over every object
of the data set with its ``{layer}``, ``{layer}`` alone over its layers, ``{word}`` over marks and ``{tile}`` over the
tiles where the objects lie.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from morecantile import tms

from tests.access.people import DRAFT, FAR, LODGED, QUESTION
from tests.access.world import MARK, OBJECTS, Object

LAYERS = tuple(dict.fromkeys(o.layer for o in OBJECTS))
_grid = tms.get("WebMercatorQuad")


@dataclass(frozen=True)
class Surface:
    """A surface. ``shows``: an administrator must see a mark, or the row tests nothing. ``volatile``: its answers
    differ by themselves, so that only marks are looked for. ``silent``: the reason why it is not called.
    """

    template: str
    calls: tuple[str, ...] = ()
    method: str = "GET"
    shows: bool = False
    volatile: bool = False
    silent: str = ""
    body: str = ""

    def addresses(self) -> Iterator[str]:
        """The addresses to call."""
        for call in self.calls:
            if "{id}" in call:
                for o in OBJECTS[:: 1 if self.shows and "?" not in call else 3]:
                    yield call.replace("{id}", str(o.id)).replace("{layer}", o.layer)
            elif "{layer}/{tile}" in call:
                yield from (call.replace("{layer}/{tile}", f"{layer}/{tile}") for layer, tile in TILES)
            elif "{layer}" in call:
                yield from (call.replace("{layer}", layer) for layer in LAYERS)
            elif "{case}" in call:
                yield from (call.replace("{case}", str(case)) for case in (DRAFT, LODGED, FAR))
            elif "{place}" in call:
                yield from (call.replace("{place}", place(o)) for o in OBJECTS[::4])
            else:
                yield call


def place(target: Object) -> str:
    """A spot within an object."""
    return f"lon={target.corner[0] + 0.012:.5f}&lat={target.corner[1] + 0.005:.5f}"


def _tiles() -> Iterator[tuple[str, str]]:
    for target in OBJECTS[::2]:
        for zoom in (4, 12) if target.n % 4 == 1 else (12,):
            tile = _grid.tile(target.corner[0] + 0.012, target.corner[1] + 0.005, zoom)
            yield target.layer, f"{tile.z}/{tile.x}/{tile.y}"


TILES = tuple(dict.fromkeys(_tiles()))
OGC_TILES = tuple(
    f"/ogc/collections/{layer}/tiles/WebMercatorQuad/{z}/{y}/{x}"
    for layer, (z, x, y) in ((layer, tile.split("/")) for layer, tile in TILES[::3])
)
TILES_OF_ALL = tuple(
    f"/ogc/tiles/WebMercatorQuad/{z}/{y}/{x}"
    for z, x, y in dict.fromkeys(tuple(tile.split("/")) for _, tile in TILES[::3])
)
PAST = "as_of=2026-01-15T00:00:00Z"
_LICENCES = "/ogc/collections/licences/items"
# Filters that ask for a hidden value, and that fail on a hidden row if it is evaluated before the access decides.
_FILTERS = (
    f"filter=number+LIKE+'{MARK}%25'",
    "filter=area_m2/(area_m2-7654321007.5)>0",
    "filter=area_m2>7654321000",
    f"key={MARK}7{MARK}",
    "holder_inn=7000000003",
)
_PARTS = (
    "limit=1",
    "f=html",
    "f=csv",
    "bbox=90,50,120,80",
    "after=910000003",
    "crs=http://www.opengis.net/def/crs/EPSG/0/3857",
    *_FILTERS,
)
FILES = ("flatgeobuf", "geoparquet", "gpkg", "shapefile", "dxf", "kml")
OWN = "changes the person's own account only; tests/accounts and tests/web show it"
ELSEWHERE = "leads to the identity provider"
# A polygon over the fourth object, a licence.
AREA = '{"type":"Polygon","coordinates":[[[95.3,61.4],[95.4,61.4],[95.4,61.45],[95.3,61.45],[95.3,61.4]]]}'
WRITES = "for registrars only, who see what they load; tests/ingest and tests/web show it"
CASES = "a case of one's own; tests/api/test_cases.py refuses everybody else's"
ENDLESS = "does not end; tests/cases/test_messages.py reads it"
STATIC = "the same for everybody"

SURFACES = (
    # OGC API
    Surface("/ogc", ("/ogc", "/ogc?f=html")),
    Surface("/ogc/api", ("/ogc/api",)),
    Surface("/ogc/conformance", ("/ogc/conformance",)),
    Surface("/ogc/collections", ("/ogc/collections", "/ogc/collections?f=html"), shows=True),
    Surface(
        "/ogc/collections/{layer}",
        ("/ogc/collections/{layer}", "/ogc/collections/{layer}?f=html"),
        shows=True,
    ),
    Surface("/ogc/collections/{layer}/queryables", ("/ogc/collections/licences/queryables",)),
    Surface("/ogc/collections/{layer}/schema", ("/ogc/collections/licences/schema",)),
    Surface("/ogc/collections/{layer}/tiles", ("/ogc/collections/licences/tiles",)),
    Surface(
        "/ogc/collections/{layer}/tiles/WebMercatorQuad", ("/ogc/collections/licences/tiles/WebMercatorQuad",)
    ),
    Surface("/ogc/tiles", ("/ogc/tiles",)),
    Surface("/ogc/tiles/WebMercatorQuad", ("/ogc/tiles/WebMercatorQuad",)),
    Surface("/ogc/tileMatrixSets", ("/ogc/tileMatrixSets",)),
    Surface("/ogc/tileMatrixSets/WebMercatorQuad", ("/ogc/tileMatrixSets/WebMercatorQuad",)),
    Surface("/ogc/crs/{code}", ("/ogc/crs/EPSG:3857",)),
    Surface(
        "/ogc/collections/{layer}/items",
        (
            "/ogc/collections/{layer}/items",
            f"/ogc/collections/{{layer}}/items?{PAST}",
            *(f"{_LICENCES}?{part}" for part in _PARTS),
            *(f"/ogc/collections/zones/items?{part}" for part in _FILTERS),
        ),
        shows=True,
    ),
    Surface(
        "/ogc/collections/{layer}/items/{identity}",
        ("/ogc/collections/{layer}/items/{id}", f"/ogc/collections/{{layer}}/items/{{id}}?{PAST}"),
        shows=True,
    ),
    # Files of features: their bytes carry times, so only marks are looked for.
    Surface("files", tuple(f"{_LICENCES}?f={kind}" for kind in FILES), shows=True, volatile=True),
    # Tiles, outside the route table
    Surface(
        "/tiles/{layers}/{z}/{x}/{y}.mvt",
        ("/tiles/{layer}/{tile}.mvt", f"/tiles/{{layer}}/{{tile}}.mvt?{PAST}"),
        shows=True,
    ),
    Surface("/ogc/collections/{layer}/tiles/WebMercatorQuad/{z}/{row}/{col}", OGC_TILES, shows=True),
    Surface("/ogc/tiles/WebMercatorQuad/{z}/{row}/{col}", TILES_OF_ALL, shows=True),
    Surface("/tiles/{layers}.json", ("/tiles/{layer}.json", f"/tiles/{','.join(LAYERS)}.json"), shows=True),
    Surface("/tiles/style.json", ("/tiles/style.json",)),
    # What the viewer asks
    Surface(
        "/api/v1/search", (f"/api/v1/search?q={MARK}&limit=50", "/api/v1/search?q=7000000003"), shows=True
    ),
    Surface(
        "/api/v1/objects/{layer}/{identity}",
        ("/api/v1/objects/{layer}/{id}", f"/api/v1/objects/{{layer}}/{{id}}?{PAST}"),
        shows=True,
    ),
    Surface("/api/v1/layers", ("/api/v1/layers",)),
    Surface(
        "/api/v1/spatial/at",
        ("/api/v1/spatial/at?{place}", f"/api/v1/spatial/at?{{place}}&radius=5000&{PAST}"),
        shows=True,
    ),
    # Pages
    Surface("/", ("/", "/?lang=en")),
    Surface("/map", ("/map",)),
    Surface("/registers", ("/registers",)),
    Surface(
        "/registers/{name}",
        ("/registers/{layer}", f"/registers/licences?q={MARK}", "/registers/licences?sort=-number"),
        shows=True,
    ),
    Surface("/status", ("/status",), volatile=True),
    Surface("/login", ("/login",), volatile=True),
    # Operation
    Surface("/healthz", ("/healthz",)),
    Surface("/metrics", ("/metrics",), volatile=True),
    Surface("/api/openapi.json", ("/api/openapi.json",)),
    Surface("/api/docs", ("/api/docs",)),
    # The journal
    Surface("/api/v1/journal/roots", ("/api/v1/journal/roots",)),
    Surface("/api/v1/journal/roots/{name}", ("/api/v1/journal/roots/2026-11-22",)),
    Surface("/api/v1/journal/verifier", ("/api/v1/journal/verifier",)),
    # Cases: their own party's and the office's
    Surface("/api/v1/services", ("/api/v1/services",)),
    Surface("/api/v1/services/{service}", ("/api/v1/services/forest-declaration",)),
    Surface("/api/v1/cases", ("/api/v1/cases",)),
    Surface("/api/v1/cases/{case}", ("/api/v1/cases/{case}",)),
    Surface("/api/v1/cases/{case}/events", ("/api/v1/cases/{case}/events",)),
    Surface("/api/v1/cases/{case}/boundaries/{number}", ("/api/v1/cases/1/boundaries/1",)),
    # Messages: the person's own
    Surface("/api/v1/messages", ("/api/v1/messages",)),
    Surface("/api/v1/cases/{case}/thread", ("/api/v1/cases/1/thread",)),
    Surface("/api/v1/calendar", ("/api/v1/calendar",), shows=False),
    Surface("/api/v1/calendar/{secret}.ics", ("/api/v1/calendar/x.ics",)),
    Surface("/api/v1/webhooks", ("/api/v1/webhooks",)),
    Surface("/api/v1/webhooks/{webhook}/deliveries", ("/api/v1/webhooks/1/deliveries",)),
    Surface("/api/v1/preferences", ("/api/v1/preferences",)),
    Surface("/api/v1/messages/stream", silent=ENDLESS),
    Surface("/api/v1/cases/{case}/documents", ("/api/v1/cases/1/documents",)),
    Surface("/api/v1/cases/{case}/documents/{document}", ("/api/v1/cases/1/documents/1",)),
    Surface("/api/v1/cases/{case}/decision", ("/api/v1/cases/1/decision",)),
    Surface("/api/v1/decisions/{code}", ("/api/v1/decisions/x", "/api/v1/decisions/ЛД-54-2026-000001-Р1")),
    Surface("/verify", ("/verify", "/verify?code=x")),
    Surface("/verify/{code}", ("/verify/x",)),
    Surface("/api/v1/cases/{case}/sheet", ("/api/v1/cases/1/sheet",)),
    Surface("/api/v1/cases/{case}/signatures", ("/api/v1/cases/1/signatures",)),
    Surface("/api/v1/cases/{case}/signatures/{signature}", ("/api/v1/cases/1/signatures/1",)),
    *(
        Surface(template, method=method, silent=CASES)
        for method, template in (
            ("POST", "/api/v1/cases"),
            ("POST", "/api/v1/cases/{case}/boundaries"),
            ("POST", "/api/v1/cases/{case}/boundaries/{number}/answer"),
            ("PUT", "/api/v1/cases/{case}"),
            ("POST", "/api/v1/cases/{case}/validate"),
            ("POST", "/api/v1/cases/{case}/actions/{action}"),
            ("POST", "/api/v1/messages/marks"),
            ("POST", "/api/v1/cases/{case}/thread"),
            ("POST", "/api/v1/webhooks"),
            ("DELETE", "/api/v1/webhooks/{webhook}"),
            ("POST", "/api/v1/webhooks/{webhook}/deliveries/{delivery}/again"),
            ("POST", "/cabinet/cases/{case}/thread"),
            ("POST", "/office/cases/{case}/thread"),
            ("POST", "/cabinet/calendar/feed"),
            ("POST", "/cabinet/calendar/feed/end"),
            ("POST", "/cabinet/webhooks"),
            ("POST", "/cabinet/webhooks/{webhook}/test"),
            ("POST", "/cabinet/webhooks/{webhook}/end"),
            ("POST", "/cabinet/preferences"),
            ("POST", "/cabinet/preferences/forwarding"),
            ("POST", "/cabinet/preferences/forwarding/code"),
            ("PUT", "/api/v1/preferences"),
            ("POST", "/api/v1/preferences/forwarding"),
            ("POST", "/api/v1/preferences/forwarding/code"),
            ("DELETE", "/api/v1/preferences/forwarding"),
            ("POST", "/cabinet/messages"),
            ("POST", "/api/v1/cases/{case}/documents"),
            ("DELETE", "/api/v1/cases/{case}/documents/{document}"),
            ("POST", "/api/v1/cases/{case}/documents/{document}/share"),
            ("POST", "/api/v1/cases/{case}/signatures"),
            ("POST", "/api/v1/cases/{case}/signatures/code"),
            ("POST", "/api/v1/cases/{case}/signatures/confirm"),
        )
    ),
    # The person's own account
    *(
        Surface(template, (template,), volatile=True)
        for template in (
            "/consent",
            "/login/renew",
            "/profile",
            "/profile/password",
            "/profile/sessions",
            "/profile/tokens",
        )
    ),
    *(
        Surface(template, method="POST", silent=OWN)
        for template in (
            "/login",
            "/logout",
            "/consent",
            "/login/renew",
            "/profile",
            "/profile/password",
            "/profile/sessions/end",
            "/profile/tokens",
            "/profile/tokens/revoke",
        )
    ),
    # The registrar's desk
    Surface("/office/imports", ("/office/imports",), volatile=True),
    Surface("/office/imports/{number}", ("/office/imports/1",), volatile=True),
    Surface("/office/imports/{number}/state", ("/office/imports/1/state",), volatile=True),
    Surface("/office/imports/runs/{run}", ("/office/imports/runs/1",), volatile=True),
    Surface(
        "/office/imports/runs/{run}/report/{kind}", ("/office/imports/runs/1/report/html",), volatile=True
    ),
    Surface(
        "/office/imports/runs/{run}/differences.json",
        ("/office/imports/runs/1/differences.json",),
        volatile=True,
    ),
    Surface("/office/rasters", ("/office/rasters",), volatile=True),
    Surface("/office/rasters/uploads/{number}", ("/office/rasters/uploads/1",), volatile=True),
    Surface("/office/rasters/uploads/{number}/state", ("/office/rasters/uploads/1/state",), volatile=True),
    Surface("/office/rasters/{name}", ("/office/rasters/secret-scene",), volatile=True),
    *(
        Surface(template, method="POST", silent=WRITES)
        for template in (
            "/office/rasters",
            "/office/rasters/{name}",
            "/office/rasters/{name}/out",
            "/office/rasters/uploads/{number}/drop",
            "/office/imports",
            "/office/imports/{number}/decision",
            "/office/imports/runs/{run}/undo",
        )
    ),
    # More spatial questions
    Surface("/api/v1/layers/{layer}/labels", ("/api/v1/layers/{layer}/labels",)),
    Surface(
        "/api/v1/rasters",
        ("/api/v1/rasters", "/api/v1/rasters?bbox=82,54,84,56", "/api/v1/rasters?names=secret-scene"),
    ),
    Surface("/api/v1/spatial/nearest", ("/api/v1/spatial/nearest?{place}",), shows=True),
    Surface(
        "/api/v1/spatial/overlaps",
        ("/api/v1/spatial/overlaps", f"/api/v1/spatial/overlaps?{PAST}"),
        shows=True,
    ),
    Surface("/api/v1/spatial/summary", ("/api/v1/spatial/summary?layer={layer}",)),
    Surface(
        "/api/v1/changes",
        (
            "/api/v1/changes?since=2020-01-01T00:00:00Z",
            f"/api/v1/changes?since=2020-01-01T00:00:00Z&until={PAST.removeprefix('as_of=')}",
        ),
        shows=True,
        volatile=True,
    ),
    Surface("/api/v1/sheets", ("/api/v1/sheets",), silent=STATIC),
    # Its bytes carry the time; tests/geo/sheet counts the figures that each caller is shown.
    Surface(
        "/api/v1/sheets/map.pdf",
        ("/api/v1/sheets/map.pdf?{place}&scale=25000&layers=licences,leases",),
        volatile=True,
    ),
    Surface("/api/v1/changes/days", ("/api/v1/changes/days", "/api/v1/changes/days?layers=licences")),
    Surface("/api/v1/spatial/shape", ("/api/v1/spatial/shape",), method="POST", body=AREA),
    Surface(
        "/api/v1/spatial/intersect",
        ("/api/v1/spatial/intersect",),
        "POST",
        shows=True,
        body=AREA,
    ),
    Surface(
        "/api/v1/spatial/summary",
        ("/api/v1/spatial/summary?layer=licences",),
        "POST",
        body=AREA,
    ),
    Surface("/api/v1/spatial/questions/{identity}", (f"/api/v1/spatial/questions/{QUESTION}",)),
    Surface("/api/v1/spatial/questions/{identity}/file", (f"/api/v1/spatial/questions/{QUESTION}/file",)),
    Surface("/api/v1/spatial/questions/{identity}", method="DELETE", silent=OWN),
    # Pages of accounts, cases and offices: called for marks
    *(
        Surface(
            template,
            (
                template.replace("{case}", "1")
                .replace("{number}", "1")
                .replace("{name}", "x")
                .replace("{secret}", "x"),
            ),
            volatile=True,
        )
        for template in (
            *(
                "/cabinet",
                "/cabinet/messages",
                "/cabinet/calendar",
                "/cabinet/preferences",
                "/cabinet/webhooks",
                "/cabinet/cases/{case}",
                "/cabinet/cases/{case}/boundaries/{number}",
                "/{room}/cases/{case}/documents/{document}",
                "/{room}/cases/{case}/sheet",
                "/cabinet/services",
                "/cabinet/services/{name}",
                "/confirmation",
                "/login/party",
                *("/profile/journal", "/office/journal"),
                *("/profile/journal/excerpt", "/office/journal/excerpt"),
            ),
            *(
                "/login/esia/back",
                "/login/oidc/back",
                "/login/second",
                "/office/cases",
                "/office/cases/{case}",
            ),
            *(
                "/office/confirmations",
                "/office/staff",
                "/profile/email",
                "/profile/security",
                "/recover",
                "/register",
            ),
            *("/team", "/team/invitation/{secret}"),
        )
    ),
    Surface("/login/esia", silent=ELSEWHERE),
    Surface("/login/oidc", silent=ELSEWHERE),
    *(
        Surface(template, method="POST", silent=CASES)
        for template in (
            *("/cabinet/cases", "/cabinet/cases/{case}", "/cabinet/cases/{case}/actions/{action}"),
            "/cabinet/cases/{case}/check",
            *("/cabinet/cases/{case}/boundaries", "/cabinet/cases/{case}/boundaries/{number}"),
            *("/cabinet/cases/{case}/corners", "/office/cases/{case}/actions/{action}"),
            *(f"/{{room}}/cases/{{case}}/documents/{{document}}/{word}" for word in ("remove", "share")),
        )
    ),
    *(
        Surface(template, method="POST", silent=OWN)
        for template in (
            *(
                "/api/v1/oauth/backchannel-logout",
                "/api/v1/oauth/token",
                "/confirmation",
                "/confirmation/code",
            ),
            *(
                "/login/party",
                "/login/certificate",
                "/profile/certificate",
                "/login/passkey",
                "/login/passkey/options",
                "/login/second",
                "/login/second/letter",
            ),
            *("/office/confirmations", "/office/staff", "/office/staff/block", "/office/staff/end"),
            *("/profile/email", "/profile/email/confirm", "/profile/passkeys", "/profile/passkeys/options"),
            *("/profile/passkeys/remove", "/profile/totp", "/profile/totp/bind", "/profile/totp/drop"),
            *("/recover", "/recover/finish", "/register", "/register/again", "/register/confirm"),
            *(
                "/team/invitation/{secret}",
                "/team/parties",
                "/team/{party}/clients",
                "/team/{party}/clients/revoke",
            ),
            *("/team/{party}/invite", "/team/{party}/members", "/team/{party}/withdraw"),
        )
    ),
)
