import type { Deliberate } from './deliberate.ts';

/** A line that the CLI prints around a message of the server, without the message and without ids. */
function readFrame(line: unknown): string {
  const frame = String(line).replaceAll(/[0-9a-f-]{36}/g, '').replace(/Reason: '.*'|'detail': '.*?'/, '');
  return frame === line ? '' : frame;
}

/** Differences that we want, of those that only clients meet. */
export const deliberateForClients: Deliberate[] = [
  {
    reason: 'a change of a schedule keeps the parameters that it does not mention',
    covers: ({ at }, { path }) => path.endsWith('/schedules') && /^body\[\d+\]\.parameters\./.test(at),
  },
  {
    reason: 'messages and reasons that the CLI prints are worded freely',
    covers: ({ at, real, ours }) => /^body\[\d+\]\[\d+\]$/.test(at) && ((readFrame(real) !== '' && readFrame(real) === readFrame(ours)) || String(real).includes('are reserved for internal use')),
  },
  {
    reason: 'descriptions of what the server makes by itself are ours, where the CLI prints them, too',
    covers: ({ at, real }) => (at.includes('.base_job_template.') && at.endsWith('.description')) || (/^body\[\d+\]\[\d+\]$/.test(at) && real === "The work pool's default queue."),
  },
];
