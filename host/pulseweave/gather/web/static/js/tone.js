// From linear light to a screen: the same curve as TONE in shaders.js (change both), as tables for a processor.
// They are indexed by the root of linear light, which is finer where it is dark.

export const STEPS = 1024; // of a table per unit of that root
export const LAST = 4 * STEPS; // light of 16 and more is white
const HUES = 1024;

const linear = Float32Array.from({ length: LAST + 1 }, (_, i) => (i / STEPS) ** 2);
/** 0..255 of a screen for the brightest of the three channels. */
export const SHADE = linear.map((m) => 255 * (1 - Math.exp(-m)) ** (1 / 2.2));
/** Share of white that very bright light takes on. */
export const WHITE = linear.map((m) => {
  const x = Math.min(1, Math.max(0, (m - 1) / 5));
  return 0.6 * x * x * (3 - 2 * x);
});
const HUE = Float32Array.from({ length: HUES + 1 }, (_, i) => (i / HUES) ** (1 / 2.2));

/** What a channel is on the screen, as a share of the brightest one; `share` is the same in linear light. */
export function hue(share) {
  return HUE[(share * HUES + 0.5) | 0];
}
