// What the eye keeps of the pixels. In: pictures at about 25 per second, linear light, 8 bits. Out: RGBA bytes that hold square
// roots of linear light (finer where it is dark), eased over some 60 ms, so that dithering melts as it does in a real room;
// and `exposure`: eyes get used to the dark, slowly and not wholly, so that a stirred room still looks brighter than a calm one.

const LINGER = 0.06; // seconds
const ADAPT = 3; // seconds in which eyes get used to a darker or a brighter room
const BRIGHT = 0.12; // mean light that needs no getting used to

export class Light {
  constructor(count) {
    this.now = new Float32Array(count * 3);
    this.goal = new Uint8Array(count * 3);
    this.bytes = new Uint8Array(count * 4).fill(255);
    this.restless = true;
    this.exposure = this.mean = 0;
  }

  /** The next picture: count * 3 bytes. */
  picture(rgb) {
    this.goal = rgb;
    this.restless = true;
  }

  /** Moves on by dt seconds; true where `bytes` has changed. */
  ease(dt) {
    if (!this.restless) { this.adapt(dt); return false; }
    const k = 1 - Math.exp(-dt / LINGER), { now, goal, bytes } = this;
    let most = 0, sum = 0;
    for (let i = 0, j = 0; i < now.length; j++) {
      for (const end = i + 3; i < end; i++, j++) {
        const d = goal[i] - now[i];
        now[i] += d * k;
        sum += now[i];
        if (d > most) most = d;
        else if (-d > most) most = -d;
        bytes[j] = Math.sqrt(now[i] * 255) + 0.5;
      }
    }
    this.mean = sum / Math.max(1, now.length) / 255;
    this.adapt(dt);
    this.restless = most > 0.3;
    return true;
  }

  adapt(dt) {
    const goal = Math.min(4, Math.max(0.8, Math.pow(BRIGHT / Math.max(1e-4, this.mean), 0.65)));
    if (!this.exposure) this.exposure = this.mean > 0.002 ? goal : 0;
    else this.exposure += (goal - this.exposure) * (1 - Math.exp(-dt / ADAPT));
  }
}
