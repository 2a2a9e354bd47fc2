// Where we stand and look from. In: the places of the strands and the size of the window. Out: a projection that shows them
// all, from the side on which they hide each other least; a hand may turn it and step closer.

const FIELD = Math.tan((40 / 2) * (Math.PI / 180)); // half the vertical field of view
const YAWS = 24, PITCHES = [3, 8, 15, 24, 34, 44];
const SAMPLE = 64; // strands that are looked at when choosing the side

export class Stand {
  constructor() {
    this.matrix = new Float32Array(16);
    this.turn = this.tilt = 0; // what the hand added, radians
    this.near = 1; // 1 = everything in view; less = closer
  }

  /** Fit the room into a window of width x height CSS pixels, leaving {left, right, top, bottom} pixels free. */
  place(strands, width, height, free) {
    this.width = width;
    this.height = height;
    const list = strands.list;
    const step = Math.max(1, Math.floor(list.length / SAMPLE));
    const some = list.filter((_, i) => i % step === 0);
    let best = -Infinity;
    for (let i = 0; i < YAWS; i++) {
      for (const pitch of PITCHES) {
        const yaw = ((i / YAWS) * 2 - 1) * Math.PI;
        this.fit(some, yaw, (pitch * Math.PI) / 180, free);
        const score = this.score(some) - pitch * 0.012 - Math.abs(yaw) * 0.06;
        if (score > best) {
          best = score;
          this.yaw = yaw;
          this.pitch = (pitch * Math.PI) / 180;
        }
      }
    }
    this.fit(list, this.yaw, this.pitch, free);
    this.update(0, 0);
  }

  axes(yaw, pitch) {
    const cy = Math.cos(yaw), sy = Math.sin(yaw), cp = Math.cos(pitch), sp = Math.sin(pitch);
    this.right = [cy, sy, 0];
    this.ahead = [-sy * cp, cy * cp, -sp];
    this.up = [-sy * sp, cy * sp, cp];
  }

  /** Distance and centre so that the top and the foot of every strand are inside the free part of the window. */
  fit(list, yaw, pitch, free) {
    this.axes(yaw, pitch);
    const { width: w, height: h } = this;
    const aspect = w / h, { right: r, up: u, ahead: f } = this;
    const X = ((w - free.left - free.right) / w) * aspect, Y = (h - free.top - free.bottom) / h;
    this.shift = [(free.left - free.right) / w, (free.bottom - free.top) / h];
    let cx = 0, cy = 0, cz = 0;
    for (const s of list) { cx += s.x; cy += s.y; cz += s.top - s.length / 2; }
    const n = Math.max(1, list.length);
    const c = [cx / n, cy / n, cz / n];
    let d = 2;
    for (let round = 0; round < 4; round++) {
      d = 2;
      for (const s of list) for (const z of [s.top + 0.1, s.top - s.length]) {
        const p = [s.x - c[0], s.y - c[1], z - c[2]];
        const a = dot(p, r), b = dot(p, u), e = dot(p, f);
        d = Math.max(d, Math.abs(a) / (FIELD * X) - e, Math.abs(b) / (FIELD * Y) - e, 1.6 - e);
      }
      let left = 9, right = -9, low = 9, high = -9;
      for (const s of list) for (const z of [s.top + 0.1, s.top - s.length]) {
        const p = [s.x - c[0], s.y - c[1], z - c[2]], e = d + dot(p, f);
        const a = dot(p, r) / e, b = dot(p, u) / e;
        left = Math.min(left, a); right = Math.max(right, a); low = Math.min(low, b); high = Math.max(high, b);
      }
      const da = ((left + right) / 2) * d * 0.9, db = ((low + high) / 2) * d * 0.9;
      for (let k = 0; k < 3; k++) c[k] += r[k] * da + u[k] * db;
    }
    this.centre = c;
    this.distance = d;
  }

  /** How well the strands stand apart on the screen, and how long they are: mean logarithms, so that no strand is given up. */
  score(list) {
    const at = list.map((s) => [this.flat(s.x, s.y, s.top), this.flat(s.x, s.y, s.top - s.length)]);
    let apart = 0, long = 0;
    for (let i = 0; i < at.length; i++) {
      let least = 1e9;
      for (let j = 0; j < at.length; j++) if (i !== j) {
        const dx = at[i][1][0] - at[j][1][0], dy = (at[i][1][1] - at[j][1][1]) * 0.4;
        least = Math.min(least, dx * dx + dy * dy);
      }
      apart += 0.5 * Math.log(Math.min(least, 1e4) + 1);
      long += Math.log(Math.hypot(at[i][0][0] - at[i][1][0], at[i][0][1] - at[i][1][1]) + 1);
    }
    return (apart + 0.8 * long) / Math.max(1, at.length);
  }

  flat(x, y, z) {
    const p = [x - this.centre[0], y - this.centre[1], z - this.centre[2]];
    const e = this.distance + dot(p, this.ahead);
    const k = this.height / 2 / FIELD / e;
    return [dot(p, this.right) * k, -dot(p, this.up) * k];
  }

  /** The matrix for this moment; `t` seconds and `sway` 0..1 let us breathe a little. Column-major, as WebGL wants it. */
  update(t, sway) {
    const yaw = this.yaw + this.turn + sway * 0.025 * Math.sin(t * 0.11);
    const pitch = Math.min(1.2, Math.max(0.02, this.pitch + this.tilt + sway * 0.006 * Math.sin(t * 0.07)));
    this.axes(yaw, pitch);
    const { right: r, up: u, ahead: f, matrix: m } = this;
    const d = this.distance * this.near;
    const eye = [0, 1, 2].map((k) => this.centre[k] - f[k] * d);
    if (eye[2] < 0.3) eye[2] = 0.3;
    const fx = this.height / this.width / FIELD, fy = 1 / FIELD, near = 0.05, far = 400;
    const A = (far + near) / (far - near), B = (-2 * far * near) / (far - near);
    const re = dot(r, eye), ue = dot(u, eye), fe = dot(f, eye);
    const [sx, sy] = this.shift;
    for (let k = 0; k < 3; k++) {
      m[k * 4] = fx * r[k] + sx * f[k];
      m[k * 4 + 1] = fy * u[k] + sy * f[k];
      m[k * 4 + 2] = A * f[k];
      m[k * 4 + 3] = f[k];
    }
    m[12] = -fx * re - sx * fe;
    m[13] = -fy * ue - sy * fe;
    m[14] = -A * fe + B;
    m[15] = -fe;
    this.eye = eye;
    this.focal = this.height / 2 / FIELD; // CSS pixels per metre at one metre
    this.horizon = sy + fy * Math.tan(pitch); // NDC height of the far end of the floor
    this.depth = [Math.max(0.5, d * 0.55), d * 1.6];
  }

  /** CSS pixel of a world point: out = [x, y, distance]. */
  project(p, out) {
    const m = this.matrix;
    const w = m[3] * p[0] + m[7] * p[1] + m[11] * p[2] + m[15];
    out[0] = (((m[0] * p[0] + m[4] * p[1] + m[8] * p[2] + m[12]) / w) * 0.5 + 0.5) * this.width;
    out[1] = (0.5 - ((m[1] * p[0] + m[5] * p[1] + m[9] * p[2] + m[13]) / w) * 0.5) * this.height;
    out[2] = w;
    return out;
  }
}

function dot(a, b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}
