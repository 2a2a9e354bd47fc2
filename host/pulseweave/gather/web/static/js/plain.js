// Draws the room on a plain 2D canvas, for browsers without WebGL2. Same interface as Glow, simpler light.

import { hang } from "./strands.js";

const PIECES = 14;

export class Plain {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.renderer = "canvas 2D";
    this.software = true;
  }

  hang(strands) {
    this.strands = strands;
    this.bytes = new Uint8Array(strands.count * strands.pixels * 4);
  }

  pixels(bytes) {
    this.bytes = bytes;
  }

  resize(width, height) {
    this.canvas.width = width;
    this.canvas.height = height;
  }

  draw(stand, t, sway, weights, exposure) {
    if (!this.strands) return;
    const c = this.context, k = this.canvas.height / stand.height;
    const p = [0, 0, 0], a = [0, 0, 0], b = [0, 0, 0];
    c.globalCompositeOperation = "source-over";
    c.fillStyle = "#05060b";
    c.fillRect(0, 0, this.canvas.width, this.canvas.height);
    c.globalCompositeOperation = "lighter";
    c.lineCap = "round";
    this.strands.list.forEach((s, i) => {
      stand.project(hang(s, 0, t, sway, p), a);
      for (let j = 1; j <= PIECES; j++) {
        stand.project(hang(s, j / PIECES, t, sway, p), b);
        const colour = this.mean(i, s.pixels, (j - 1) / PIECES, j / PIECES, exposure * weights[i]);
        if (colour && b[2] > 0.1) {
          const w = Math.max(1.2, (0.03 * stand.focal) / b[2]) * k;
          for (const [wide, strength] of [[9, 0.07], [4, 0.14], [1, 1]]) {
            c.strokeStyle = `rgb(${colour} / ${strength})`;
            c.lineWidth = w * wide;
            c.beginPath();
            c.moveTo(a[0] * k, a[1] * k);
            c.lineTo(b[0] * k, b[1] * k);
            c.stroke();
          }
        }
        a[0] = b[0]; a[1] = b[1];
      }
    });
  }

  /** Mean colour of a piece of strand i as "r g b" for a screen, or null where it is dark. */
  mean(i, pixels, from, to, exposure) {
    const start = Math.floor(from * pixels), end = Math.max(start + 1, Math.floor(to * pixels));
    let r = 0, g = 0, b = 0;
    for (let j = start, at = (i * this.strands.pixels + start) * 4; j < end; j++, at += 4) {
      r += this.bytes[at] ** 2; g += this.bytes[at + 1] ** 2; b += this.bytes[at + 2] ** 2;
    }
    const scale = (2.2 * exposure) / (end - start) / 65025;
    const most = Math.max(r, g, b) * scale;
    if (most < 0.002) return null;
    const shoulder = (scale * (1 - Math.exp(-most))) / most;
    return [r, g, b].map((v) => Math.round(255 * (v * shoulder) ** 0.4545)).join(" ");
  }
}
