// Runs device tests on the 32-bit wasm port: node wasm.mjs HEAP_BYTES MAIN_SNIPPET HOST_DIR=/MOUNT ...
// Every HOST_DIR is copied into the port's memory filesystem (sources only); MAIN_SNIPPET is executed.
import { loadMicroPython } from "@micropython/micropython-webassembly-pyscript/micropython.mjs";
import { createCipheriv, createDecipheriv } from "node:crypto";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const [heap, snippet, ...mounts] = process.argv.slice(2);
let memory; // the port's own, which its package does not export
const { instantiate } = WebAssembly;
WebAssembly.instantiate = async (...given) => {
  const made = await instantiate(...given);
  memory = made.instance.exports.memory;
  return made;
};
const mp = await loadMicroPython({
  heapsize: Number(heap),
  linebuffer: true,
  stdout: (line) => console.log(line),
  stderr: (line) => console.error(line),
});

// AES for harness/wasm/cryptolib.py: addresses and lengths stand in an int32[4] in the port's memory.
const machines = [];
const words = (at) => new Int32Array(memory.buffer, at, 4);
const bytes = (at, n) => new Uint8Array(memory.buffer, at, n);
globalThis.aesMake = (at) => {
  const [key, iv] = words(at);
  const name = iv ? "aes-128-cbc" : "aes-128-ecb";
  const secret = Buffer.from(bytes(key, 16)), start = iv ? Buffer.from(bytes(iv, 16)) : null;
  return machines.push({ at, name, secret, start, cipher: null }) - 1;
};
globalThis.aesTurn = (k) => {
  const m = machines[k];
  const [from, to, n, way] = words(m.at);
  m.cipher ??= (way > 0 ? createCipheriv : createDecipheriv)(m.name, m.secret, m.start).setAutoPadding(false);
  bytes(to, n).set(m.cipher.update(bytes(from, n)));
};

function copy(from, to) {
  try { mp.FS.mkdir(to); } catch { /* exists */ }
  for (const name of readdirSync(from)) {
    const path = join(from, name);
    if (name === "__pycache__" || name === "node_modules") continue;
    if (statSync(path).isDirectory()) copy(path, `${to}/${name}`);
    else mp.FS.writeFile(`${to}/${name}`, readFileSync(path));
  }
}
for (const mount of mounts) {
  const [from, to] = mount.split("=");
  copy(from, to);
}
try {
  // A collection asked for inside Python happens between calls: "#---" on a line of its own separates calls.
  for (const part of snippet.split("\n#---\n")) mp.runPython(part);
} catch (e) {
  console.log(String(e));
  process.exit(1);
}
process.exit(0);
