// Snapping: exact corners and borders of stands, quarters and the object of the case, not those of the thinned tiles.
// Pixels: a click within reach of a corner means that corner; the corners of a small plot stand close together.
export const REACH = 14;
const LAYERS = ["stands", "quarters"];
const LEAST_ZOOM = 11;

function ringsOf(geometry) {
  if (!geometry) return [];
  if (geometry.type === "Polygon") return geometry.coordinates;
  return geometry.type === "MultiPolygon" ? geometry.coordinates.flat() : [];
}

async function near(map) {
  const box = map.getBounds();
  const bbox = [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()].map((n) => n.toFixed(6)).join(",");
  const found = await Promise.all(
    LAYERS.map(async (layer) => {
      const answer = await fetch(`/ogc/collections/${layer}/items?f=json&limit=500&bbox=${bbox}`);
      return answer.ok ? (await answer.json()).features : [];
    }),
  );
  return found.flat().flatMap((feature) => ringsOf(feature.geometry));
}

/** Keeps the rings in sight, and finds the corner, or else the place on a border, within reach of the pointer. */
export class Snapping {
  constructor(map, subject) {
    this.map = map;
    this.own = ringsOf(subject);
    this.rings = this.own;
    map.on("moveend", () => this.load());
    this.load();
  }

  async load() {
    if (this.map.getZoom() < LEAST_ZOOM) return;
    this.rings = [...this.own, ...(await near(this.map))];
  }

  find(event) {
    const pointer = { x: event.containerX, y: event.containerY };
    let corner = null;
    let border = null;
    let toCorner = REACH;
    let toBorder = REACH * 0.7;
    for (const ring of this.rings) {
      let before = null;
      for (const position of ring) {
        const here = this.map.project(position);
        const distance = Math.hypot(here.x - pointer.x, here.y - pointer.y);
        if (distance < toCorner) {
          toCorner = distance;
          corner = position;
        }
        if (before && !corner) {
          const dx = here.x - before.at.x;
          const dy = here.y - before.at.y;
          const share = Math.max(0, Math.min(1, ((pointer.x - before.at.x) * dx + (pointer.y - before.at.y) * dy) / (dx * dx + dy * dy || 1)));
          const off = Math.hypot(before.at.x + share * dx - pointer.x, before.at.y + share * dy - pointer.y);
          if (off < toBorder) {
            toBorder = off;
            border = [before.position[0] + share * (position[0] - before.position[0]), before.position[1] + share * (position[1] - before.position[1])];
          }
        }
        before = { position, at: here };
      }
    }
    const found = corner || border;
    return found ? [Number(found[0].toFixed(9)), Number(found[1].toFixed(9))] : undefined;
  }
}
