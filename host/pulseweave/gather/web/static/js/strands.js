// The threads of the room as geometry. In: meta.strands (metres). Out: places, and where a point of a thread hangs now.
// `hang` and the function of the same name in shaders.js are one formula in two languages: change both.

const PITCH = 1 / 30; // metres between pixels where the site file does not say: 30 to the metre
const TOP = 2.6; // metres, where the site file gives no height

/** A number 0..1 from an index, always the same: strands keep their bend when the page is opened again. */
function scatter(i) {
  const s = Math.sin((i + 1) * 12.9898) * 43758.5453;
  return s - Math.floor(s);
}

export class Strands {
  constructor(meta) {
    this.pixels = meta.pixels;
    this.list = meta.strands.map((s, i) => {
      const pixels = Math.min(s.pixels || meta.pixels, meta.pixels);
      const length = s.length_m || Math.max(0.3, pixels * PITCH);
      const z = s.z > 0 ? s.z : TOP;
      // a strand longer than the room is high is hung higher rather than shortened, so that every pixel is seen
      return { node: s.node, name: !s.name ? `strand ${s.node}` : /^\d+$/.test(s.name) ? `strand ${s.name}` : s.name, x: s.x || 0, y: s.y || 0, top: Math.max(z, length + 0.25), length, pixels, phase: scatter(i) };
    });
    this.count = this.list.length;
    this.index = new Map(this.list.map((s, i) => [s.node, i]));
  }
}

/** Where the point v (0 top .. 1 bottom) of strand s is at time t in seconds; sway 0..1; written to out[0..2]. */
export function hang(s, v, t, sway, out) {
  const a = 6.2832 * s.phase;
  const w = Math.max(v, 0);
  const wind = sway * w * w * 0.05;
  const slack = 0.05 * s.length * w;
  out[0] = s.x + slack * Math.sin(a + 3.1 * v) + wind * Math.sin(t * 0.52 - 0.45 * s.x - 0.3 * s.y + 0.9 * a);
  out[1] = s.y + slack * Math.cos(a * 1.7 + 2.3 * v) + wind * Math.cos(t * 0.41 - 0.35 * s.x + 0.4 * s.y + 1.3 * a);
  out[2] = s.top - s.length * v;
  return out;
}
