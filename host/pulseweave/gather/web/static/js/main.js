// The live page: puts together the link to the room, the light, the curve, the controls and leaning in.
// `?light=plain` draws without WebGL2, `?light=glow` with it even where it is imitated; `?still` holds all sway, `?fine` never
// draws coarser. Tests read window.pulseweave.stats.

import { Controls } from "./controls.js";
import { Curve } from "./curve.js";
import { Glow } from "./glow.js";
import { hands } from "./hands.js";
import { Lean } from "./lean.js";
import { Light } from "./light.js";
import { Link } from "./link.js";
import { Plain } from "./plain.js";
import { Stand } from "./stand.js";
import { hang, Strands } from "./strands.js";

const $ = (id) => document.getElementById(id);
const asked = new URLSearchParams(location.search);
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const stats = { connections: 0, received: 0, drawn: 0, frames: 0, missed: 0, fps: 0, pictures: 0, longest_gap_ms: 0, renderer: "", scale: 1, at: 0 };
let meta = null, strands = null, light = null, state = null, newest = null, shownSeq = null, weights = new Float32Array(0);
let leaning = null, spokenAt = 0;
const near = new Set();
const COARSEST = 0.6; // below this a thread is no longer a thread

const stand = new Stand();
const curve = new Curve($("line"));
let painter = new Plain($("light")); // at once; a graphics card takes over when it is ready
stats.renderer = painter.renderer;

const link = new Link({
  up: () => { say(""); if (leaning !== null) link.look(leaning); },
  down: () => say("the room is silent; listening for it", true),
  meta: (m) => describe(m.meta),
  history: (m) => curve.history(m.rows),
  state: (m) => take(m.state),
  near: (m) => { lean.near(m); near.clear(); for (const [node] of m.neighbours) near.add(strands?.index.get(node)); },
  events: (m) => m.events.forEach(happen),
  answer: (m) => say(m.text),
  picture: (p) => { newest = p; soon(); },
}, stats);
const controls = new Controls((c) => link.send(c), say);
const lean = new Lean((c) => controls.send(c));
const view = {
  stats, stand, link, panel: lean.panel, leanTo, where, seconds: () => seconds(), steady: () => steady(),
  get painter() { return painter; }, get leaning() { return leaning; }, get strands() { return strands; }, get weights() { return weights; }, get light() { return light; },
  get meta() { return meta; }, get state() { return state; },
};
window.pulseweave = view;
hands($("picker"), view, controls);

/** From the processor to the graphics card, where there is one. */
async function glow() {
  if (asked.get("light") === "plain") return;
  try {
    const canvas = $("light").cloneNode(); // one that has not been drawn to
    const card = await Glow.ready(canvas, asked.get("light") === "glow");
    $("light").replaceWith(canvas);
    painter = card;
  } catch (e) {
    console.info(`drawing plainly: ${e.message}`);
    return;
  }
  stats.renderer = painter.renderer;
  document.body.classList.add("hardware");
  painter.hang(strands);
  unsharp = true;
  soon();
}

// --- what the room tells

function describe(m) {
  const shape = (x) => x && JSON.stringify([x.pixels, x.strands]);
  const other = shape(m) !== shape(meta);
  if (meta && m.scenario !== meta.scenario) { curve.clear(); link.seq = null; }
  meta = m;
  controls.show(m);
  set($("story"), m.title || "");
  if (!other) return;
  leanTo(null);
  strands = new Strands(m);
  light = new Light(strands.count * strands.pixels);
  weights = new Float32Array(strands.count).fill(1);
  painter.hang(strands);
  resize();
  $("picker").setAttribute("aria-label", `${strands.count} strands of light. Arrow keys walk from one to the next, Enter stays, Escape leaves.`);
}

function take(s) {
  state = s;
  controls.now(s.t_s);
  const r = s.room || {};
  curve.push([s.t_s, r.collective ?? null, r.truth ?? null, r.g ?? null]);
  const heard = lean.state(s);
  if (heard && $("picked").dataset.i !== String(leaning)) {
    $("picked").dataset.i = String(leaning);
    $("picked").textContent = heard;
  }
  const number = (v, digits = 2) => (typeof v === "number" ? v.toFixed(digits) : "–");
  const people = (s.nodes?.contact || []).reduce((a, b) => a + (b ? 1 : 0), 0);
  const words = [`${strands?.count ?? 0} strands`, `${people} visitors`];
  if (typeof r.ratio === "number") words.push(`feedback ${number(r.ratio)}`);
  if (typeof r.synchrony === "number") words.push(`in step ${number(r.synchrony)}`);
  if (r.contagion) words.push("stirred together");
  set($("summary"), words.join("  ·  "));
  const mesh = s.mesh || {}, well = [];
  const unwell = (s.nodes?.health || []).filter(Boolean).length;
  if (s.health) well.push(String(s.health));
  if (unwell) well.push(`${unwell} ${unwell === 1 ? "strand needs" : "strands need"} a look`);
  const other = (s.nodes?.odd || []).filter(Boolean).length;
  if (other) well.push(`${other} ${other === 1 ? "runs" : "run"} another release`);
  if (mesh.received) well.push(`${Math.round((100 * (mesh.lost || 0)) / (mesh.received + (mesh.lost || 0)))} % of frames lost`);
  if (typeof s.tick_us === "number") well.push(s.tick_us < 1000 ? `tick ${Math.round(s.tick_us)} µs` : `tick ${(s.tick_us / 1000).toFixed(1)} ms`);
  set($("health"), well.join("  ·  "));
  if (performance.now() - spokenAt > 20000 && typeof r.collective === "number") {
    spokenAt = performance.now();
    set($("spoken"), `Room's arousal ${Math.round(100 * r.collective)} percent, damping ${Math.round(100 * (r.g || 0))} percent, ${people} visitors`);
  }
}

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function happen(event) {
  if (event.kind !== "error") curve.mark(event.t_s ?? state?.t_s ?? 0, event.text || event.kind);
  say(event.text || event.kind);
}

let quiet;
function say(text, lasting = false) {
  clearTimeout(quiet);
  if (text) $("notice").textContent = text;
  $("notice").classList.toggle("said", Boolean(text));
  if (text && !lasting) quiet = setTimeout(() => $("notice").classList.remove("said"), 4000);
}

// --- leaning in

const point = [0, 0, 0], flat = [0, 0, 0];
const steady = () => (calm.matches || asked.has("still") ? 0 : 1);
const seconds = () => (steady() ? performance.now() / 1000 : 0);

function leanTo(i) {
  if (i === leaning) return;
  leaning = i;
  near.clear();
  lean.show(i, strands);
  link.look(i);
  const picked = $("picked");
  delete picked.dataset.i;
  picked.setAttribute("aria-selected", String(i !== null));
  if (i === null) { $("picker").removeAttribute("aria-activedescendant"); return; }
  picked.setAttribute("aria-setsize", strands.count);
  picked.setAttribute("aria-posinset", i + 1);
  $("picker").setAttribute("aria-activedescendant", "picked");
  lean.state(state);
  picked.textContent = strands.list[i].name;
}

/** Middle of strand i on the screen, CSS pixels; for tests and tools. */
function where(i) {
  stand.project(hang(strands.list[i], 0.5, seconds(), steady(), point), flat);
  return [flat[0], flat[1]];
}

// --- the window

function resize() {
  const w = innerWidth, h = innerHeight, small = w <= 720;
  if (strands) stand.place(strands, w, h, { left: w * (small ? 0.03 : 0.06), right: w * (small ? 0.03 : 0.06), top: small ? 70 : h * 0.10, bottom: (small ? 64 : 84) + h * (h > w ? 0.10 : 0.12) });
  unsharp = true;
}

/** The canvas in device pixels, fewer of them where drawing is slow. It is empty afterwards: only done by a frame that draws. */
function sharpness() {
  unsharp = false;
  const wished = Math.min(2, devicePixelRatio || 1), ratio = (asked.has("fine") ? wished : painter.sharpness(stand, wished)) * stats.scale;
  painter.resize(Math.max(2, Math.round(stand.width * ratio)), Math.max(2, Math.round(stand.height * ratio)), stand);
}
addEventListener("resize", resize);

// --- each frame

const STILL_MS = [200, 60]; // between frames of a processor without a new picture: where the room is only late, and where it rests
let before = 0, counted = 0, countedAt = performance.now(), countedPictures = 0, slow = 0, quick = 0, patience = 5;
let coming = 0, later = 0, unsharp = false, carded = false, countedReceived = 0;

/** A frame as soon as the window can show one. */
function soon() {
  clearTimeout(later);
  later = 0;
  coming ||= requestAnimationFrame(frame);
}

function frame(now) {
  coming = 0;
  // a computer that draws with its processor leaves it to the room: it draws when there is something new to see
  if (!painter.software) soon();
  else later ||= setTimeout(soon, STILL_MS[Number(Boolean(meta?.paused))]);
  const dt = Math.min(0.25, (now - before) / 1000);
  before = now;
  if (!strands || !light) return;
  if (newest && newest.seq !== shownSeq && newest.nodes === strands.count && newest.pixels === strands.pixels) {
    light.picture(newest.rgb);
    shownSeq = newest.seq;
    stats.drawn += 1;
  }
  const fresh = light.ease(dt);
  const t = seconds(), sway = steady();
  const k = 1 - Math.exp(-dt * 6);
  for (let i = 0; i < weights.length; i++) {
    const goal = leaning === null ? 1 : i === leaning ? 1.25 : near.has(i) ? 0.6 : 0.28;
    weights[i] += (goal - weights[i]) * k;
  }
  stand.update(t, sway);
  if (unsharp) sharpness();
  const lines = lean.draw(stand, t, sway, !sway);
  painter.draw(stand, t, sway, weights, light, fresh, lines);
  stats.frames += 1;
  if (stats.drawn && !carded) { carded = true; setTimeout(glow); } // first light, then the graphics card
  if (now - countedAt > 1000) {
    const s = (now - countedAt) / 1000;
    stats.fps = (stats.frames - counted) / s;
    stats.pictures = (stats.drawn - countedPictures) / s;
    const behind = painter.software ? stats.drawn - countedPictures < 0.95 * (stats.received - countedReceived) : stats.fps < 24;
    counted = stats.frames; countedPictures = stats.drawn; countedReceived = stats.received; countedAt = now;
    $("pace").textContent = `${Math.round(stats.fps)} frames/s · ${stats.missed} missed`;
    adapt(behind);
  }
}

/** A picture that comes late is worse than a coarse one: fewer pixels where frames are slow, more again where they are not. */
function adapt(behind) {
  if (document.hidden || asked.has("fine")) return;
  slow = behind ? slow + 1 : 0;
  quick = !behind && stats.scale < 1 ? quick + 1 : 0;
  if (slow >= 3 && stats.scale > COARSEST) {
    stats.scale = Math.max(COARSEST, stats.scale * 0.8);
    if (quick < patience) patience = Math.min(120, patience * 2);
  } else if (quick >= patience) stats.scale = Math.min(1, stats.scale / 0.8);
  else return;
  slow = quick = 0;
  unsharp = true;
}
soon();
