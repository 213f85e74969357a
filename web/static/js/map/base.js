// The base map: without a network pale land, water and borders from the world atlas; with a setting somebody's tiles.

const WATER = "#dbe6ea";
const LAND = "#f7f6f0";
const BORDER = "#bfc5be";

async function offline() {
  const atlas = await (await fetch("/lib/world/countries-50m.json")).json();
  const land = topojson.merge(atlas, atlas.objects.countries.geometries);
  const borders = topojson.mesh(atlas, atlas.objects.countries, (a, b) => a !== b);
  const coast = topojson.mesh(atlas, atlas.objects.countries, (a, b) => a === b);
  const feature = (geometry) => ({ type: "geojson", data: { type: "Feature", properties: {}, geometry } });
  return {
    sources: { land: feature(land), borders: feature(borders), coast: feature(coast) },
    layers: [
      { id: "base-water", type: "background", paint: { "background-color": WATER } },
      { id: "base-land", type: "fill", source: "land", paint: { "fill-color": LAND, "fill-antialias": false } },
      { id: "base-coast", type: "line", source: "coast", paint: { "line-color": "#a9bec6", "line-width": 0.8 } },
      { id: "base-borders", type: "line", source: "borders", paint: { "line-color": BORDER, "line-width": ["interpolate", ["linear"], ["zoom"], 2, 0.6, 8, 1.6], "line-dasharray": [3, 2] } },
    ],
  };
}

function raster(url, attribution) {
  return {
    sources: { base: { type: "raster", tiles: [url], tileSize: 256, attribution } },
    layers: [
      { id: "base-water", type: "background", paint: { "background-color": LAND } },
      { id: "base-raster", type: "raster", source: "base", paint: { "raster-saturation": -0.45, "raster-contrast": -0.1, "raster-opacity": 0.85 } },
    ],
  };
}

async function vector(url) {
  const style = await (await fetch(url)).json();
  return { sources: style.sources, layers: style.layers, glyphs: style.glyphs, sprite: style.sprite };
}

// A base that cannot be had gives way to the offline one: the registers are what people came for.
export async function base({ url, attribution }) {
  if (!url) return offline();
  if (url.includes("{z}")) return raster(url, attribution);
  try {
    return await vector(url);
  } catch {
    return offline();
  }
}
