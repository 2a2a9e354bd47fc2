// The line to the room: one WebSocket, opened again when it breaks. Wire format: see ../../wire.py.
// In: messages. Out: the handlers given, called with parsed messages; `send` returns a promise of the answer.

const HEADER = 24;

export class Link {
  constructor(handlers, stats) {
    this.handlers = handlers;
    this.stats = stats;
    this.asked = new Map();
    this.id = 0;
    this.wait = 500;
    this.open();
  }

  open() {
    const token = new URLSearchParams(location.hash.slice(1)).get("token");
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/live${token ? `?token=${encodeURIComponent(token)}` : ""}`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.wait = 500;
      this.seq = null;
      this.stats.connections += 1;
      this.handlers.up();
    };
    socket.onmessage = (e) => (typeof e.data === "string" ? this.words(JSON.parse(e.data)) : this.picture(e.data));
    socket.onclose = () => {
      for (const answer of this.asked.values()) answer({ ok: false, text: "the room went silent" });
      this.asked.clear();
      this.handlers.down();
      setTimeout(() => this.open(), this.wait);
      this.wait = Math.min(5000, this.wait * 1.7);
    };
    this.socket = socket;
  }

  picture(buffer) {
    const view = new DataView(buffer);
    if (buffer.byteLength < HEADER || view.getUint16(0, false) !== 0x5057 || view.getUint8(2) !== 1 || view.getUint8(3) !== 1) return;
    const seq = view.getUint32(4, true), nodes = view.getUint16(16, true), pixels = view.getUint16(18, true);
    if (buffer.byteLength !== HEADER + nodes * pixels * 3) return;
    const s = this.stats, now = performance.now();
    if (this.seq !== null && seq > this.seq) s.missed += seq - this.seq - 1;
    if (s.at) s.longest_gap_ms = Math.max(s.longest_gap_ms, now - s.at);
    this.seq = seq;
    s.at = now;
    s.received += 1;
    this.handlers.picture({ seq, t: view.getFloat64(8, true), nodes, pixels, rgb: new Uint8Array(buffer, HEADER) });
  }

  words(message) {
    if (message.type === "answer") {
      const answer = this.asked.get(message.id);
      this.asked.delete(message.id);
      (answer || this.handlers.answer)(message);
    } else if (this.handlers[message.type]) {
      this.handlers[message.type](message);
    }
  }

  /** A command to the room; resolves to {ok, text}. */
  send(command) {
    if (this.socket.readyState !== WebSocket.OPEN) return Promise.resolve({ ok: false, text: "the room is silent just now" });
    const id = ++this.id;
    this.socket.send(JSON.stringify({ ...command, id }));
    return new Promise((resolve) => this.asked.set(id, resolve));
  }

  /** Which strand this page leans towards (index) or null. */
  look(node) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ do: "look", node }));
  }
}
