// Draws the room with WebGL2: pixels are one texture, strands are instances of one ribbon, halos come from air.js.
// In: strands, the stand, eased light, a weight per strand. Out: light on the canvas. `Glow.ready` throws where WebGL2 is
// missing, or where the browser would imitate it with the processor: plain.js does the same light at less than half the cost.

import { Air } from "./air.js";
import * as S from "./shaders.js";
import { GAIN, WIDTH } from "./threads.js";

const SEGMENTS = 40; // of a thread

export class Glow {
  /** A Glow on `canvas` once its shaders are compiled, which the browser does meanwhile; `imitated`: without a graphics card as well. */
  static async ready(canvas, imitated) {
    const glow = new Glow(canvas, imitated);
    const parallel = glow.gl.getExtension("KHR_parallel_shader_compile");
    const programs = Object.values(glow.programs);
    while (parallel && !glow.gl.isContextLost() && !programs.every((p) => glow.gl.getProgramParameter(p.id, parallel.COMPLETION_STATUS_KHR))) {
      await new Promise((done) => setTimeout(done, 10));
    }
    for (const p of programs) p.at = uniforms(glow.gl, p.id);
    return glow;
  }

  constructor(canvas, imitated) {
    const gl = canvas.getContext("webgl2", { alpha: false, antialias: false, depth: false, powerPreference: "high-performance",
      failIfMajorPerformanceCaveat: !imitated });
    if (!gl) throw new Error("no graphics card for WebGL2");
    this.gl = gl;
    this.canvas = canvas;
    this.air = new Air();
    const info = gl.getExtension("WEBGL_debug_renderer_info");
    this.renderer = info ? gl.getParameter(info.UNMASKED_RENDERER_WEBGL) : gl.getParameter(gl.RENDERER);
    this.software = false;
    if (!imitated && /swiftshader|llvmpipe|software|basic render/i.test(this.renderer)) { // not every browser sees a caveat there
      gl.getExtension("WEBGL_lose_context")?.loseContext();
      throw new Error(`no graphics card, only ${this.renderer}`);
    }
    this.programs = {
      thread: program(gl, S.THREAD_VERTEX, S.THREAD_FRAGMENT),
      room: program(gl, S.SCREEN_VERTEX, S.ROOM_FRAGMENT),
      line: program(gl, S.LINE_VERTEX, S.LINE_FRAGMENT),
    };
    this.texture = texture(gl);
    this.near = texture(gl);
    this.far = texture(gl);
    this.ribbon = this.shape(SEGMENTS);
    this.screen = gl.createVertexArray();
    this.line = { vertices: gl.createVertexArray(), buffer: gl.createBuffer() };
    gl.bindVertexArray(this.line.vertices);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.line.buffer);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 3, gl.FLOAT, false, 0, 0);
    gl.bindVertexArray(null);
    canvas.addEventListener("webglcontextlost", (e) => { e.preventDefault(); this.lost = true; });
    canvas.addEventListener("webglcontextrestored", () => location.reload());
  }

  shape(segments) {
    const gl = this.gl, vertices = gl.createVertexArray();
    const along = [-1, ...Array.from({ length: segments + 1 }, (_, i) => i / segments)]; // -1: the upper end of the cord
    gl.bindVertexArray(vertices);
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array(along.flatMap((v) => [v, -1, v, 1])), gl.STATIC_DRAW);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
    this.places = gl.createBuffer();
    this.weights = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, this.places);
    for (const [slot, offset] of [[1, 0], [2, 16]]) {
      gl.enableVertexAttribArray(slot);
      gl.vertexAttribPointer(slot, 4, gl.FLOAT, false, 32, offset);
      gl.vertexAttribDivisor(slot, 1);
    }
    gl.bindBuffer(gl.ARRAY_BUFFER, this.weights);
    gl.enableVertexAttribArray(3);
    gl.vertexAttribPointer(3, 1, gl.FLOAT, false, 0, 0);
    gl.vertexAttribDivisor(3, 1);
    gl.bindVertexArray(null);
    return { vertices, count: along.length * 2 };
  }

  /** The room's strands; once per description. */
  hang(strands) {
    const gl = this.gl, rows = strands.count, data = new Float32Array(rows * 8);
    strands.list.forEach((s, i) => {
      data.set([s.x, s.y, s.top, s.length, s.pixels / strands.pixels, s.phase, (i + 0.5) / rows, s.pixels], i * 8);
    });
    gl.bindBuffer(gl.ARRAY_BUFFER, this.places);
    gl.bufferData(gl.ARRAY_BUFFER, data, gl.STATIC_DRAW);
    this.strands = strands;
    this.bare = true; // nothing of the pixels is on the card yet
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, strands.pixels, rows, 0, gl.RGBA, gl.UNSIGNED_BYTE, null);
  }

  /** Device pixels for each CSS pixel of a window, where `wished` are asked for. */
  sharpness(stand, wished) {
    return wished;
  }

  resize(width, height, stand) {
    const gl = this.gl;
    this.canvas.width = width;
    this.canvas.height = height;
    this.air.resize(stand.width, stand.height);
    const { near, far } = this.air, images = [[this.near, near.columns, near.rows], [this.far, far.columns, far.rows]];
    for (const [t, w, h] of images) {
      gl.bindTexture(gl.TEXTURE_2D, t);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, w, h, 0, gl.RGBA, gl.UNSIGNED_BYTE, null);
    }
  }

  /** One frame; `fresh` where the pixels have changed since the last; `lines` = [{points: [x, y, ...] CSS pixels, strength}]. */
  draw(stand, t, sway, weights, light, fresh, lines) {
    if (this.lost || !this.strands) return;
    const gl = this.gl, { width, height } = this.canvas, { room, thread } = this.programs, { near, far } = this.air;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.weights);
    gl.bufferData(gl.ARRAY_BUFFER, weights, gl.DYNAMIC_DRAW);
    if (fresh || this.bare) upload(gl, this.texture, this.strands.pixels, this.strands.count, light.bytes);
    this.bare = false;
    this.air.fill(this.strands, stand, t, sway, weights, light);
    this.air.encode();
    upload(gl, this.near, near.columns, near.rows, near.bytes);
    upload(gl, this.far, far.columns, far.rows, far.bytes);

    gl.disable(gl.BLEND);
    gl.viewport(0, 0, width, height);
    gl.useProgram(room.id);
    gl.uniform1i(room.at.near, 0);
    gl.uniform1i(room.at.far, 1);
    gl.uniform1f(room.at.horizon, stand.horizon);
    gl.uniform1f(room.at.time, t);
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, this.far);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.near);
    gl.bindVertexArray(this.screen);
    gl.drawArrays(gl.TRIANGLES, 0, 3);

    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE);
    gl.useProgram(thread.id);
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    gl.uniformMatrix4fv(thread.at.matrix, false, stand.matrix);
    gl.uniform2f(thread.at.view, width, height);
    gl.uniform2f(thread.at.depth, ...stand.depth);
    const k = height / stand.height;
    for (const [name, value] of [["focal", stand.focal * k], ["time", t], ["sway", sway], ["width", WIDTH], ["least", Math.max(1.1, 1.6 * k)],
      ["cord", 0.3], ["gain", GAIN * light.exposure]]) gl.uniform1f(thread.at[name], value);
    gl.bindVertexArray(this.ribbon.vertices);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, this.ribbon.count, this.strands.count);
    if (lines.length) this.links(lines, stand);
  }

  links(lines, stand) {
    const gl = this.gl, data = [], thin = Math.min(1, this.canvas.height / stand.height); // a coarse canvas has thick lines
    for (const { points, strength } of lines) {
      for (let i = 0; i + 3 < points.length; i += 2) {
        for (const j of [i, i + 2]) data.push((points[j] / stand.width) * 2 - 1, 1 - (points[j + 1] / stand.height) * 2, (0.06 + 0.4 * strength) * thin);
      }
    }
    gl.useProgram(this.programs.line.id);
    gl.bindVertexArray(this.line.vertices);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.line.buffer);
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array(data), gl.STREAM_DRAW);
    gl.drawArrays(gl.LINES, 0, data.length / 3);
  }
}

function upload(gl, t, w, h, bytes) {
  gl.bindTexture(gl.TEXTURE_2D, t);
  gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, w, h, gl.RGBA, gl.UNSIGNED_BYTE, bytes);
}

/** A program on its way; what it is to be asked stays unasked, because any answer waits for the compiler. */
function program(gl, vertex, fragment) {
  const id = gl.createProgram();
  for (const [type, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(type);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(id, shader);
  }
  gl.linkProgram(id);
  return { id, at: null };
}

/** Places of a finished program's uniforms. Throws what the compiler had to say. */
function uniforms(gl, id) {
  if (!gl.getProgramParameter(id, gl.LINK_STATUS) && !gl.isContextLost()) {
    throw new Error([gl.getProgramInfoLog(id), ...gl.getAttachedShaders(id).map((s) => gl.getShaderInfoLog(s))].filter(Boolean).join("; "));
  }
  const at = {}, n = gl.getProgramParameter(id, gl.ACTIVE_UNIFORMS) ?? 0;
  for (let i = 0; i < n; i++) {
    const { name } = gl.getActiveUniform(id, i);
    at[name] = gl.getUniformLocation(id, name);
  }
  return at;
}

function texture(gl) {
  const t = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, t);
  for (const [key, value] of [[gl.TEXTURE_MIN_FILTER, gl.LINEAR], [gl.TEXTURE_MAG_FILTER, gl.LINEAR],
    [gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE], [gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE]]) gl.texParameteri(gl.TEXTURE_2D, key, value);
  return t;
}
