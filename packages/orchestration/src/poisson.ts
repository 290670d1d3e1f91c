/**
 * A waiting time around an average, for clients that must not all come back at once: an exponential variate cut at
 * `average × (1 + clampingFactor)`, and below so that the median stays where it was. Zero or less gives 0.
 */
export function clampedPoissonInterval(average: number, random: () => number, clampingFactor = 0.3): number {
  if (average <= 0) return 0;
  const upper = 1 + clampingFactor;
  const lower = upper >= 50 ? 0 : Math.log2(2 ** upper / (2 ** upper - 1));
  const [from, to] = [1 - Math.exp(-lower), 1 - Math.exp(-upper)];
  return -Math.log(Math.max(1 - (from + random() * (to - from)), 1e-10)) * average;
}
