// Hands and keys: pointing, tapping, turning the room, walking from strand to strand. In: events on the picker and the window.
// Out: view.leanTo(index or null), the stand's turn, tilt and distance, and the controls' shortcuts.

import { hang } from "./strands.js";

const MOUSE = 26, FINGER = 40; // CSS pixels within which a strand is meant
const STILL = 6; // CSS pixels that a tap may move

/** `view` = {stand, strands, leaning, leanTo(i), where(i), seconds(), steady(), panel}; the first five are read when needed. */
export function hands(picker, view, controls) {
  const held = new Map();
  let pinned = false, dragged = 0, spread = 0;
  const stays = () => pinned && view.leaning !== null;

  const step = (factor) => { view.stand.near = Math.min(1.6, Math.max(0.25, view.stand.near * factor)); };

  picker.addEventListener("pointerdown", (e) => {
    held.set(e.pointerId, [e.clientX, e.clientY]);
    picker.setPointerCapture(e.pointerId);
    dragged = held.size > 1 ? 99 : 0;
    spread = 0;
  });
  picker.addEventListener("pointermove", (e) => {
    const from = held.get(e.pointerId);
    if (!from) {
      if (e.pointerType === "mouse" && !stays()) view.leanTo(nearest(view, e.clientX, e.clientY, MOUSE));
      return;
    }
    const dx = e.clientX - from[0], dy = e.clientY - from[1];
    held.set(e.pointerId, [e.clientX, e.clientY]);
    if (held.size === 2) {
      const [p, q] = [...held.values()], now = Math.hypot(p[0] - q[0], p[1] - q[1]);
      if (spread) step(spread / now);
      spread = now;
      return;
    }
    dragged += Math.abs(dx) + Math.abs(dy);
    if (dragged > STILL) {
      view.stand.turn -= dx * 0.004;
      view.stand.tilt = Math.min(1, Math.max(-view.stand.pitch + 0.02, view.stand.tilt + dy * 0.003));
    }
  });
  for (const kind of ["pointerup", "pointercancel"]) picker.addEventListener(kind, (e) => {
    held.delete(e.pointerId);
    if (kind === "pointerup" && dragged <= STILL) {
      const found = nearest(view, e.clientX, e.clientY, e.pointerType === "mouse" ? MOUSE : FINGER);
      pinned = found !== null && !(pinned && found === view.leaning);
      view.leanTo(pinned || e.pointerType === "mouse" ? found : null);
    }
  });
  picker.addEventListener("pointerleave", (e) => { if (!stays() && e.pointerType === "mouse" && !view.panel.matches(":hover")) view.leanTo(null); });
  picker.addEventListener("wheel", (e) => step(Math.exp(e.deltaY * 0.001)), { passive: true });

  addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.target.matches?.("select, input")) return;
    const button = e.target.matches?.("button");
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[e.key];
    if (way && view.strands) { pinned = true; view.leanTo(neighbour(view, ...way)); }
    else if (e.key === "Escape") { picker.focus({ preventScroll: true }); pinned = false; view.leanTo(null); }
    else if (e.key === "Enter" && !button && view.leaning !== null) { pinned = true; view.panel.querySelector("button").focus(); }
    else if (e.key === " " && !button) controls.pause();
    else if (e.key === "u") controls.upset();
    else if (e.key === "d") controls.damping();
    else return;
    e.preventDefault();
  });
  picker.addEventListener("focus", () => {
    if (!picker.matches(":focus-visible") || view.leaning !== null || !view.strands) return;
    pinned = true;
    view.leanTo(neighbour(view, 0, 0));
  });
}

/** Index of the strand nearest to a place on the screen, or null beyond `reach` CSS pixels. */
function nearest({ stand, strands, seconds, steady }, x, y, reach) {
  if (!strands) return null;
  const t = seconds(), sway = steady(), point = [0, 0, 0], a = [0, 0, 0], b = [0, 0, 0];
  let best = reach, found = null;
  strands.list.forEach((s, i) => {
    stand.project(hang(s, 0, t, sway, point), a);
    if (a[2] < 0.1) return;
    for (let v = 0.25; v <= 1; v += 0.25) {
      stand.project(hang(s, v, t, sway, point), b);
      const dx = b[0] - a[0], dy = b[1] - a[1];
      const k = Math.min(1, Math.max(0, ((x - a[0]) * dx + (y - a[1]) * dy) / (dx * dx + dy * dy + 1e-9)));
      const d = Math.hypot(x - a[0] - k * dx, y - a[1] - k * dy);
      if (d < best) { best = d; found = i; }
      a[0] = b[0]; a[1] = b[1];
    }
  });
  return found;
}

/** The next strand to the left or right (or behind, before) as it appears on the screen. */
function neighbour(view, dx, dy) {
  const { stand, strands, leaning, where } = view;
  if (leaning === null) return nearest(view, stand.width / 2, stand.height / 2, 1e9);
  const from = where(leaning);
  let best = Infinity, found = leaning;
  strands.list.forEach((_, i) => {
    if (i === leaning) return;
    const [x, y] = where(i), along = (x - from[0]) * dx + (y - from[1]) * dy, off = Math.abs((x - from[0]) * dy) + Math.abs((y - from[1]) * dx);
    if (along <= 0.5) return;
    const cost = along + 1.6 * off;
    if (cost < best) { best = cost; found = i; }
  });
  return found;
}
