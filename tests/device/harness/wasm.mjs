// Runs device tests on the 32-bit wasm port: node wasm.mjs HEAP_BYTES MAIN_SNIPPET HOST_DIR=/MOUNT ...
// Every HOST_DIR is copied into the port's memory filesystem (sources only); MAIN_SNIPPET is executed.
import { loadMicroPython } from "@micropython/micropython-webassembly-pyscript/micropython.mjs";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const [heap, snippet, ...mounts] = process.argv.slice(2);
const mp = await loadMicroPython({
  heapsize: Number(heap),
  linebuffer: true,
  stdout: (line) => console.log(line),
  stderr: (line) => console.error(line),
});

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
