import { randomInt } from 'node:crypto';

/*
 * Whatever Python reports of a task run holds two floats that are 0.0 most of the time, and telling 0.0 from 0 sends the
 * whole text down the slow way of `parseJson`. A quoted key before a colon is never part of a text, where its quotes would be escaped.
 */
const KEY = '(?<key>"(?:retry_delay_seconds|total_run_time)":\\s?)';
/** Stands for 0.0 inside this process: fifteen characters, which a double holds exactly, and nobody outside can know. */
const STAND_IN = `0.${randomInt(1e11, 1e12)}7`;

const ZERO = new RegExp(`${KEY}0\\.0(?=[,}])`, 'g');
const DISGUISED = new RegExp(`${KEY}${RegExp.escape(STAND_IN)}(?=[,}])`, 'g');

/** The text with another number for those zeros, for whoever hands values on without looking at them; `revealZeros` undoes it. */
export function disguiseZeros(text: string): string {
  return text.replace(ZERO, `$<key>${STAND_IN}`);
}

/** What `disguiseZeros` has changed, as it was. */
export function revealZeros(text: string): string {
  return text.replace(DISGUISED, '$<key>0.0');
}

/** The text with 0 for those zeros, for whoever reads them as floats. */
export function flattenZeros(text: string): string {
  return text.replace(ZERO, '$<key>0');
}
