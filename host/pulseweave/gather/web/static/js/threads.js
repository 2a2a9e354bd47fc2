// The threads themselves, drawn by the processor: THREAD_VERTEX and THREAD_FRAGMENT of shaders.js without a graphics card.
// In: strands, the stand, eased light, a weight per strand. Out: light added to the bytes of a canvas (RGBA, 0..255).
// A thread is a line of a few pieces; along each piece every row (or column) of the canvas gets its few pixels.

import { hang } from "./strands.js";
import { hue, LAST, SHADE, STEPS, WHITE } from "./tone.js";

export const GAIN = 2.6; // of a thread, against its halo
export const WIDTH = 0.024; // metres, half a thread
const CORD = 0.3; // of a thread's length, above it
const ALONG = [-CORD, -0.2, -0.1, 0, ...Array.from({ length: 10 }, (_, i) => (i + 1) / 10)];
const FINE = 128;
const across = Float32Array.from({ length: FINE + 1 }, (_, i) => i / FINE); // squared distance from the middle, 0..1
// everything below is a root of light, because the tables of tone.js are indexed by it
// one profile for each quarter of a pixel of half width: the bright heart is never narrower than a pixel can show, or a slanting thread is dashed
const THREAD = Array.from({ length: 16 }, (_, i) => {
  const half = 1 + i / 4, sharp = half * half / 32, seen = sharp + 0.12;
  return across.map((r) => Math.sqrt(0.45 * Math.exp(-r * 4) * (1 - r) + 1.9 * Math.sqrt(sharp / seen) * Math.exp((-r * half * half) / 2 / seen)));
});
const HEART = across.map((r) => Math.exp(-r * 8));
const BEAD = across.map((f) => Math.sqrt(Math.exp(-((f - 0.5) ** 2) * 14) * 1.15 + 0.38)); // f: place between two pixels, 0..1

export class Threads {
  /** `k`: pixels of the canvas per CSS pixel. */
  draw(bytes, width, height, k, strands, stand, t, sway, weights, light) {
    const n = strands.pixels;
    if (this.root?.length !== n) {
      this.root = new Float32Array(n); // of the brightest channel, with gain
      this.hues = new Float32Array(n * 3);
    }
    Object.assign(this, { bytes, width, height });
    const least = Math.max(1.4, 1.6 * k), p = [0, 0, 0], at = [0, 0, 0];
    for (let i = 0; i < strands.count; i++) {
      const s = strands.list[i];
      this.colours(light.now, i * n * 3, s.pixels, GAIN * light.exposure);
      let before = null;
      for (const v of ALONG) {
        stand.project(hang(s, v, t, sway, p), at);
        const far = at[2], wide = (WIDTH * stand.focal * k) / far;
        const here = far < 0.1 ? null : {
          v, x: at[0] * k, y: at[1] * k, half: Math.max(wide, least),
          fade: Math.sqrt((1 - 0.5 * smooth((far - stand.depth[0]) / (stand.depth[1] - stand.depth[0]))) * Math.min(1, (wide / least) * 0.6 + 0.4) * weights[i]),
          beads: smooth(((s.length / s.pixels) * stand.focal * k / far - 3) / 4),
        };
        if (before && here) this.piece(before, here, s.pixels);
        before = here;
      }
    }
  }

  /** Root of the brightest channel and the share of each, for the pixels of one strand. */
  colours(now, base, pixels, gain) {
    const { root, hues } = this, scale = gain / 255;
    for (let j = 0, o = base; j < pixels; j++, o += 3) {
      const r = now[o], g = now[o + 1], b = now[o + 2], most = Math.max(r, g, b, 1e-4), share = 1 / most;
      root[j] = Math.sqrt(most * scale);
      hues[j * 3] = hue(r * share);
      hues[j * 3 + 1] = hue(g * share);
      hues[j * 3 + 2] = hue(b * share);
    }
  }

  /** From point a to point b of one thread. */
  piece(a, b, pixels) {
    const { width, height } = this, dx = b.x - a.x, dy = b.y - a.y, steep = Math.abs(dy) >= Math.abs(dx);
    const from = steep ? a.y : a.x, span = steep ? dy : dx, size = steep ? height : width, other = steep ? width : height;
    if (Math.abs(span) < 1e-3) return;
    const lean = Math.hypot(dx, dy) / Math.abs(span); // a slanting line is wider along a row
    const first = Math.max(0, Math.ceil(Math.min(from, from + span) - 0.5)), end = Math.min(size, Math.ceil(Math.max(from, from + span) - 0.5));
    const cord = b.v <= 0.0001, profile = cord ? HEART : THREAD[Math.min(15, Math.max(0, Math.round((a.half * lean - 1) * 4)))];
    const along = steep ? width * 4 : 4, sideways = steep ? 4 : width * 4;
    for (let q = first; q < end; q++) {
      const f = (q + 0.5 - from) / span, v = a.v + (b.v - a.v) * f, middle = steep ? a.x + dx * f : a.y + dy * f;
      const half = (a.half + (b.half - a.half) * f) * lean;
      const s = this.light(v, pixels, cord, a.beads) * (a.fade + (b.fade - a.fade) * f);
      if (s > 0.002) this.cross(middle, half, s, profile, q * along, sideways, other);
    }
  }

  /** Root of the light at place v of the thread; its hue into this.r, g, b. The first pixel is at the hand, below. */
  light(v, pixels, cord, beads) {
    const { root, hues } = this;
    if (cord) { // the light that leaks into the cord, and a hair of its own
      const top = pixels - 1, leak = root[top] ** 2 * 0.25 * Math.exp(v * 9), hair = 0.004 * Math.exp(v * 2.2) * (1 + v * 3.3), m = leak + hair, w = hair / m;
      this.r = hues[top * 3] * (1 - w) + w;
      this.g = hues[top * 3 + 1] * (1 - w) + w;
      this.b = hues[top * 3 + 2] * (1 - w) + w;
      return Math.sqrt(m);
    }
    const at = Math.min(pixels - 1, Math.max(0, (1 - v) * pixels - 0.5)), i = at | 0, j = i + 1 < pixels ? i + 1 : i, w = at - i, o = i * 3, e = j * 3;
    this.r = hues[o] + (hues[e] - hues[o]) * w;
    this.g = hues[o + 1] + (hues[e + 1] - hues[o + 1]) * w;
    this.b = hues[o + 2] + (hues[e + 2] - hues[o + 2]) * w;
    const s = root[i] + (root[j] - root[i]) * w;
    if (beads <= 0) return s;
    const f = v * pixels;
    return s * (1 - beads + beads * BEAD[((f - Math.floor(f)) * FINE) | 0]);
  }

  /** The few pixels across the thread at one row or column. */
  cross(middle, half, s, profile, at, sideways, other) {
    const { bytes, r, g, b } = this, inverse = 1 / half;
    const last = Math.min(other - 1, Math.floor(middle + half - 0.5));
    for (let x = Math.max(0, Math.ceil(middle - half - 0.5)); x <= last; x++) {
      const d = (x + 0.5 - middle) * inverse, i = Math.min(LAST, (s * profile[Math.min(FINE, d * d * FINE) | 0] * STEPS) | 0);
      const shade = SHADE[i], w = WHITE[i], o = at + x * sideways;
      bytes[o] += shade * (r + (1 - r) * w);
      bytes[o + 1] += shade * (g + (1 - g) * w);
      bytes[o + 2] += shade * (b + (1 - b) * w);
    }
  }
}

function smooth(x) {
  x = Math.min(1, Math.max(0, x));
  return x * x * (3 - 2 * x);
}
