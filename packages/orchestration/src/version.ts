/** Compares release numbers as Python's `packaging` does where it matters here: `3.4.11rc1` and `3.4.11.dev2` come before `3.4.11`. */
export function isAtLeast(version: string, minimum: string): boolean {
  const [numbers, required] = [version, minimum].map((text) => (/^\d+(?:\.\d+)*/.exec(text)?.[0] ?? '0').split('.').map(Number));
  for (let index = 0; index < 3; index++) {
    const difference = (numbers?.[index] ?? 0) - (required?.[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return !/^[\d.]+(?:a|b|rc|dev|\.dev)/.test(version);
}

/** Pauses, retries and their bookkeeping in the run's policy exist from this version of the API on; no version means the newest. */
export function knowsPauses(apiVersion: string | null): boolean {
  return apiVersion === null || isAtLeast(apiVersion, '0.8.4');
}
