// What the eye keeps of the pixels. In: pictures at about 25 per second, linear light, 8 bits. Out: RGBA bytes that hold square
// roots of linear light (finer where it is dark), eased over some 60 ms, so that dithering melts as it does in a real room.

const LINGER = 0.06; // seconds

export class Light {
  constructor(count) {
    this.now = new Float32Array(count * 3);
    this.goal = new Uint8Array(count * 3);
    this.bytes = new Uint8Array(count * 4).fill(255);
    this.restless = true;
    this.mean = 0;
  }

  /** The next picture: count * 3 bytes. */
  picture(rgb) {
    this.goal = rgb;
    this.restless = true;
  }

  /** Moves on by dt seconds; true where `bytes` has changed. */
  ease(dt) {
    if (!this.restless) return false;
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
    this.restless = most > 0.3;
    return true;
  }
}
