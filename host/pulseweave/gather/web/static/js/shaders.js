// The light, in GLSL ES 3.00. Linear light until the last line of each fragment shader.

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

// From linear light to a screen: soft shoulder that keeps the hue, brightest light turns white, sRGB at the end.
const TONE = `
vec3 tone(vec3 c) {
  float m = max(c.r, max(c.g, c.b));
  float k = (1.0 - exp(-m)) / max(m, 1e-5);
  vec3 o = mix(c * k, vec3(k * m), 0.55 * smoothstep(1.2, 6.0, m));
  return pow(max(o, 0.0), vec3(1.0 / 2.2));
}`;

// One ribbon per strand, always facing us; the same for the thread itself, its halo and its reflection.
export const RIBBON_VERTEX = `#version 300 es
precision highp float;
layout(location=0) in vec2 corner;   // along 0..1, side -1..1
layout(location=1) in vec4 place;    // x, y, top, length in metres
layout(location=2) in vec4 kind;     // share of the row in use, phase, row of the texture, pixels
layout(location=3) in float weight;  // leaned towards: 1, the others less
uniform mat4 matrix;
uniform vec2 view;       // pixels of the target
uniform float focal;     // target pixels per metre at one metre
uniform float time, sway, width, least, above, mirror;
uniform vec2 depth;
out float along, side, beyond, spacing, fade, lift;
flat out vec4 line;      // share, row, pixels, weight
${HANG}
void main() {
  float cap = width / place.w;
  float v = mix(-max(cap, above), 1.0 + cap, corner.x);
  vec3 p = hang(place, kind.y, v, time, sway), q = hang(place, kind.y, v + 0.03, time, sway);
  p.z *= mirror; q.z *= mirror;
  vec4 a = matrix * vec4(p, 1.0), b = matrix * vec4(q, 1.0);
  vec2 d = (b.xy / b.w - a.xy / a.w) * view;
  vec2 n = normalize(vec2(-d.y, d.x) + 1e-6);
  float half_px = max(width * focal / a.w, least);
  gl_Position = a + vec4(n * corner.y * half_px * 2.0 / view * a.w, 0.0, 0.0);
  if (a.w < 0.1) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
  along = v; side = corner.y;
  beyond = max(0.0, max(-v, v - 1.0)) * place.w / width;
  spacing = place.w / kind.w * focal / a.w;
  fade = mix(1.0, 0.45, smoothstep(depth.x, depth.y, a.w)) * min(1.0, width * focal / a.w / least * 0.75 + 0.25);
  lift = p.z;
  line = vec4(kind.x, kind.z, kind.w, weight);
}`;

export const HALO_FRAGMENT = `#version 300 es
precision highp float;
in float along, side, beyond, spacing, fade, lift;
flat in vec4 line;
uniform sampler2D pixels;
uniform float mirror, gain;
out vec4 colour;
vec3 at(float v) { vec3 c = texture(pixels, vec2(clamp(v, 0.0, 1.0) * line.x, line.y)).rgb; return c * c; }
void main() {
  float r = sqrt(side * side + beyond * beyond);
  float near = max(0.0, 1.0 - r);
  float shape = near * near * (0.10 + 0.9 / (1.0 + 42.0 * r * r));
  vec3 c = (at(along - 0.03) + 2.0 * at(along) + at(along + 0.03)) * 0.25;
  float floor_shine = mirror < 0.0 ? 0.34 * exp(lift * 0.55) * smoothstep(0.0, 0.05, -lift) : 1.0;
  colour = vec4(c * shape * fade * line.w * gain * floor_shine, 1.0);
}`;

export const THREAD_FRAGMENT = `#version 300 es
precision highp float;
in float along, side, beyond, spacing, fade, lift;
flat in vec4 line;
uniform sampler2D pixels;
uniform float gain;
out vec4 colour;
${TONE}
void main() {
  float on = smoothstep(-0.004, 0.004, along) * smoothstep(1.004, 0.996, along);
  vec3 c = texture(pixels, vec2(clamp(along, 0.0, 1.0) * line.x, line.y)).rgb;
  c *= c;
  float f = fract(clamp(along, 0.0, 0.9999) * line.z) - 0.5;
  float bead = exp(-f * f * 22.0) * 1.5 + 0.16;
  float beads = mix(1.0, bead, smoothstep(2.5, 6.0, spacing));
  float r = side * side;
  float body = exp(-r * 5.0), heart = exp(-r * 26.0);
  vec3 light = c * gain * beads * (0.5 * body + 1.6 * heart);
  // the cord above: the light that leaks into it, and a hair of its own
  vec3 cord = (c * gain * 0.22 * exp(along * 9.0) + 0.0035 * exp(along * 2.2)) * heart;
  colour = vec4(tone(mix(cord, light, on) * fade * line.w), 1.0);
}`;

// The pool of light that a strand leaves on the floor below it.
export const POOL_VERTEX = `#version 300 es
precision highp float;
layout(location=0) in vec2 corner;   // along 0..1, side -1..1
layout(location=1) in vec4 place;
layout(location=2) in vec4 kind;
layout(location=3) in float weight;
uniform mat4 matrix;
uniform sampler2D pixels;
uniform vec2 depth;
out vec2 spot;
out vec3 light;
void main() {
  spot = vec2(corner.x * 2.0 - 1.0, corner.y);
  float foot = max(0.15, place.z - place.w);
  float reach = 0.7 + 0.9 * foot;
  vec4 a = matrix * vec4(place.xy + spot * reach, 0.0, 1.0);
  gl_Position = a.w < 0.1 ? vec4(2.0, 2.0, 2.0, 1.0) : a;
  light = vec3(0.0);
  for (int i = 0; i < 6; i++) {
    vec3 c = textureLod(pixels, vec2((0.3 + 0.12 * float(i)) * kind.x, kind.z), 0.0).rgb;
    light += c * c * (0.4 + 0.2 * float(i));
  }
  light *= weight / (6.0 * (0.6 + foot)) * mix(1.0, 0.5, smoothstep(depth.x, depth.y, a.w));
}`;

export const POOL_FRAGMENT = `#version 300 es
precision highp float;
in vec2 spot;
in vec3 light;
uniform float gain;
out vec4 colour;
void main() {
  float near = max(0.0, 1.0 - dot(spot, spot));
  colour = vec4(light * near * near * near * gain, 1.0);
}`;

export const SCREEN_VERTEX = `#version 300 es
out vec2 uv;
void main() {
  uv = vec2((gl_VertexID << 1) & 2, gl_VertexID & 2);
  gl_Position = vec4(uv * 2.0 - 1.0, 0.0, 1.0);
}`;

export const BLUR_FRAGMENT = `#version 300 es
precision highp float;
in vec2 uv;
uniform sampler2D image;
uniform vec2 step_;
out vec4 colour;
void main() {
  vec3 c = texture(image, uv).rgb * 0.227;
  c += (texture(image, uv + step_ * 1.385).rgb + texture(image, uv - step_ * 1.385).rgb) * 0.316;
  c += (texture(image, uv + step_ * 3.231).rgb + texture(image, uv - step_ * 3.231).rgb) * 0.0703;
  colour = vec4(c, 1.0);
}`;

// The room: darkness with a floor in it, and the light that hangs in the air. A grain hides the steps of eight bits.
export const ROOM_FRAGMENT = `#version 300 es
precision highp float;
in vec2 uv;
uniform sampler2D halo, bloom;
uniform float horizon, time;
uniform vec2 view;
out vec4 colour;
${TONE}
void main() {
  float h = uv.y * 2.0 - 1.0 - horizon;
  vec3 wall = mix(vec3(0.0016, 0.0018, 0.0034), vec3(0.0005, 0.0006, 0.0014), smoothstep(0.0, 1.3, h));
  vec3 ground = mix(vec3(0.0016, 0.0018, 0.0034), vec3(0.0022, 0.0024, 0.0040), smoothstep(0.0, -1.2, h));
  vec2 m = uv - 0.5;
  vec3 air = (h > 0.0 ? wall : ground) * (1.0 - 0.9 * dot(m, m) * 1.6);
  vec3 c = air + texture(halo, uv).rgb + texture(bloom, uv).rgb * 0.85;
  vec2 g = gl_FragCoord.xy;
  float grain = fract(52.9829189 * fract(dot(g + 5.588 * fract(time), vec2(0.06711056, 0.00583715)))) - 0.5;
  colour = vec4(tone(c) + grain / 200.0, 1.0);
}`;
