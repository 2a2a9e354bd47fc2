// Draws the room on a plain 2D canvas, for browsers without WebGL2. Same interface as Glow; the air is the same too.

import { Air } from "./air.js";
import { hang } from "./strands.js";

const PIECES = 16;
const GAIN = 2.6;

export class Plain {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
    this.air = new Air();
    this.haze = document.createElement("canvas");
    this.renderer = "canvas 2D";
    this.software = true;
    // from the root of linear light / 4 (0..sqrt 2, in 1024ths) to a screen, with the same shoulder as the shader
    this.shoulder = new Uint8ClampedArray(1450).map((_, i) => 255 * Math.pow(1 - Math.exp(-(0.0006 + 4 * (i / 1024) ** 2)), 1 / 2.2));
  }

  hang(strands) {
    this.strands = strands;
  }

  resize(width, height, stand) {
    this.canvas.width = width;
    this.canvas.height = height;
    this.air.resize(stand.width, stand.height);
    const { near } = this.air;
    this.haze.width = near.columns;
    this.haze.height = near.rows;
    this.image = new ImageData(near.columns, near.rows);
    this.image.data.fill(255);
  }

  draw(stand, t, sway, weights, light, fresh, lines) {
    if (!this.strands) return;
    const c = this.context, k = this.canvas.height / stand.height;
    this.air.fill(this.strands, stand, t, sway, weights, light);
    this.develop();
    c.globalCompositeOperation = "source-over";
    c.imageSmoothingEnabled = true;
    c.imageSmoothingQuality = "high";
    c.drawImage(this.haze, 0, 0, this.canvas.width, this.canvas.height);
    c.globalCompositeOperation = "lighter";
    const p = [0, 0, 0], a = [0, 0, 0], b = [0, 0, 0];
    this.strands.list.forEach((s, i) => {
      stand.project(hang(s, 0, t, sway, p), a);
      for (let j = 1; j <= PIECES; j++) {
        stand.project(hang(s, j / PIECES, t, sway, p), b);
        const colour = this.colour(light.now, i, s.pixels, (j - 1) / PIECES, j / PIECES, GAIN * light.exposure * weights[i]);
        if (colour && b[2] > 0.1) {
          c.strokeStyle = colour;
          c.lineWidth = Math.max(1.2, (0.022 * stand.focal) / b[2]) * k;
          c.beginPath();
          c.moveTo(a[0] * k, a[1] * k);
          c.lineTo(b[0] * k, b[1] * k);
          c.stroke();
        }
        a[0] = b[0]; a[1] = b[1];
      }
    });
    c.lineWidth = k;
    for (const { points, strength } of lines) {
      c.strokeStyle = `rgb(214 222 245 / ${(0.06 + 0.4 * strength).toFixed(2)})`;
      c.beginPath();
      for (let i = 0; i < points.length; i += 2) c.lineTo(points[i] * k, points[i + 1] * k);
      c.stroke();
    }
  }

  /** The air as a picture: near plus far, the latter smoothly at twice its size. */
  develop() {
    const { near, far } = this.air, out = this.image.data, N = near.bytes, F = far.bytes, row = far.columns * 4;
    for (let y = 0, n = 0; y < near.rows; y++) {
      const above = Math.max(0, (y - 1) >> 1), below = Math.min(far.rows - 1, above + 1), v = y & 1 ? 0.25 : y ? 0.75 : 0;
      for (let x = 0; x < near.columns; x++, n += 4) {
        const left = Math.max(0, (x - 1) >> 1), right = Math.min(far.columns - 1, left + 1), u = x & 1 ? 0.25 : x ? 0.75 : 0;
        for (let q = 0, a = above * row + left * 4, b = above * row + right * 4, c = below * row + left * 4, d = below * row + right * 4; q < 3; q++) {
          const f = (F[a + q] * (1 - u) + F[b + q] * u) * (1 - v) + (F[c + q] * (1 - u) + F[d + q] * u) * v;
          out[n + q] = this.shoulder[(Math.sqrt(N[n + q] ** 2 + f * f) * 1024) / 255 | 0];
        }
      }
    }
    this.haze.getContext("2d").putImageData(this.image, 0, 0);
  }

  /** Mean colour of a piece of strand i, or null where it is dark. */
  colour(now, i, pixels, from, to, gain) {
    // the first pixel is at the hand, below
    const start = Math.min(pixels - 1, Math.floor((1 - to) * pixels)), end = Math.max(start + 1, Math.floor((1 - from) * pixels));
    let r = 0, g = 0, b = 0;
    for (let j = start, at = (i * this.strands.pixels + start) * 3; j < end; j++, at += 3) { r += now[at]; g += now[at + 1]; b += now[at + 2]; }
    const scale = gain / (end - start) / 255, most = Math.max(r, g, b) * scale;
    if (most < 0.002) return null;
    const shoulder = (scale * (1 - Math.exp(-most))) / most;
    return `rgb(${[r, g, b].map((v) => Math.round(255 * (v * shoulder) ** 0.4545)).join(" ")})`;
  }
}
