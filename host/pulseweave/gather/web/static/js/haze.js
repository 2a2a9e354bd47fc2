// The dark room and the light in its air as a picture for the processor: ROOM_FRAGMENT of shaders.js without a graphics card.
// In: filled Air, the stand. Out: 0xffBBGGRR words of the whole canvas. Done small, where halos are, and spread smoothly;
// what eight bits cannot show is left to a grain, as in the shader, so that darkness has no steps.

import { hue, LAST, SHADE, STEPS, WHITE } from "./tone.js";

// What is between two steps of eight bits, for red and blue (two fields of 16 bits, the lower half of each a fraction) as for green.
const GRAIN = Int32Array.from({ length: 1 << 13 }, () => Math.floor(Math.random() * 256) * 0x10001);
const BRIGHTEST = 65280 - 16; // of a field: room for the grain and for what adding up rounds away
const EDGE = [0.0011, 0.0012, 0.0023], ABOVE = [0.00025, 0.0003, 0.0008], BELOW = [0.0005, 0.00055, 0.0012];

export class Haze {
  resize(air, width, height) {
    const { columns, rows } = air.near;
    Object.assign(this, { width, height, columns, rows });
    this.cells = new Int32Array(columns * rows * 3); // 0..255 of a screen, 8 bits of fraction
    for (const name of ["upper", "lower", "now", "step"]) this[name] = { rb: new Int32Array(width), g: new Int32Array(width) };
    this.left = new Int32Array(width);
    this.right = new Int32Array(width);
    this.part = new Int32Array(width);
    for (let x = 0; x < width; x++) {
      const at = Math.min(columns - 1, Math.max(0, ((x + 0.5) * columns) / width - 0.5)), i = Math.floor(at);
      this.left[x] = i * 3;
      this.right[x] = Math.min(columns - 1, i + 1) * 3;
      this.part[x] = (at - i) * 256;
    }
  }

  /** The picture of this moment into `words`, width * height of them. */
  draw(air, stand, words) {
    this.develop(air, stand);
    this.spread(words);
  }

  /** Darkness + near + far (smoothly, at twice its size), as a screen shows it. */
  develop({ near, far }, stand) {
    const { cells, columns, rows } = this, N = near.light, F = far.light, row = far.W * 3, c = [0, 0, 0];
    for (let y = 0, n = 0; y < rows; y++) {
      const v = y & 1 ? 0.25 : 0.75, above = ((y - 1) >> 1) + far.edge, high = 1 - (y + 0.5) / rows;
      const h = high * 2 - 1 - stand.horizon, dark = h > 0 ? ABOVE : BELOW, s = smooth(h > 0 ? h / 1.2 : h / -1.4);
      for (let x = 0, at = ((y + near.edge) * near.W + near.edge) * 3; x < columns; x++, at += 3, n += 3) {
        const u = x & 1 ? 0.25 : 0.75, a = above * row + (((x - 1) >> 1) + far.edge) * 3, b = a + row;
        const mx = (x + 0.5) / columns - 0.5, my = high - 0.5, corner = 1 - 1.3 * (mx * mx + my * my);
        for (let q = 0; q < 3; q++) {
          const wide = (F[a + q] * (1 - u) + F[a + 3 + q] * u) * (1 - v) + (F[b + q] * (1 - u) + F[b + 3 + q] * u) * v;
          c[q] = (EDGE[q] + (dark[q] - EDGE[q]) * s) * corner + N[at + q] + wide;
        }
        const most = Math.max(c[0], c[1], c[2], 1e-6), i = Math.min(LAST, (Math.sqrt(most) * STEPS) | 0), w = WHITE[i], k = (1 - w) / most;
        const shade = Math.min(BRIGHTEST, SHADE[i] * 256);
        cells[n] = shade * hue(c[0] * k + w);
        cells[n + 1] = shade * hue(c[1] * k + w);
        cells[n + 2] = shade * hue(c[2] * k + w);
      }
    }
  }

  /** Between the rows of cells the picture goes down in equal steps, so that each pixel costs two additions. */
  spread(words) {
    const { width, height, rows, now, step } = this, pace = rows / height, RB = now.rb, G = now.g, dRB = step.rb, dG = step.g;
    let { upper, lower } = this, have = -9;
    for (let y = 0, n = 0; y < height; y++) {
      const at = (y + 0.5) * pace - 0.5, j = Math.floor(at);
      if (j !== have) {
        if (j === have + 1) [upper, lower] = [lower, upper];
        else this.row(Math.max(0, j), upper);
        this.row(Math.min(rows - 1, j + 1), lower);
        this.start(upper, lower, at - j, pace);
        have = j;
      }
      const from = (Math.random() * GRAIN.length) | 0;
      for (let x = 0; x < width; x++, n++) {
        const grain = GRAIN[(from + x) & 8191], rb = RB[x], g = G[x];
        words[n] = -16777216 | (((rb + grain) >>> 8) & 0xff00ff) | ((g + (grain & 255)) & 0xff00);
        RB[x] = rb + dRB[x];
        G[x] = g + dG[x];
      }
    }
  }

  /** The first row of the canvas that lies `part` below the upper of two rows of cells, and what is added for each next one. */
  start(upper, lower, part, pace) {
    const { now, step, width } = this;
    for (let x = 0; x < width; x++) {
      const r = upper.rb[x] & 0xffff, b = upper.rb[x] >>> 16, g = upper.g[x];
      const dr = (lower.rb[x] & 0xffff) - r, db = (lower.rb[x] >>> 16) - b, dg = lower.g[x] - g;
      now.rb[x] = ((b + db * part) << 16) + ((r + dr * part) | 0);
      now.g[x] = g + dg * part;
      step.rb[x] = ((db * pace) << 16) + ((dr * pace) | 0);
      step.g[x] = dg * pace;
    }
  }

  /** Row j of the cells, as wide as the canvas. */
  row(j, out) {
    const { cells, left, right, part, width, columns } = this, base = j * columns * 3, { rb, g } = out;
    for (let x = 0; x < width; x++) {
      const a = base + left[x], b = base + right[x], w = part[x];
      const red = cells[a] + ((Math.imul(cells[b] - cells[a], w)) >> 8), blue = cells[a + 2] + ((Math.imul(cells[b + 2] - cells[a + 2], w)) >> 8);
      rb[x] = (blue << 16) | red;
      g[x] = cells[a + 1] + ((Math.imul(cells[b + 1] - cells[a + 1], w)) >> 8);
    }
  }
}

function smooth(x) {
  x = Math.min(1, Math.max(0, x));
  return x * x * (3 - 2 * x);
}
