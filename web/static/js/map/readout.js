// The readout: coordinates under the pointer, the scale bar, and north when the map is turned.

import { degrees, number, t } from "./language.js";

function nice(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  const digit = value / power;
  return power * (digit >= 5 ? 5 : digit >= 2 ? 2 : 1);
}

function sexagesimal([lon, lat]) {
  const part = (value, positive, negative) => {
    const total = Math.round(Math.abs(value) * 36000) / 10;
    const [d, m] = [Math.floor(total / 3600), Math.floor((total % 3600) / 60)];
    return `${d}° ${String(m).padStart(2, "0")}′ ${number(total % 60, 1).padStart(2, "0")}″ ${value < 0 ? negative : positive}`;
  };
  return `${part(lat, t("N"), t("S"))}, ${part(lon, t("E"), t("W"))}`;
}

export function readout(map, { coordinates, scale, north }) {
  let place = map.getCenter().toArray();
  let asAngles = false;
  const tell = () => (coordinates.textContent = asAngles ? sexagesimal(place) : degrees(place));
  map.on("mousemove", (event) => {
    place = event.lngLat.wrap().toArray();
    tell();
  });
  map.on("move", () => {
    if (matchMedia("(hover: hover)").matches) return;
    place = map.getCenter().wrap().toArray();
    tell();
  });
  coordinates.addEventListener("click", () => {
    asAngles = !asAngles;
    tell();
  });
  tell();

  const bar = () => {
    const centre = map.getCenter();
    const perPixel = (40075016.686 * Math.cos((centre.lat * Math.PI) / 180)) / (512 * 2 ** map.getZoom());
    const length = nice(perPixel * 110);
    scale.style.width = `${length / perPixel}px`;
    scale.textContent = length >= 1000 ? `${number(length / 1000)} ${t("km")}` : `${number(length)} ${t("m")}`;
  };
  map.on("move", bar);
  bar();

  const turn = () => {
    const bearing = map.getBearing();
    north.hidden = Math.abs(bearing) < 0.5 && map.getPitch() < 0.5;
    north.firstElementChild.style.transform = `rotate(${-bearing}deg)`;
  };
  map.on("rotate", turn);
  map.on("pitch", turn);
  north.addEventListener("click", () => map.easeTo({ bearing: 0, pitch: 0 }));
  turn();
}
