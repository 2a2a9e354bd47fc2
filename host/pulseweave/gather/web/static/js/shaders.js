// The light, in GLSL ES 3.00. Linear light until the last line of each fragment shader.

// The same formula as `hang` in strands.js: change both.
const HANG = `
vec3 hang(vec4 place, float phase, float v, float t, float sway) {
  float a = 6.2832 * phase;
  float w = max(v, 0.0);
  float wind = sway * w * w * 0.05;
  float slack = 0.05 * place.w * w;
  return vec3(
    place.x + slack * sin(a + 3.1 * v) + wind * sin(t * 0.52 - 0.45 * place.x - 0.3 * place.y + 0.9 * a),
    place.y + slack * cos(a * 1.7 + 2.3 * v) + wind * cos(t * 0.41 - 0.35 * place.x + 0.4 * place.y + 1.3 * a),
    place.z - place.w * v);
}`;

// The same curve as in tone.js: change both. From linear light to a screen: soft shoulder that keeps the hue, brightest light turns white, a screen's gamma at the end.
const TONE = `
vec3 tone(vec3 c) {
  float m = max(c.r, max(c.g, c.b));
  float k = (1.0 - exp(-m)) / max(m, 1e-5);
  vec3 o = mix(c * k, vec3(k * m), 0.6 * smoothstep(1.0, 6.0, m));
  return pow(max(o, 0.0), vec3(1.0 / 2.2));
}`;

// The same thread as in threads.js, and below the same room as in haze.js: change both.
// One ribbon per strand, always facing us: the thread itself, bead by bead, and the cord it hangs from.
export const THREAD_VERTEX = `#version 300 es
precision highp float;
layout(location=0) in vec2 corner;   // along 0..1, side -1..1
layout(location=1) in vec4 place;    // x, y, top, length in metres
layout(location=2) in vec4 kind;     // share of the row in use, phase, row of the texture, pixels
layout(location=3) in float weight;  // leaned towards: 1, the others less
uniform mat4 matrix;
uniform vec2 view;       // pixels of the canvas
uniform float focal;     // canvas pixels per metre at one metre
uniform float time, sway, width, least, cord;
uniform vec2 depth;
out float along, side, spacing, fade;
flat out vec3 line;      // share, row, pixels
${HANG}
void main() {
  float v = corner.x < 0.0 ? -cord : corner.x * (1.0 + width / place.w);
  vec3 p = hang(place, kind.y, v, time, sway), q = hang(place, kind.y, v + 0.03, time, sway);
  vec4 a = matrix * vec4(p, 1.0), b = matrix * vec4(q, 1.0);
  vec2 d = (b.xy / b.w - a.xy / a.w) * view;
  vec2 n = normalize(vec2(-d.y, d.x) + 1e-6);
  float half_px = max(width * focal / a.w, least);
  gl_Position = a + vec4(n * corner.y * half_px * 2.0 / view * a.w, 0.0, 0.0);
  if (a.w < 0.1) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
  along = v; side = corner.y;
  spacing = place.w / kind.w * focal / a.w;
  fade = mix(1.0, 0.5, smoothstep(depth.x, depth.y, a.w)) * min(1.0, width * focal / a.w / least * 0.6 + 0.4) * weight;
  line = vec3(kind.x, kind.z, kind.w);
}`;

export const THREAD_FRAGMENT = `#version 300 es
precision highp float;
in float along, side, spacing, fade;
flat in vec3 line;
uniform sampler2D pixels;
uniform float gain;
out vec4 colour;
${TONE}
void main() {
  vec3 c = texture(pixels, vec2((1.0 - clamp(along, 0.0, 1.0)) * line.x, line.y)).rgb;
  c *= c * gain;
  float f = fract(clamp(along, 0.0, 0.9999) * line.z) - 0.5;
  float beads = mix(1.0, exp(-f * f * 14.0) * 1.15 + 0.38, smoothstep(3.0, 7.0, spacing));
  float r = side * side, heart = exp(-r * 16.0);
  vec3 light = c * beads * (0.45 * exp(-r * 4.0) * (1.0 - r) + 1.9 * heart);
  // the cord above: the light that leaks into it, and a hair of its own
  float up = min(along, 0.0);
  vec3 cord = (c * 0.25 * exp(up * 9.0) + 0.004 * exp(up * 2.2) * (1.0 + up * 3.3)) * heart;
  float on = smoothstep(-0.004, 0.004, along), end = smoothstep(1.004, 0.998, along);
  colour = vec4(tone(mix(cord, light * end, on) * fade), 1.0);
}`;

// Fine lines between strands that hear each other.
export const LINE_VERTEX = `#version 300 es
layout(location=0) in vec3 point;    // place on the screen, strength
out mediump float strength;
void main() { gl_Position = vec4(point.xy, 0.0, 1.0); strength = point.z; }`;

export const LINE_FRAGMENT = `#version 300 es
precision mediump float;
in float strength;
out vec4 colour;
void main() { colour = vec4(vec3(0.84, 0.87, 0.96) * strength, 1.0); }`;

export const SCREEN_VERTEX = `#version 300 es
out vec2 uv;
void main() {
  uv = vec2((gl_VertexID << 1) & 2, gl_VertexID & 2);
  gl_Position = vec4(uv * 2.0 - 1.0, 0.0, 1.0);
}`;

// The room: darkness with a floor in it, and the light that hangs in the air. A grain hides the steps of eight bits.
export const ROOM_FRAGMENT = `#version 300 es
precision highp float;
in vec2 uv;
uniform sampler2D near, far;
uniform float horizon, time;
out vec4 colour;
${TONE}
void main() {
  float h = uv.y * 2.0 - 1.0 - horizon;
  vec3 edge = vec3(0.00110, 0.00120, 0.00230);
  vec3 dark = h > 0.0 ? mix(edge, vec3(0.00025, 0.00030, 0.00080), smoothstep(0.0, 1.2, h))
                      : mix(edge, vec3(0.00050, 0.00055, 0.00120), smoothstep(0.0, -1.4, h));
  vec2 m = uv - 0.5;
  vec2 image = vec2(uv.x, 1.0 - uv.y);
  vec3 a = texture(near, image).rgb, b = texture(far, image).rgb;
  vec3 c = dark * (1.0 - 1.3 * dot(m, m)) + (a * a + b * b) * 4.0;
  float grain = fract(52.9829189 * fract(dot(gl_FragCoord.xy + 5.588 * fract(time), vec2(0.06711056, 0.00583715)))) - 0.5;
  colour = vec4(tone(c) + grain / 220.0, 1.0);
}`;
