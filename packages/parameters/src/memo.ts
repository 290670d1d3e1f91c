/** Remembers the results of a pure function by key, the most recently computed `capacity` of them. */
export function memoize<T>(capacity: number, compute: (key: string) => T): (key: string) => T {
  const results = new Map<string, { value: T }>();
  return (key) => {
    const known = results.get(key);
    if (known !== undefined) return known.value;
    const value = compute(key);
    const [oldest] = results.keys();
    if (oldest !== undefined && results.size >= capacity) results.delete(oldest);
    results.set(key, { value });
    return value;
  };
}
