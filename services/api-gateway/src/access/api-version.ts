import { BadRequestError } from '@praetor/schema/errors';

const MINIMUM = [0, 8, 0] as const;
/** Every client may ask these, whatever it speaks. */
const OPEN_PATHS = new Set(['/health', '/version']);

/**
 * Throws BadRequestError for clients of an API older than 0.8.0; newer ones and none at all are welcome (facts/rules.md §2).
 * Checked when the route is known and the body is read, as Prefect does: an unknown path is 404 for everybody.
 */
export function assertApiVersion(header: string | undefined, path: string): void {
  if (header === undefined || header === '' || OPEN_PATHS.has(path)) return;
  const match = /^(\d+)\.(\d+)\.(\d+)$/.exec(header);
  if (!match) throw new BadRequestError(`Invalid X-PREFECT-API-VERSION header format. Expected header in format 'x.y.z' but received ${header}`);
  const version = match.slice(1).map(Number);
  const difference = version.map((part, index) => part - (MINIMUM[index] ?? 0)).find((part) => part !== 0) ?? 0;
  if (difference < 0) throw new BadRequestError(`The client speaks API version ${header}; this server needs at least ${MINIMUM.join('.')}.`);
}
