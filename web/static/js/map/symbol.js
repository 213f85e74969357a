// Symbols: one drawing of a layer for legend, list and panel, and the pattern with which the map hatches.

import { drawing } from "./element.js";

let serial = 0;

function hatching(style) {
  const id = `hatch-${(serial += 1)}`;
  const lines = drawing("path", { d: "M-1 1l2-2M0 6L6 0M5 7l2-2", stroke: style.fill, "stroke-width": 1.3, "stroke-opacity": 0.85 });
  const pattern = drawing("pattern", { id, width: 6, height: 6, patternUnits: "userSpaceOnUse" }, lines);
  return { pattern: drawing("defs", {}, pattern), fill: `url(#${id})` };
}

// What a polygon looks like: colour and depth may be those of a class (species, age).
export function symbol(layer, { colour, depth = 1 } = {}) {
  const style = layer.style;
  const frame = { viewBox: "0 0 28 20", width: 28, height: 20, class: "symbol", "aria-hidden": "true" };
  if (layer.geometry === "POINT") {
    return drawing("svg", frame, drawing("circle", { cx: 14, cy: 10, r: 6, fill: style.fill, stroke: style.outline, "stroke-width": 1.5 }), drawing("circle", { cx: 14, cy: 10, r: 7.2, fill: "none", stroke: style.fill, "stroke-width": 0.8 }));
  }
  const shape = { x: 2.5, y: 2.5, width: 23, height: 15, rx: 2 };
  const parts = [drawing("rect", { ...shape, fill: "#f6f5ef", stroke: "none" })];
  let fill = { fill: colour || style.fill, "fill-opacity": Math.min(1, style.fill_opacity * depth) };
  if (style.fill_by && !colour) {
    const colours = Object.values(style.colours);
    colours.slice(0, 3).forEach((c, i) => parts.push(drawing("rect", { x: 2.5 + i * 7.7, y: 2.5, width: 7.7, height: 15, fill: c, "fill-opacity": style.fill_opacity })));
    fill = { fill: "none" };
  } else if (style.hatch) {
    const hatch = hatching(style);
    parts.push(hatch.pattern);
    fill = { fill: hatch.fill };
  }
  if (style.casing) parts.push(drawing("rect", { ...shape, fill: "none", stroke: style.casing, "stroke-width": style.width + 2.4 }));
  const dash = style.dash?.length ? style.dash.map((d) => d * style.width).join(" ") : null;
  parts.push(drawing("rect", { ...shape, ...fill, stroke: style.outline, "stroke-width": Math.max(style.width, 0.8), "stroke-dasharray": dash }));
  return drawing("svg", frame, ...parts);
}

// The pattern of a hatched layer, twice as dense as the screen so that it stays sharp.
export function hatchImage(colour) {
  const side = 24;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  const pen = canvas.getContext("2d");
  pen.strokeStyle = colour;
  pen.lineWidth = 2.4;
  for (const shift of [-side, 0, side]) {
    pen.beginPath();
    pen.moveTo(shift - 3, side + 3);
    pen.lineTo(shift + side + 3, -3);
    pen.stroke();
  }
  return pen.getImageData(0, 0, side, side);
}
