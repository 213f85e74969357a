"""How rasters are drawn: colours by what the catalogue says, legends that say the same, tables that exist."""

from datetime import date
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest
from rasterio.crs import CRS
from rio_tiler.colormap import cmap
from rio_tiler.models import ImageData

from geo.ramps import ramps
from geo.rasters import drawing
from geo.rasters.catalogue import KINDS, Item
from tiles.rasters import colouring
from web.language import LOCALES

FLOAT = {"type": "float32", "colour": "gray"}
RANGE = {"least": -5.0, "greatest": 1200.0, "low": 10.0, "high": 900.0}


def item(*bands: dict[str, Any], **values: Any) -> Item:
    """A raster of 10 km near Novosibirsk."""
    box = (83.0, 55.0, 83.16, 55.09)
    plain = Item("a", "A", None, "0" * 64, "a.tif", "", "EPSG:4326", bands or (FLOAT,), 10.0, 1, date(2024, 6, 1), "54", 0, box)  # fmt: skip
    return Item(**{name: getattr(plain, name) for name in plain.__dataclass_fields__} | values)


def asked(one: Item, view: int = 0) -> dict[str, list[str]]:
    """Parameters of the tiles of a view."""
    return parse_qs(drawing.views(one)[view].query)


def test_terrain_is_drawn_over_its_whole_range_and_can_be_shaded() -> None:
    one = item(kind="terrain", unit="m", ranges=[RANGE])
    first, second = drawing.views(one)
    assert asked(one) == {
        "bidx": ["1"],
        "colormap_name": ["relief"],
        "rescale": ["-5,1200"],
        "resampling": ["bilinear"],
    }
    assert (first.legend["least"], first.legend["greatest"], first.legend["unit"]) == (-5, 1200, "m")
    assert (second.name, asked(one, 1)["algorithm"]) == ("shade", ["shade"])


def test_what_somebody_chose_comes_before_what_was_measured() -> None:
    one = item(kind="index", ranges=[RANGE], colours="viridis", least=-1.0, greatest=1.0)
    assert asked(one) == {"bidx": ["1"], "colormap_name": ["viridis"], "rescale": ["-1,1"]}
    (view,) = drawing.views(one)
    assert (view.legend["least"], view.legend["greatest"]) == (-1, 1)
    assert view.legend["stops"] == ramps()["viridis"].stops


def test_pictures_show_three_bands_and_leave_alpha_alone() -> None:
    byte = [{"type": "uint8", "colour": c} for c in ("red", "green", "blue", "alpha")]
    assert asked(item(*byte)) == {"bidx": ["1", "2", "3"]}
    wide = [{"type": "uint16", "colour": "gray"}] * 4
    assert asked(item(*wide, ranges=[RANGE] * 4))["rescale"] == ["10,900"] * 3
    assert asked(item({"type": "uint8", "colour": "palette"})) == {"bidx": ["1"]}


@pytest.mark.parametrize("ranges", [None, [None], [RANGE | {"low": 7.0, "high": 7.0}]])
def test_a_raster_that_is_empty_flat_or_not_measured_has_a_drawing(ranges: Any) -> None:
    (view,) = drawing.views(item(ranges=ranges))
    if "least" in view.legend:
        assert view.legend["least"] < view.legend["greatest"]
    else:
        assert "rescale" not in view.query


def test_tiles_are_asked_for_where_there_is_something_to_see() -> None:
    first, last = drawing.zooms(item())
    # A pixel of 10 m is one of the screen at zoom 14 here; ten kilometres are sixteen pixels at zoom 7.
    assert last == 14
    assert 5 <= first <= 7
    assert drawing.zooms(item(box=(-180.0, -85.0, 180.0, 85.0), resolution_m=40_000.0)) == (0, 2)


def test_every_kind_and_table_is_there_in_both_languages() -> None:
    assert set(drawing.USUAL) == set(KINDS)
    assert set(drawing.USUAL.values()) <= set(ramps())
    for ramp in ramps().values():
        assert set(ramp.title) == set(LOCALES)
        drawn = colouring.COLOURS.get(ramp.name)
        shades = tuple("#{:02x}{:02x}{:02x}".format(*drawn[round(i * 255 / 8)][:3]) for i in range(9))
        # What the legend shows is what the tiles are drawn in; our own stops fall between two of 256 colours.
        apart = max(
            abs(int(a[i : i + 2], 16) - int(b[i : i + 2], 16))
            for a, b in zip(shades, ramp.stops, strict=True)
            for i in (1, 3, 5)
        )
        assert apart <= (1 if ramp.own else 0), ramp.name
        assert ramp.own == (ramp.name not in cmap.list())


def _slope(degrees: float, bearing: float, pixel: float = 2.0) -> ImageData:
    """A plane of 70 pixels that rises towards a bearing, in metres, on the equator."""
    y, x = np.mgrid[0:70, 0:70] * pixel
    rise = np.tan(np.deg2rad(degrees)) * (x * np.sin(np.deg2rad(bearing)) - y * np.cos(np.deg2rad(bearing)))
    side = 70 * pixel
    return ImageData(
        np.ma.asarray(rise[np.newaxis]), crs=CRS.from_epsg(3857), bounds=(0, -side / 2, side, side / 2)
    )


def test_a_slope_that_faces_the_light_is_bright_and_one_behind_is_dark() -> None:
    shade = colouring.Shade()
    # It rises to the south-east, so it looks to the north-west, where the light stands 45 degrees high.
    facing, flat, behind = (
        float(shade(_slope(d, b)).array.mean()) for d, b in ((45, 135), (0, 0), (44, 315))
    )
    assert facing == pytest.approx(255, abs=1)
    assert flat == pytest.approx(255 * (0.15 + 0.85 * np.sqrt(0.5)), abs=1)
    assert behind < 50
    assert shade(_slope(30, 0)).array.shape == (1, 64, 64)


def test_what_has_no_height_has_no_light() -> None:
    image = _slope(10, 0)
    image.array[:, 30:40, 30:40] = np.ma.masked
    lit = colouring.Shade()(image).array
    assert np.ma.getmaskarray(lit)[0, 27:37, 27:37].all()
    assert np.ma.getmaskarray(lit).sum() == 100
    # And its edge is no cliff.
    assert lit.min() > 120
