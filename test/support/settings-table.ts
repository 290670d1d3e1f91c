import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { SETTINGS } from '@praetor/schema/settings';

/* `node test/support/settings-table.ts` prints the settings into the README; a test sees to it that this was done. */

const README = path.join(import.meta.dirname, '..', '..', 'README.md');
const BEGIN = '<!-- settings: written by test/support/settings-table.ts -->';
const END = '<!-- end of settings -->';

function printTable(): string {
  const rows = SETTINGS.map(({ name, fallback, description }) => `| \`${name}\` | ${fallback === undefined ? '' : `\`${fallback}\``} | ${description.replaceAll('|', '\\|')} |`);
  return ['| variable | default | |', '|---|---|---|', ...rows].join('\n');
}

/** The README as it is and as it should be. Throws where the marks of the table are missing. */
export async function renderReadme(): Promise<{ current: string; wanted: string }> {
  const current = await readFile(README, 'utf8');
  const [begin, end] = [current.indexOf(BEGIN), current.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`README.md has no ${BEGIN} … ${END}`);
  return { current, wanted: `${current.slice(0, begin)}${BEGIN}\n${printTable()}\n${current.slice(end)}` };
}

if (import.meta.main) await writeFile(README, (await renderReadme()).wanted);
