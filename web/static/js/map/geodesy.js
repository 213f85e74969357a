// Lengths and areas on the ellipsoid WGS 84.

const A = 6378137;
const F = 1 / 298.257223563;
const B = A * (1 - F);
const E2 = F * (2 - F);
const E = Math.sqrt(E2);
const RAD = Math.PI / 180;

// Length of the geodesic between two places in metres (Vincenty 1975, inverse); accurate to a millimetre.
export function geodesic([lon1, lat1], [lon2, lat2]) {
  const l = (lon2 - lon1) * RAD;
  const u1 = Math.atan((1 - F) * Math.tan(lat1 * RAD));
  const u2 = Math.atan((1 - F) * Math.tan(lat2 * RAD));
  const [s1, c1, s2, c2] = [Math.sin(u1), Math.cos(u1), Math.sin(u2), Math.cos(u2)];
  let lambda = l;
  for (let i = 0; i < 100; i += 1) {
    const [sl, cl] = [Math.sin(lambda), Math.cos(lambda)];
    const sinSigma = Math.hypot(c2 * sl, c1 * s2 - s1 * c2 * cl);
    if (sinSigma === 0) return 0;
    const cosSigma = s1 * s2 + c1 * c2 * cl;
    const sigma = Math.atan2(sinSigma, cosSigma);
    const sinAlpha = (c1 * c2 * sl) / sinSigma;
    const cos2Alpha = 1 - sinAlpha ** 2;
    const cos2m = cos2Alpha === 0 ? 0 : cosSigma - (2 * s1 * s2) / cos2Alpha;
    const c = (F / 16) * cos2Alpha * (4 + F * (4 - 3 * cos2Alpha));
    const before = lambda;
    lambda = l + (1 - c) * F * sinAlpha * (sigma + c * sinSigma * (cos2m + c * cosSigma * (2 * cos2m ** 2 - 1)));
    if (Math.abs(lambda - before) > 1e-12) continue;
    const k = (cos2Alpha * (A ** 2 - B ** 2)) / B ** 2;
    const big = 1 + (k / 16384) * (4096 + k * (-768 + k * (320 - 175 * k)));
    const small = (k / 1024) * (256 + k * (-128 + k * (74 - 47 * k)));
    const delta = small * sinSigma * (cos2m + (small / 4) * (cosSigma * (2 * cos2m ** 2 - 1) - (small / 6) * cos2m * (4 * sinSigma ** 2 - 3) * (4 * cos2m ** 2 - 3)));
    return B * big * (sigma - delta);
  }
  return NaN;
}

function authalic(lat) {
  const q = (s) => (1 - E2) * (s / (1 - E2 * s * s) - Math.log((1 - E * s) / (1 + E * s)) / (2 * E));
  return { q: q(Math.sin(lat * RAD)), pole: q(1) };
}

// Area inside a ring in square metres, on the sphere of equal area, so that no projection distorts it.
export function ringArea(ring) {
  const pole = authalic(90).pole;
  const radius2 = (A * A * pole) / 2;
  let sum = 0;
  ring.forEach(([lon1, lat1], i) => {
    const [lon2, lat2] = ring[(i + 1) % ring.length];
    const b1 = Math.asin(authalic(lat1).q / pole) / 2;
    const b2 = Math.asin(authalic(lat2).q / pole) / 2;
    const half = Math.tan(((lon2 - lon1) * RAD) / 2);
    sum += 2 * Math.atan2(half * (Math.tan(b1) + Math.tan(b2)), 1 + Math.tan(b1) * Math.tan(b2));
  });
  return Math.abs(sum * radius2);
}

export const pathLength = (points) => points.slice(1).reduce((sum, p, i) => sum + geodesic(points[i], p), 0);
