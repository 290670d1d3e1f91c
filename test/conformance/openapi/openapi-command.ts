import { checkDocument } from './check.ts';

/*
 * `pnpm conformance:openapi` compares /api/openapi.json with the document of the real server (installed from PyPI at the
 * first time) and prints every difference: what is paths, methods, parameters, required, types, enums, defaults, statuses.
 * Those that are meant to be stand with their reasons in accepted.ts; others end it with an error.
 */

const { differences, obsolete } = await checkDocument('3.9.1');
const open = differences.filter(({ reason }) => reason === undefined);
for (const { difference, reason } of differences) console.log(reason === undefined ? `  ${difference}` : `  ${difference}  (${reason})`);
for (const difference of obsolete) console.log(`  no longer so: ${difference}`);
console.log(`${differences.length} differences, ${differences.length - open.length} of them accepted`);
if (open.length > 0 || obsolete.length > 0) process.exitCode = 1;
