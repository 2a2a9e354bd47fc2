// Leaning towards one strand: who is there, how it beats, what is felt and what is shown, and which strands hear it.
// In: the index of a strand, the room's newest state. Out: a small panel beside the strand, fine lines to its neighbours.

import { hang } from "./strands.js";

const LABELS = 4; // the loudest neighbours are named with their strength in dBm
const CURVE = 14; // pieces of a line

const percent = (v) => `${Math.round(100 * v)} %`;
const at = (nodes, name, i) => (Array.isArray(nodes?.[name]) ? nodes[name][i] : null);

const NONE = [];

/** The last line of a traceback says most. */
const last = (text) => String(text).trim().split("\n").pop().slice(-60);

// Beats do not travel through the mesh: of a gathered room they are not known.
const words = (here, hr) => (!here ? "nobody here" : hr > 0 ? `${Math.round(hr)} beats a minute` : hr === null ? "somebody is here" : "somebody; listening for the pulse");

export class Lean {
  constructor(send) {
    this.panel = document.getElementById("lean");
    this.labels = Array.from({ length: LABELS }, () => document.getElementById("links").appendChild(document.createElement("span")));
    this.scale = document.getElementById("scale");
    this.beat = document.getElementById("beat");
    this.finger = document.getElementById("finger");
    this.node = null;
    this.neighbours = [];
    this.notes = [];
    this.finger.addEventListener("click", () => send({ do: this.touching ? "lift" : "touch", node: this.strands.list[this.node].node }));
  }

  show(node, strands) {
    this.node = node;
    this.strands = strands;
    this.neighbours = [];
    this.notes = [];
    this.beats = null;
    this.panel.hidden = node === null;
    document.body.classList.toggle("leaning", node !== null);
    for (const label of this.labels) label.hidden = true;
    if (node !== null) document.getElementById("lean-name").textContent = strands.list[node].name;
  }

  near(message) {
    if (message.node !== this.node) return;
    this.neighbours = message.neighbours;
    this.notes = message.notes || [];
  }

  /** New numbers, four times a second. Returns what a screen reader should hear when the strand is first reached. */
  state(state) {
    if (this.node === null || !state) return "";
    const n = state.nodes, i = this.node, hr = at(n, "hr", i), here = Boolean(at(n, "contact", i));
    this.touching = here;
    this.hr = here && hr > 0 ? hr : 0;
    const beats = at(n, "beats", i);
    if (beats !== null && beats !== this.beats) {
      if (this.beats !== null) this.beaten = performance.now();
      this.beats = beats;
    }
    const sure = at(n, "confidence", i), felt = at(n, "arousal", i), shown = at(n, "level", i), mood = at(n, "valence", i), g = at(n, "g", i);
    const quality = at(n, "quality", i);
    document.getElementById("lean-words").textContent = words(here, hr);
    this.finger.textContent = here ? "lift the finger" : "lay a finger on";
    this.drawScale(here ? felt : null, shown, sure ?? 0);
    const rows = [];
    if (here && sure !== null) rows.push(["sure", percent(sure)]);
    if (here && quality !== null) rows.push(["signal", percent(quality)]);
    if (here && mood !== null) rows.push(["mood", mood > 0.2 ? "warm" : mood < -0.2 ? "cool" : "even"]);
    if (g !== null) rows.push(["damping", percent(g)]);
    const own = at(n, "rho", i), unwell = at(n, "health", i);
    if (own !== null) rows.push(["always own", percent(own)]); // the share of the light that no damping touches
    if (at(n, "opted_out", i)) rows.push(["opted out", "neutral light"]);
    if (unwell) rows.push(["health", unwell]);
    const runs = at(n, "release", i), odd = at(n, "odd", i), board = at(n, "board", i);
    if (runs) rows.push(["runs", runs]);
    if (board) rows.push(["board", board]);
    document.getElementById("lean-badge").textContent = odd ? `most others run ${odd}` : "";
    for (const note of this.notes) rows.push([`crash, boot ${note.boot}`, `${note.part}: ${last(note.text)}`]);
    if (this.neighbours.length) {
      const [node, rssi] = this.neighbours.reduce((a, b) => (b[1] > a[1] ? b : a));
      rows.push(["hears", `${this.neighbours.length} strands`]);
      rows.push(["loudest", `${this.named(node)}, ${rssi} dBm`]);
    }
    const list = document.getElementById("lean-list");
    while (list.children.length > rows.length * 2) list.lastChild.remove();
    rows.forEach(([term, value], k) => {
      if (!list.children[k * 2]) list.append(document.createElement("dt"), document.createElement("dd"));
      if (list.children[k * 2].textContent !== term) list.children[k * 2].textContent = term;
      if (list.children[k * 2 + 1].textContent !== value) list.children[k * 2 + 1].textContent = value;
      for (const side of [0, 1]) list.children[k * 2 + side].className = value.length > 11 || term.length > 10 ? "long" : "";
    });
    const spoken = here ? `${words(true, hr)}, feels ${percent(felt ?? 0)}, shows ${percent(shown ?? 0)}` : "nobody here";
    return `${this.strands.list[i].name}, ${spoken}`;
  }

  named(node) {
    const i = this.strands.index.get(node);
    return i === undefined ? node : this.strands.list[i].name;
  }

  /** One line from calm to stirred with two marks: felt (ring, the paler the less sure) and shown (bar). */
  drawScale(felt, shown, sure) {
    const ratio = Math.min(2, devicePixelRatio || 1), wide = this.scale.clientWidth || 236, high = 46;
    if (this.scale.width !== Math.round(wide * ratio)) { this.scale.width = Math.round(wide * ratio); this.scale.height = high * ratio; }
    const c = this.scale.getContext("2d");
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.clearRect(0, 0, wide, high);
    const x = (v) => 6 + Math.min(1, Math.max(0, v)) * (wide - 12), y = 23;
    c.fillStyle = "rgb(236 238 246 / 0.25)";
    c.fillRect(6, y, wide - 12, 1);
    c.font = "300 11px system-ui, sans-serif";
    const word = (text, v, top) => {
      c.fillStyle = "rgb(236 238 246 / 0.72)";
      const w = c.measureText(text).width;
      c.fillText(text, Math.min(wide - w, Math.max(0, x(v) - w / 2)), top);
    };
    if (typeof shown === "number") {
      c.fillStyle = "rgb(255 214 170 / 0.95)";
      c.fillRect(x(shown) - 1, y - 7, 2, 15);
      word(`shown ${Math.round(100 * shown)}`, shown, 44);
    }
    if (typeof felt === "number") {
      c.strokeStyle = `rgb(236 238 246 / ${0.3 + 0.7 * sure})`;
      c.fillStyle = `rgb(236 238 246 / ${0.6 * sure})`;
      c.lineWidth = 1.5;
      c.beginPath(); c.arc(x(felt), y + 0.5, 5, 0, 6.3); c.fill(); c.stroke();
      word(`felt ${Math.round(100 * felt)}`, felt, 11);
    }
    this.scale.setAttribute("aria-label", `${typeof felt === "number" ? `felt ${percent(felt)}, ` : ""}shown ${percent(shown ?? 0)}`);
  }

  /** Each drawn frame: the beat, the panel's place. Returns the lines to the neighbours: {points: [x, y, ...] CSS pixels, strength 0..1}. */
  draw(stand, t, sway, still) {
    if (this.node === null) return NONE;
    const period = this.hr ? 60000 / this.hr : 0, since = performance.now() - (this.beaten ?? 0);
    const glow = period && since < 3 * period ? Math.exp(-(since % period) / 220) : 0;
    this.beat.style.opacity = (0.22 + 0.78 * glow).toFixed(2);
    this.beat.style.transform = still ? "" : `scale(${(1 + 0.55 * glow).toFixed(2)})`;

    const p = [0, 0, 0], a = [0, 0, 0], b = [0, 0, 0], lines = [];
    stand.project(hang(this.strands.list[this.node], 0.42, t, sway, p), a);
    let balance = 0, named = 0;
    for (const [node, rssi] of [...this.neighbours].sort((x, y) => y[1] - x[1])) {
      const i = this.strands.index.get(node);
      if (i === undefined) continue;
      stand.project(hang(this.strands.list[i], 0.42, t, sway, p), b);
      if (b[2] < 0.1) continue;
      balance += Math.sign(b[0] - a[0]);
      const mx = (a[0] + b[0]) / 2, my = (a[1] + b[1]) / 2 + 0.1 * Math.hypot(a[0] - b[0], a[1] - b[1]), points = [];
      for (let k = 0; k <= CURVE; k++) {
        const u = k / CURVE, v = 1 - u;
        points.push(v * v * a[0] + 2 * u * v * mx + u * u * b[0], v * v * a[1] + 2 * u * v * my + u * u * b[1]);
      }
      lines.push({ points, strength: Math.min(1, Math.max(0.15, (rssi + 90) / 55)) ** 2 });
      if (named < LABELS) {
        const label = this.labels[named++];
        label.hidden = false;
        if (label.textContent !== `${rssi}`) label.textContent = `${rssi}`;
        label.style.transform = `translate(${Math.round(b[0] + 6)}px, ${Math.round(b[1] - 18)}px)`;
      }
    }
    while (named < LABELS) this.labels[named++].hidden = true;
    if (stand.width > 720) this.beside(stand, t, sway, a, balance);
    return lines;
  }

  /** The panel goes to the side of its strand that has fewer neighbours, and stays inside the window. */
  beside(stand, t, sway, a, balance) {
    const wide = this.panel.offsetWidth, high = this.panel.offsetHeight, gap = 34, p = [0, 0, 0], b = [0, 0, 0];
    stand.project(hang(this.strands.list[this.node], 0.1, t, sway, p), b);
    const fitsRight = a[0] + gap + wide < stand.width - 16, fitsLeft = a[0] - gap - wide > 16;
    if (this.side === undefined || this.sided !== this.node) { this.side = balance; this.sided = this.neighbours.length ? this.node : null; }
    const right = fitsRight && (!fitsLeft || this.side <= 0);
    const y = Math.min(stand.height - high - 100, Math.max(66, b[1] - 6));
    this.panel.style.transform = `translate(${Math.round(right ? a[0] + gap : a[0] - wide - gap)}px, ${Math.round(y)}px)`;
  }
}
