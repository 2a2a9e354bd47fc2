// The light in the air and on the floor. In: strands, where we stand, linear light of every pixel. Out: two small images of
// linear light: `near`, the halo close to each thread, and `far`, the wide bloom and the floor; for a graphics card also as
// RGBA bytes, square roots of a quarter of it.
// It is done here and not on the graphics card because halos are smooth: a hundred rows are enough, and then a machine
// that has no graphics card draws two hundred strands as well.

import { hang } from "./strands.js";

const ROWS = 112; // of the near image; the far one has half of that
const EDGE = 12; // rows and columns beyond the window, so that light reaches in from outside
const MOST = 40; // points of light per strand, where it is long on the screen
const THREAD = 0.03; // metres: how wide a thread glows
const CLOSE = 2.4, MIDDLE = 2.2, WIDE = 0.8; // shares of the halo at about 1, 5 and 12 rows
const SHINE = 5.5, FADE = 0.55; // of the floor: how much it mirrors, how fast that fades per metre
const POOL = 0.006;
const RING = Array.from({ length: 7 }, (_, i) => (i ? [Math.cos((i * Math.PI) / 3), Math.sin((i * Math.PI) / 3)] : [0, 0]));

export class Air {
  resize(width, height) {
    const rows = ROWS, columns = Math.max(8, Math.round((ROWS * width) / height));
    this.cell = height / rows;
    this.near = grid(columns, rows, EDGE);
    this.far = grid(Math.ceil(columns / 2), Math.ceil(rows / 2), EDGE / 2);
    this.floor = grid(Math.ceil(columns / 2), Math.ceil(rows / 2), EDGE / 2);
  }

  /** Light of this moment; `light` is an eased Light, `weights` one factor per strand. */
  fill(strands, stand, t, sway, weights, { now: light, exposure }) {
    const { near, far, floor, cell } = this;
    near.light.fill(0);
    floor.light.fill(0);
    const p = [0, 0, 0], at = [0, 0, 0], c = [0, 0, 0];
    strands.list.forEach((s, i) => {
      const base = i * strands.pixels * 3;
      stand.project(hang(s, 0.5, t, sway, p), at);
      if (at[2] < 0.3) return;
      // what leaves the thread towards us: its width times its length on the screen, in cells
      const scale = stand.focal / at[2] / cell, haze = mix(1, 0.5, (at[2] - stand.depth[0]) / (stand.depth[1] - stand.depth[0]));
      const pieces = Math.min(MOST, Math.max(5, Math.ceil((s.length * scale) / 1.4)), s.pixels);
      const flux = exposure * weights[i] * haze * (THREAD * scale + 0.06) * (s.length / pieces) * scale;
      for (let k = 0; k < pieces; k++) {
        const up = pieces - 1 - k; // the first pixel is at the hand, below
        mean(light, base, Math.floor((up * s.pixels) / pieces), Math.floor(((up + 1) * s.pixels) / pieces), c);
        if (Math.max(c[0], c[1], c[2]) < 1e-4) continue;
        stand.project(hang(s, (k + 0.5) / pieces, t, sway, p), at);
        splat(near, at[0] / cell, at[1] / cell, c, flux);
        p[2] = -p[2];
        stand.project(p, at);
        if (at[2] > 0.3) splat(floor, at[0] / cell / 2, at[1] / cell / 2, c, 0.25 * SHINE * flux * Math.exp(FADE * p[2]));
      }
    });
    halve(near, far);
    strands.list.forEach((s, i) => { // the pool of light on the floor below each strand
      mean(light, i * strands.pixels * 3, 0, (s.pixels + 1) >> 1, c);
      const foot = Math.max(0.2, s.top - s.length);
      for (const [dx, dy] of RING) {
        p[0] = s.x + dx * 0.5; p[1] = s.y + dy * 0.5; p[2] = 0;
        stand.project(p, at);
        if (at[2] < 0.3) continue;
        const scale = stand.focal / at[2] / cell / 2;
        splat(far, at[0] / cell / 2, at[1] / cell / 2, c, (POOL * exposure * weights[i] * scale * scale) / (0.4 + foot));
      }
    });
    blur(near, 1, 1);
    blur(near, 1, 1);
    blur(floor, 0, 2);
    blur(floor, 1, 2);
    const a = far.light, n = near.light, f = floor.light;
    for (let i = 0; i < n.length; i++) n[i] *= CLOSE;
    blur(far, 1, 1);
    blur(far, 2, 2);
    for (let i = 0; i < a.length; i++) f[i] += a[i] * MIDDLE;
    blur(far, 7, 7);
    blur(far, 7, 7);
    for (let i = 0; i < a.length; i++) a[i] = f[i] + a[i] * WIDE;
  }

  /** The images for a graphics card: bytes of both grids. */
  encode() {
    encode(this.near);
    encode(this.far);
  }
}

function mix(a, b, k) {
  return a + (b - a) * Math.min(1, Math.max(0, k));
}

function mean(light, base, from, to, c) {
  let r = 0, g = 0, b = 0;
  for (let j = base + from * 3, end = base + to * 3; j < end; j += 3) { r += light[j]; g += light[j + 1]; b += light[j + 2]; }
  const k = 1 / (to - from) / 255;
  c[0] = r * k; c[1] = g * k; c[2] = b * k;
}

function grid(columns, rows, edge) {
  const W = columns + 2 * edge, H = rows + 2 * edge;
  return { columns, rows, edge, W, H, light: new Float32Array(W * H * 3), spare: new Float32Array(W * H * 3),
    bytes: new Uint8ClampedArray(columns * rows * 4).fill(255) };
}

/** Light c * amount at column x, row y of the window, shared by the four cells around it. */
function splat(g, x, y, c, amount) {
  x += g.edge - 0.5; y += g.edge - 0.5;
  const i = Math.floor(x), j = Math.floor(y);
  if (i < 0 || j < 0 || i >= g.W - 1 || j >= g.H - 1) return;
  const u = x - i, v = y - j, a = g.light;
  for (let k = 0; k < 4; k++) {
    const share = amount * (k & 1 ? u : 1 - u) * (k & 2 ? v : 1 - v);
    const o = ((j + (k >> 1)) * g.W + i + (k & 1)) * 3;
    a[o] += c[0] * share; a[o + 1] += c[1] * share; a[o + 2] += c[2] * share;
  }
}

/** The image of `from` at half its size, as mean light. */
function halve(from, to) {
  const a = from.light, b = to.light;
  for (let y = 0; y < to.H; y++) for (let x = 0; x < to.W; x++) {
    const X = Math.min(from.W - 2, x * 2), Y = Math.min(from.H - 2, y * 2);
    const o = (Y * from.W + X) * 3, q = o + from.W * 3, n = (y * to.W + x) * 3;
    for (let c = 0; c < 3; c++) b[n + c] = (a[o + c] + a[o + 3 + c] + a[q + c] + a[q + 3 + c]) * 0.25;
  }
}

/** One box blur of rx columns and ry rows to each side; two or three of them are nearly a Gaussian. */
function blur(g, rx, ry) {
  const { W, H, light: a, spare: b } = g, row = W * 3;
  const kx = 1 / (2 * rx + 1), ky = 1 / (2 * ry + 1);
  for (let y = 0; y < H; y++) {
    const o = y * row;
    for (let c = 0; c < 3; c++) {
      let sum = 0;
      for (let x = 0; x < rx; x++) sum += a[o + x * 3 + c];
      for (let x = 0; x < W; x++) {
        if (x + rx < W) sum += a[o + (x + rx) * 3 + c];
        if (x > rx) sum -= a[o + (x - rx - 1) * 3 + c];
        b[o + x * 3 + c] = sum * kx;
      }
    }
  }
  const sum = (g.sum ??= new Float64Array(row)).fill(0);
  for (let y = 0; y < ry; y++) for (let i = 0, o = y * row; i < row; i++) sum[i] += b[o + i];
  for (let y = 0; y < H; y++) {
    const o = y * row, enter = y + ry < H ? (y + ry) * row : -1, leave = y > ry ? (y - ry - 1) * row : -1;
    for (let i = 0; i < row; i++) {
      if (enter >= 0) sum[i] += b[enter + i];
      if (leave >= 0) sum[i] -= b[leave + i];
      a[o + i] = sum[i] * ky;
    }
  }
}

function encode(g) {
  const { light: a, bytes, W, columns, rows, edge } = g;
  for (let y = 0, n = 0; y < rows; y++) {
    for (let x = 0, o = ((y + edge) * W + edge) * 3; x < columns; x++, o += 3, n += 4) {
      bytes[n] = Math.sqrt(Math.max(0, a[o]) * 0.25) * 255;
      bytes[n + 1] = Math.sqrt(Math.max(0, a[o + 1]) * 0.25) * 255;
      bytes[n + 2] = Math.sqrt(Math.max(0, a[o + 2]) * 0.25) * 255;
    }
  }
}
