import { toJson } from '@praetor/schema/json';

type JsonText<V> = V extends undefined ? undefined : V extends null ? null : string;

/** A row whose named JSON columns are text, as those columns take it; null stays SQL's null, and what is absent stays so. */
export function withJsonColumns<T extends object, K extends keyof T>(row: T, ...columns: K[]): { [P in keyof T]: P extends K ? JsonText<T[P]> : T[P] } {
  const texts = columns.filter((column) => row[column] !== undefined).map((column) => [column, row[column] === null ? null : toJson(row[column])]);
  return { ...row, ...Object.fromEntries(texts) };
}
