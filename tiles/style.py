"""The MapLibre style of all layers, from the one registry: the same symbol on the map, in the legend and in print."""

from typing import Any

from geo.layers import DRAWN as ORDER
from geo.layers import Layer, all_layers
from geo.settings import Settings

# The first name tells the weight; the browser finds the family under the last.
FONT = ["Golos Text"]
MEDIUM = ["Golos Text Medium", *FONT]
BOLD = ["Golos Text Bold", *FONT]
INK = "#17211c"
PAPER = "#fbfbf8"
# A hatch is a picture that the viewer draws; a client that has none fills with the colour instead.
HATCH = "hatch-"


def by_zoom(*stops: tuple[float, float]) -> list[Any]:
    """A number that grows from stop to stop with the zoom."""
    return ["interpolate", ["linear"], ["zoom"], *(n for stop in stops for n in stop)]


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
            hectares = ["/", ["coalesce", ["get", "area_m2"], 0], 10000]
            form = {"locale": "ru", "max-fraction-digits": 1, "min-fraction-digits": 1}
            parts.append(["number-format", hectares, form])
        elif piece in {p.name for p in target.properties}:
            parts.append(["coalesce", ["to-string", ["get", piece]], ""])
        elif piece:
            parts.append(piece)
    return parts[0] if len(parts) == 1 else ["concat", *parts]


def _source(target: Layer) -> dict[str, Any]:
    return {"source": "mezha", "source-layer": target.name, "minzoom": target.zoom[0]}


def _circle(target: Layer) -> dict[str, Any]:
    style = target.style
    paint = {
        "circle-color": style.fill,
        "circle-radius": by_zoom(
            (4, style.radius / 3), (8, style.radius * 0.62), (11, style.radius), (16, style.radius * 1.6)
        ),
        "circle-stroke-color": style.outline,
        "circle-stroke-width": by_zoom((4, style.width * 0.5), (10, style.width)),
    }
    return {"id": target.name, "type": "circle", **_source(target), "paint": paint}


def _fill(target: Layer) -> dict[str, Any]:
    style = target.style
    paint: dict[str, Any] = {"fill-color": _fill_colour(target), "fill-opacity": _fill_opacity(target)}
    if style.hatch:
        paint = {"fill-pattern": f"{HATCH}{target.name}", "fill-opacity": style.fill_opacity}
    elif style.fill_by:
        # Neighbours share their borders: without this the seams show as a grey net.
        paint["fill-antialias"] = False
    return {"id": target.name, "type": "fill", **_source(target), "paint": paint}


def _line(target: Layer, name: str, colour: str, width: float) -> dict[str, Any]:
    first = target.zoom[0]
    paint: dict[str, Any] = {
        "line-color": colour,
        "line-width": by_zoom((5, width * 0.4), (9, width * 0.6), (11, width * 0.9), (14, width * 1.3)),
    }
    if target.style.fade:
        # Borders of what is small and dense come in as one comes closer; before, only the classes speak.
        paint["line-opacity"] = by_zoom((first, 0), (target.style.fade, 0), (target.style.fade + 1.5, 1))
    return {
        "id": f"{target.name}-{name}",
        "type": "line",
        **_source(target),
        "layout": {"line-join": "round"},
        "paint": paint,
    }


def shapes_of(target: Layer) -> list[dict[str, Any]]:
    """MapLibre layers of a register layer without its labels: ids ``NAME``, ``NAME-casing``, ``NAME-outline``."""
    style = target.style
    if target.geometry == "POINT":
        return [_circle(target)]
    made = [_fill(target)]
    if style.casing:
        made.append(_line(target, "casing", style.casing, style.width + 2.4))
    outline = _line(target, "outline", style.outline, style.width)
    if style.dash:
        outline["paint"]["line-dasharray"] = list(style.dash)
    return [*made, outline]


def label_of(target: Layer) -> dict[str, Any]:
    """The label layer of a register layer, id ``NAME-label``."""
    style = target.style
    point = target.geometry == "POINT"
    size = by_zoom((style.label_zoom, 11), (style.label_zoom + 4, 14 if style.label_bold else 13))
    layout: dict[str, Any] = {
        "text-field": _label(target),
        "text-font": BOLD if style.label_bold else MEDIUM if style.caps else FONT,
        "text-size": size,
        "text-max-width": 8,
        "text-padding": 14 if target.group == "base" else 4,
        "text-offset": [0, 0.8] if point else [0, 0],
        "text-anchor": "top" if point else "center",
    }
    if style.caps:
        layout |= {"text-transform": "uppercase", "text-letter-spacing": 0.12}
    colour = INK if style.fill_by else (style.fill if point else style.label_colour or style.outline)
    paint = {"text-color": colour, "text-halo-color": PAPER, "text-halo-width": 1.5, "text-halo-blur": 0.3}
    first = {"minzoom": max(style.label_zoom, target.zoom[0])}
    return {
        "id": f"{target.name}-label",
        "type": "symbol",
        **_source(target),
        **first,
        "layout": layout,
        "paint": paint,
    }


def style(base: str, settings: Settings) -> dict[str, Any]:
    """The whole style document over one multi-layer source; no glyphs URL, so labels work offline.

    Labels stand above every shape, so that no fill dims them; the last in ORDER wins where two collide.
    """
    names = ",".join(ORDER)
    targets = [all_layers()[name] for name in ORDER]
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
            *(made for target in targets for made in shapes_of(target)),
            *(label_of(target) for target in targets),
        ],
    }
