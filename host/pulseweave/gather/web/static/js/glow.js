// Draws the room with WebGL2: pixels are one texture, strands are instances of one ribbon, halos live in a small buffer.
// In: strands, the stand, smoothed pixels, a weight per strand. Out: light on the canvas. Throws where WebGL2 is missing.

import * as S from "./shaders.js";

const SEGMENTS = 36;
const HALO_WIDTH = 0.42, THREAD_WIDTH = 0.020; // metres, half

export class Glow {
  constructor(canvas) {
    const gl = canvas.getContext("webgl2", { alpha: false, antialias: false, depth: false, powerPreference: "high-performance" });
    if (!gl) throw new Error("no WebGL2");
    this.gl = gl;
    this.canvas = canvas;
    const info = gl.getExtension("WEBGL_debug_renderer_info");
    this.renderer = info ? gl.getParameter(info.UNMASKED_RENDERER_WEBGL) : gl.getParameter(gl.RENDERER);
    this.software = /swiftshader|llvmpipe|software|basic render/i.test(this.renderer);
    this.deep = Boolean(gl.getExtension("EXT_color_buffer_float") || gl.getExtension("EXT_color_buffer_half_float"));
    this.programs = {
      halo: program(gl, S.RIBBON_VERTEX, S.HALO_FRAGMENT),
      thread: program(gl, S.RIBBON_VERTEX, S.THREAD_FRAGMENT),
      pool: program(gl, S.POOL_VERTEX, S.POOL_FRAGMENT),
      blur: program(gl, S.SCREEN_VERTEX, S.BLUR_FRAGMENT),
      room: program(gl, S.SCREEN_VERTEX, S.ROOM_FRAGMENT),
    };
    this.texture = texture(gl, gl.LINEAR);
    this.halo = target(gl);
    this.blurred = [target(gl), target(gl)];
    this.ribbon = this.shape(Array.from({ length: SEGMENTS + 1 }, (_, i) => i / SEGMENTS));
    this.square = this.shape([0, 1]);
    this.bare = gl.createVertexArray();
    canvas.addEventListener("webglcontextlost", (e) => { e.preventDefault(); this.lost = true; });
    canvas.addEventListener("webglcontextrestored", () => location.reload());
  }

  shape(along) {
    const gl = this.gl, vertices = gl.createVertexArray(), buffer = gl.createBuffer();
    gl.bindVertexArray(vertices);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array(along.flatMap((v) => [v, -1, v, 1])), gl.STATIC_DRAW);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
    this.places ??= gl.createBuffer();
    this.weights ??= gl.createBuffer();
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
    this.count = rows;
    this.size = [strands.pixels, rows];
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, strands.pixels, rows, 0, gl.RGBA, gl.UNSIGNED_BYTE, null);
  }

  /** New pixels: rgba bytes, square roots of linear light. */
  pixels(bytes) {
    const gl = this.gl;
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, this.size[0], this.size[1], gl.RGBA, gl.UNSIGNED_BYTE, bytes);
  }

  resize(width, height) {
    const gl = this.gl;
    this.canvas.width = width;
    this.canvas.height = height;
    const k = Math.max(2, height / 240);
    this.halo.size = [Math.ceil(width / k), Math.ceil(height / k)];
    const half = this.halo.size.map((n) => Math.ceil(n / 2));
    for (const [t, size] of [[this.halo, this.halo.size], [this.blurred[0], half], [this.blurred[1], half]]) {
      t.size = size;
      gl.bindTexture(gl.TEXTURE_2D, t.texture);
      const [inside, type] = this.deep ? [gl.RGBA16F, gl.HALF_FLOAT] : [gl.RGBA8, gl.UNSIGNED_BYTE];
      gl.texImage2D(gl.TEXTURE_2D, 0, inside, ...size, 0, gl.RGBA, type, null);
    }
  }

  draw(stand, t, sway, weights, exposure) {
    if (this.lost || !this.count) return;
    const gl = this.gl, { width, height } = this.canvas, P = this.programs;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.weights);
    gl.bufferData(gl.ARRAY_BUFFER, weights, gl.DYNAMIC_DRAW);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE);
    gl.activeTexture(gl.TEXTURE0);

    gl.bindFramebuffer(gl.FRAMEBUFFER, this.halo.frame);
    gl.viewport(0, 0, ...this.halo.size);
    gl.clearColor(0, 0, 0, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    this.instances(P.pool, this.square, stand, this.halo.size, { gain: 0.55 * exposure });
    const soft = { time: t, sway, width: HALO_WIDTH, least: 3, above: 0, gain: 0.55 * exposure };
    this.instances(P.halo, this.ribbon, stand, this.halo.size, { ...soft, mirror: -1 });
    this.instances(P.halo, this.ribbon, stand, this.halo.size, { ...soft, mirror: 1 });

    gl.disable(gl.BLEND);
    const [a, b] = this.blurred;
    this.blur(this.halo, a, 1.6, 0);
    this.blur(a, b, 0, 1.6);
    this.blur(b, a, 3.2, 0);
    this.blur(a, b, 0, 3.2);

    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.viewport(0, 0, width, height);
    gl.useProgram(P.room.id);
    gl.uniform1i(P.room.at.halo, 0);
    gl.uniform1i(P.room.at.bloom, 1);
    gl.uniform1f(P.room.at.horizon, stand.horizon);
    gl.uniform1f(P.room.at.time, t);
    gl.bindTexture(gl.TEXTURE_2D, this.halo.texture);
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, b.texture);
    gl.bindVertexArray(this.bare);
    gl.drawArrays(gl.TRIANGLES, 0, 3);

    gl.enable(gl.BLEND);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    this.instances(P.thread, this.ribbon, stand, [width, height],
      { time: t, sway, width: THREAD_WIDTH, least: 1.6, above: 0.3, mirror: 1, gain: 2.2 * exposure });
  }

  instances(p, shape, stand, size, numbers) {
    const gl = this.gl;
    gl.useProgram(p.id);
    gl.uniformMatrix4fv(p.at.matrix, false, stand.matrix);
    gl.uniform2f(p.at.view, ...size);
    gl.uniform1f(p.at.focal, (stand.focal * size[1]) / stand.height);
    gl.uniform2f(p.at.depth, ...stand.depth);
    gl.uniform1i(p.at.pixels, 0);
    for (const [name, value] of Object.entries(numbers)) gl.uniform1f(p.at[name], value);
    gl.bindVertexArray(shape.vertices);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, shape.count, this.count);
  }

  blur(from, to, dx, dy) {
    const gl = this.gl, p = this.programs.blur;
    gl.bindFramebuffer(gl.FRAMEBUFFER, to.frame);
    gl.viewport(0, 0, ...to.size);
    gl.useProgram(p.id);
    gl.bindTexture(gl.TEXTURE_2D, from.texture);
    gl.uniform1i(p.at.image, 0);
    gl.uniform2f(p.at.step_, dx / to.size[0], dy / to.size[1]);
    gl.bindVertexArray(this.bare);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }
}

function program(gl, vertex, fragment) {
  const id = gl.createProgram();
  for (const [type, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(type);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS) && !gl.isContextLost()) throw new Error(gl.getShaderInfoLog(shader));
    gl.attachShader(id, shader);
  }
  gl.linkProgram(id);
  if (!gl.getProgramParameter(id, gl.LINK_STATUS) && !gl.isContextLost()) throw new Error(gl.getProgramInfoLog(id));
  const at = {};
  const n = gl.getProgramParameter(id, gl.ACTIVE_UNIFORMS);
  for (let i = 0; i < n; i++) {
    const { name } = gl.getActiveUniform(id, i);
    at[name] = gl.getUniformLocation(id, name);
  }
  return { id, at };
}

function texture(gl, filter) {
  const t = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, t);
  for (const [key, value] of [[gl.TEXTURE_MIN_FILTER, filter], [gl.TEXTURE_MAG_FILTER, filter],
    [gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE], [gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE]]) gl.texParameteri(gl.TEXTURE_2D, key, value);
  return t;
}

function target(gl) {
  const t = texture(gl, gl.LINEAR), frame = gl.createFramebuffer();
  gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, t, 0);
  gl.bindFramebuffer(gl.FRAMEBUFFER, null);
  return { texture: t, frame, size: [1, 1] };
}
