// The room's arousal along the bottom: what is shared (line), the truth where it is known (dots), damping (dashes).
// In: rows [t_s, collective, truth, g], each 0..1 or null. The newest is at the right.

const SPAN = [60, 180]; // seconds that fit: one minute at first, three in the end
const KEEP = 2400;

export class Curve {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.rows = [];
    this.marks = [];
    this.top = 0.5;
    new ResizeObserver(() => this.resize()).observe(canvas);
    this.resize();
  }

  resize() {
    this.ratio = Math.min(2, devicePixelRatio || 1);
    this.width = this.canvas.clientWidth;
    this.height = this.canvas.clientHeight;
    this.canvas.width = Math.round(this.width * this.ratio);
    this.canvas.height = Math.round(this.height * this.ratio);
    this.draw();
  }

  history(rows) {
    this.rows = rows.slice(-KEEP);
    this.draw();
  }

  push(row) {
    const last = this.rows.at(-1);
    if (last && row[0] < last[0]) this.clear();
    if (!last || row[0] !== last[0]) this.rows.push(row);
    if (this.rows.length > KEEP) this.rows.splice(0, KEEP / 4);
    this.draw();
  }

  mark(t, text) {
    this.marks.push({ t, text });
    if (this.marks.length > 32) this.marks.shift();
  }

  clear() {
    this.rows.length = 0;
    this.marks.length = 0;
  }

  draw() {
    const c = this.context, { width, height } = this, last = this.rows.at(-1);
    c.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    c.clearRect(0, 0, width, height);
    if (!last) return;
    const small = width < 720, right = width - (small ? 74 : 118), left = -4;
    const pace = (right - left) / Math.min(SPAN[1], Math.max(SPAN[0], last[0] - this.rows[0][0]));
    const x = (t) => right - (last[0] - t) * pace;
    let first = this.rows.length - 1;
    while (first > 0 && x(this.rows[first][0]) > left) first--;
    const rows = this.rows.slice(first);
    // a calm room fills half of the height only: then the line is drawn twice as high
    const top = rows.some((r) => Math.max(r[1], r[2], r[3]) > 0.48) ? 1 : 0.5;
    this.top += (top - this.top) * 0.2;
    const y = (v) => height - 9 - (Math.min(1, Math.max(0, v)) / this.top) * (height - 20);

    const fade = c.createLinearGradient(0, 0, right, 0);
    const shade = (a) => `rgb(236 238 246 / ${a})`;
    const ink = (a) => { const g = c.createLinearGradient(0, 0, right, 0); g.addColorStop(0, shade(0)); g.addColorStop(0.35, shade(a * 0.5)); g.addColorStop(1, shade(a)); return g; };
    fade.addColorStop(0, "rgb(255 190 130 / 0)");
    fade.addColorStop(0.4, "rgb(255 190 130 / 0.5)");
    fade.addColorStop(1, "rgb(255 214 170 / 0.95)");

    const path = (column) => {
      c.beginPath();
      let down = false;
      for (const row of rows) {
        if (row[column] === null || row[column] === undefined) { down = false; continue; }
        if (down) c.lineTo(x(row[0]), y(row[column]));
        else c.moveTo(x(row[0]), y(row[column]));
        down = true;
      }
    };
    for (const m of this.marks) {
      const at = x(m.t);
      if (at < 40) continue;
      c.fillStyle = shade(0.22);
      c.fillRect(at, 6, 1, height - 12);
      c.font = "300 11px system-ui, sans-serif";
      c.fillStyle = shade(0.5 * Math.min(1, at / 300));
      const wide = c.measureText(m.text).width;
      if (!small) c.fillText(m.text, Math.min(at + 5, right - wide), 14);
    }
    c.lineJoin = "round";
    c.setLineDash([7, 5]); c.lineWidth = 1; c.strokeStyle = ink(0.42);
    path(3); c.stroke();
    c.setLineDash([1.5, 4]); c.lineWidth = 1.4; c.strokeStyle = ink(0.75); c.lineCap = "round";
    path(2); c.stroke();
    c.setLineDash([]); c.lineCap = "butt";
    path(1);
    c.lineWidth = 5; c.strokeStyle = fade; c.globalAlpha = 0.10; c.stroke();
    c.lineWidth = 1.5; c.globalAlpha = 1; c.stroke();

    // words at the end of each line, pushed apart where they would meet
    const words = [[1, "room", 0.9], [2, "truth", 0.62], [3, "damping", 0.5]]
      .filter(([k]) => typeof last[k] === "number")
      .map(([k, word, a]) => ({ at: y(last[k]), point: y(last[k]), text: small ? word : `${word} ${Math.round(100 * last[k])}`, a }))
      .sort((p, q) => p.at - q.at);
    const gap = small ? 13 : 15;
    for (let i = 1; i < words.length; i++) words[i].at = Math.max(words[i].at, words[i - 1].at + gap);
    const over = words.length ? words.at(-1).at - (height - 9) : 0;
    if (over > 0) for (let i = words.length - 1, low = height - 9; i >= 0; i--, low -= gap) words[i].at = Math.min(words[i].at, low);
    c.font = `300 ${small ? 11 : 12}px system-ui, sans-serif`;
    for (const w of words) {
      c.fillStyle = shade(w.a);
      c.fillRect(right + 3, w.point - 0.5, 5, 1);
      c.fillText(w.text, right + 14, w.at + 4);
    }
  }
}
