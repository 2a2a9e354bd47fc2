// The map: nodes that hear each other well stand close. In: /chart once a second. Out: a drawing and a list.
// A link is drawn once, as strong as its weaker way; leaning towards a node (hover, click) tells both ways.

const svg = document.querySelector("#map"), NS = "http://www.w3.org/2000/svg";
const places = new Map(); // node -> {x, y}
let chart = { nodes: [] }, picked = null;

const quality = (dbm) => (dbm >= -70 ? "good" : dbm >= -85 ? "fair" : "poor");
const make = (name, parent, attributes = {}) => {
  const e = parent.appendChild(document.createElementNS(NS, name));
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  return e;
};

/** {a, b, dbm} of every pair, the weaker way counts; one way alone is told as such. */
function pairs() {
  const found = new Map();
  for (const n of chart.nodes) for (const h of n.hears) {
    const [a, b] = n.node < h.node ? [n.node, h.node] : [h.node, n.node], key = `${a} ${b}`;
    const old = found.get(key);
    found.set(key, { a, b, dbm: old ? Math.min(old.dbm, h.rssi) : h.rssi, ways: old ? 2 : 1 });
  }
  return [...found.values()].filter((p) => places.has(p.a) && places.has(p.b));
}

/** Springs between those who hear each other (longer where weaker), and all keep apart. */
function settle(links, rounds) {
  const list = chart.nodes.map((n) => places.get(n.node));
  for (let r = 0; r < rounds; r++) {
    for (const p of list) p.fx = -p.x * 0.004, p.fy = -p.y * 0.004;
    for (let i = 0; i < list.length; i++) for (let j = 0; j < i; j++) {
      const a = list[i], b = list[j], dx = a.x - b.x || 0.01, dy = a.y - b.y, d2 = dx * dx + dy * dy + 0.01;
      const f = 0.6 / d2;
      a.fx += dx * f; a.fy += dy * f; b.fx -= dx * f; b.fy -= dy * f;
    }
    for (const l of links) {
      const a = places.get(l.a), b = places.get(l.b), dx = b.x - a.x, dy = b.y - a.y, d = Math.hypot(dx, dy) || 0.01;
      const f = 0.05 * (d - Math.max(0.4, (-l.dbm - 40) / 22)) / d;
      a.fx += dx * f; a.fy += dy * f; b.fx -= dx * f; b.fy -= dy * f;
    }
    for (const p of list) {
      const k = Math.min(1, 0.5 / Math.hypot(p.fx, p.fy));
      p.x += p.fx * k; p.y += p.fy * k;
    }
  }
}

function place() {
  chart.nodes.forEach((n, i) => {
    if (!places.has(n.node)) { // a sunflower: the same start everywhere
      const r = 0.6 * Math.sqrt(i + 0.5), t = i * 2.39996;
      places.set(n.node, { x: r * Math.cos(t), y: r * Math.sin(t) });
    }
  });
  for (const n of [...places.keys()]) if (!chart.nodes.some((c) => c.node === n)) places.delete(n);
}

function draw(links) {
  const xs = [...places.values()].map((p) => p.x), ys = [...places.values()].map((p) => p.y);
  const box = svg.getBoundingClientRect(), low = [Math.min(...xs), Math.min(...ys)], high = [Math.max(...xs), Math.max(...ys)];
  const scale = Math.min((box.width - 80) / Math.max(1, high[0] - low[0]), (box.height - 80) / Math.max(1, high[1] - low[1]), 160);
  const at = (n) => {
    const p = places.get(n);
    return [box.width / 2 + (p.x - (low[0] + high[0]) / 2) * scale, box.height / 2 + (p.y - (low[1] + high[1]) / 2) * scale];
  };
  svg.replaceChildren();
  svg.setAttribute("viewBox", `0 0 ${box.width} ${box.height}`);
  for (const l of links) {
    const [x1, y1] = at(l.a), [x2, y2] = at(l.b), mine = picked === l.a || picked === l.b;
    make("line", svg, { x1, y1, x2, y2, class: quality(l.dbm), "stroke-width": mine ? 3 : 1.4,
      "stroke-opacity": picked && !mine ? 0.12 : Math.min(1, Math.max(0.25, (l.dbm + 100) / 45)), ...(l.ways === 1 ? { "stroke-dasharray": "4 5" } : {}) });
  }
  const size = chart.nodes.length > 60 ? 10 : 15;
  for (const n of chart.nodes) {
    const [x, y] = at(n.node);
    const classes = [n.node === chart.node && "own", n.node === picked && "picked", n.age_s > 10 && "late", n.told_s_ago === null && "mute"];
    const g = make("g", svg, { class: classes.filter(Boolean).join(" "), transform: `translate(${x} ${y})` });
    make("circle", g, { r: size });
    make("text", g, size < 15 ? { style: "font-size:10px" } : {}).textContent = n.node;
    make("title", g).textContent = `node ${n.node}: hears ${n.hears.length}`;
    g.addEventListener("pointerenter", () => pick(n.node));
    g.addEventListener("click", () => pick(n.node));
  }
}

function pick(node) {
  if (picked === node) return;
  picked = node;
  show();
}

function list() {
  const rows = chart.nodes.map((n) => {
    const tr = document.createElement("tr");
    tr.className = [n.node === picked && "picked", n.age_s > 10 && "late"].filter(Boolean).join(" ");
    const dash = (v) => (v === null ? "–" : v);
    for (const v of [n.node, n.age_s.toFixed(1), n.version, dash(n.hops === 255 ? null : n.hops), n.offset_ms === null ? "–" : n.offset_ms.toFixed(2), dash(n.rate_ppm),
      n.told_s_ago === null ? "–" : Math.round(n.told_s_ago), n.hears.length, `${n.release || "–"}${n.odd ? " !" : ""}`]) tr.insertCell().textContent = v;
    tr.addEventListener("pointerenter", () => pick(n.node));
    return tr;
  });
  document.querySelector("#list tbody").replaceChildren(...rows);
}

function one() {
  const n = chart.nodes.find((c) => c.node === picked), aside = document.querySelector("#one");
  aside.hidden = !n;
  if (!n) return;
  aside.querySelector("h2").textContent = `node ${n.node}${n.node === chart.node ? ", which is asked" : ""}`;
  const back = (m) => chart.nodes.find((c) => c.node === m)?.hears.find((h) => h.node === n.node);
  const rows = n.hears.flatMap((h) => {
    const dt = document.createElement("dt"), dd = document.createElement("dd"), other = back(h.node);
    dt.textContent = `hears ${h.node}`;
    dd.textContent = `${h.rssi} dBm${other ? `, and back ${other.rssi}` : ""}`;
    dd.className = quality(h.rssi);
    return [dt, dd];
  });
  aside.querySelector("dl").replaceChildren(...rows);
}

function show() {
  draw(pairs());
  list();
  one();
}

async function look() {
  try {
    const first = !chart.nodes.length;
    chart = await (await fetch("chart")).json();
    place();
    const links = pairs(), mute = chart.nodes.filter((n) => n.told_s_ago === null).length;
    settle(links, first ? 400 : 60);
    document.querySelector("#story").textContent = `${chart.nodes.length} nodes, ${links.length} pairs that hear each other, asked through node ${chart.node}` + (mute ? `; ${mute} yet to tell` : "");
    show();
    document.body.dataset.nodes = chart.nodes.length;
  } catch {
    document.querySelector("#story").textContent = "nobody answers here any more: is `pulseweave mesh` still running?";
  }
  setTimeout(look, 1000);
}

look();
