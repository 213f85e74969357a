"""The MapLibre style of all layers, from the one registry: the same symbol on the map, in the legend and in print."""

from typing import Any

from geo.layers import Layer, all_layers
from geo.settings import Settings

# Drawn from below: territory, forest, land, restrictions, subsoil, rights, points.
ORDER = (
    "municipalities",
    "forestries",
    "stands",
    "quarters",
    "parcels",
    "deposits",
    "zones",
    "forest_plots",
    "cutting_areas",
    "leases",
    "licences",
    "waste_sites",
)
FONT = ["Golos Text"]


def _fill_colour(target: Layer) -> Any:
    style = target.style
    if not style.fill_by:
        return style.fill
    pairs = [item for code, colour in style.colours.items() for item in (code, colour)]
    return ["match", ["get", style.fill_by], *pairs, style.fill]


def _fill_opacity(target: Layer) -> Any:
    style = target.style
    if not style.depth_by:
        return style.fill_opacity
    pairs = [
        item for code, depth in style.depths.items() for item in (code, round(depth * style.fill_opacity, 3))
    ]
    return ["match", ["get", style.depth_by], *pairs, round(0.6 * style.fill_opacity, 3)]


def _label(target: Layer) -> Any:
    """Label rule: ``{number} / {area_ha}`` becomes a MapLibre expression; area in ha with one decimal."""
    parts: list[Any] = []
    for piece in target.style.label.replace("}", "{").split("{"):
        if piece == "area_ha":
            parts.append(
                [
                    "number-format",
                    ["/", ["coalesce", ["get", "area_m2"], 0], 10000],
                    {"locale": "ru", "max-fraction-digits": 1, "min-fraction-digits": 1},
                ]
            )
        elif piece in {p.name for p in target.properties}:
            parts.append(["coalesce", ["to-string", ["get", piece]], ""])
        elif piece:
            parts.append(piece)
    return parts[0] if len(parts) == 1 else ["concat", *parts]


def layers_of(target: Layer) -> list[dict[str, Any]]:
    """MapLibre layers of one register layer, ids ``NAME``, ``NAME-casing``, ``NAME-outline``, ``NAME-label``."""
    style = target.style
    base = {"source": "mezha", "source-layer": target.name, "minzoom": target.zoom[0]}
    made: list[dict[str, Any]] = []
    if target.geometry == "POINT":
        paint = {
            "circle-color": style.fill,
            "circle-radius": [
                "interpolate",
                ["linear"],
                ["zoom"],
                4,
                style.radius / 3,
                10,
                style.radius,
                16,
                style.radius * 1.6,
            ],
            "circle-stroke-color": style.outline,
            "circle-stroke-width": style.width,
        }
        made.append({"id": target.name, "type": "circle", **base, "paint": paint})
    else:
        fill: dict[str, Any] = {"fill-color": _fill_colour(target), "fill-opacity": _fill_opacity(target)}
        if style.hatch:
            fill = {"fill-pattern": f"hatch-{target.name}", "fill-opacity": style.fill_opacity}
        made.append({"id": target.name, "type": "fill", **base, "paint": fill})
        if style.casing:
            made.append(
                {
                    "id": f"{target.name}-casing",
                    "type": "line",
                    **base,
                    "paint": {"line-color": style.casing, "line-width": style.width + 2.4},
                }
            )
        line: dict[str, Any] = {
            "line-color": style.outline,
            "line-width": [
                "interpolate",
                ["linear"],
                ["zoom"],
                5,
                style.width * 0.5,
                10,
                style.width * 0.8,
                14,
                style.width * 1.3,
            ],
        }
        if style.dash:
            line["line-dasharray"] = list(style.dash)
        made.append(
            {
                "id": f"{target.name}-outline",
                "type": "line",
                **base,
                "layout": {"line-join": "round"},
                "paint": line,
            }
        )
    made.append(
        {
            "id": f"{target.name}-label",
            "type": "symbol",
            **base,
            "minzoom": max(style.label_zoom, target.zoom[0]),
            "layout": {
                "text-field": _label(target),
                "text-font": [f"{FONT[0]} Bold"] if style.label_bold else FONT,
                "text-size": 14 if style.label_bold else 12,
                "text-max-width": 9,
                "text-padding": 6,
                "text-offset": [0, 1.1] if target.geometry == "POINT" else [0, 0],
                "text-anchor": "top" if target.geometry == "POINT" else "center",
            },
            "paint": {
                "text-color": "#17211c"
                if target.style.fill_by
                else (style.fill if target.geometry == "POINT" else style.outline),
                "text-halo-color": "#fbfbf8",
                "text-halo-width": 1.6,
            },
        }
    )
    return made


def style(base: str, settings: Settings) -> dict[str, Any]:
    """The whole style document over one multi-layer source; no glyphs URL, so labels work offline."""
    names = ",".join(ORDER)
    return {
        "version": 8,
        "name": "Mezha",
        "metadata": {"mezha:locale": settings.locale},
        "sources": {
            "mezha": {
                "type": "vector",
                "tiles": [f"{base}/tiles/{names}/{{z}}/{{x}}/{{y}}.mvt"],
                "minzoom": 0,
                "maxzoom": 16,
            }
        },
        "layers": [
            {"id": "background", "type": "background", "paint": {"background-color": "#e9eef0"}},
            *(made for name in ORDER for made in layers_of(all_layers()[name])),
        ],
    }
