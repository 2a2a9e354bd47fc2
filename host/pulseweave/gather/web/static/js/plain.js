// Draws the room with the processor, pixel by pixel into a 2D canvas: while a graphics card gets ready, and where there is none.
// The same light as Glow, with the same interface; `haze.js` is the room and its air, `threads.js` what hangs in it.

import { Air } from "./air.js";
import { Haze } from "./haze.js";
import { Threads } from "./threads.js";

const MOST = 640000; // pixels of a canvas; more are no more beautiful, only later

export class Plain {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
    this.air = new Air();
    this.haze = new Haze();
    this.threads = new Threads();
    this.renderer = "canvas 2D";
    this.software = true;
    this.count = 0;
  }

  hang(strands) {
    this.strands = strands;
  }

  /** Device pixels for each CSS pixel of a window, `wished` where the processor can draw as many. */
  sharpness(stand, wished) {
    return Math.min(wished, Math.sqrt(MOST / (stand.width * stand.height)));
  }

  resize(width, height, stand) {
    this.canvas.width = width;
    this.canvas.height = height;
    this.air.resize(stand.width, stand.height);
    this.haze.resize(this.air, width, height);
    this.image = new ImageData(width, height);
    this.words = new Int32Array(this.image.data.buffer);
    this.room = new Int32Array(width * height);
    this.count = 0;
  }

  draw(stand, t, sway, weights, light, fresh, lines) {
    if (!this.strands) return;
    const { context: c, canvas, image, strands } = this, k = canvas.height / stand.height;
    if (this.count++ % 2 === 0) { // halos are soft in time as well: every other picture is enough
      this.air.fill(strands, stand, t, sway, weights, light);
      this.haze.draw(this.air, stand, this.room);
    }
    this.words.set(this.room);
    this.threads.draw(image.data, canvas.width, canvas.height, k, strands, stand, t, sway, weights, light);
    c.putImageData(image, 0, 0);
    c.globalCompositeOperation = "lighter";
    c.lineWidth = k;
    for (const { points, strength } of lines) {
      c.strokeStyle = `rgb(214 222 245 / ${(0.06 + 0.4 * strength).toFixed(2)})`;
      c.beginPath();
      for (let i = 0; i < points.length; i += 2) c.lineTo(points[i] * k, points[i + 1] * k);
      c.stroke();
    }
  }
}
