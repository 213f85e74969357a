"""Leaflet written into the pages of folium, so that a map opens without internet."""

from importlib.resources import files
from typing import Any

import folium
from branca.element import Element

_STYLE = (
    "html,body{margin:0;height:100%}.leaflet-container{background:#eef1ea;font:13px system-ui,sans-serif}"
)


def _text(name: str) -> str:
    text = files("js_lib_leaflet").joinpath("static", "js_lib_leaflet", name).read_text("utf-8")
    # Source maps and marker pictures would be fetched; circles need neither.
    return text.replace("//# sourceMappingURL=leaflet.js.map", "").replace("url(images/", "url(data:,")


def board() -> folium.Map:
    """A map without a ground that fetches nothing: Leaflet is inside, jQuery and Bootstrap are not needed."""
    made = folium.Map(tiles=None, control_scale=True, prefer_canvas=True, attributionControl=False)
    made.default_js, made.default_css = [], []
    figure: Any = made.get_root()
    figure.header.add_child(Element(f"<style>{_text('leaflet.css')}{_STYLE}</style>"), name="leaflet_css")
    figure.header.add_child(Element(f"<script>{_text('leaflet.js')}</script>"), name="leaflet_js")
    return made
