import { isUtf8 } from 'node:buffer';
import type { IncomingHttpHeaders } from 'node:http';
import type { CreatedBy } from '@praetor/schema/flow-run';
import { uuid } from '@praetor/schema/primitives';

/* What the headers of a request tell about who sent it. */

/** Of the client's own `prefect/3.9.1 (API 0.8.4)`; other agents have no version (facts/orchestration.md §2). */
const PREFECT_AGENT = /^prefect\/(\d+\.\d+\.\d+(?:[a-z.+0-9]+)?) \(API \S+\)$/;

export interface ClientVersions {
  apiVersion: string | null;
  clientVersion: string | null;
}

/** The versions by which the rules of states tell old clients from new ones. */
export function clientVersions(headers: IncomingHttpHeaders): ClientVersions {
  const apiVersion = headers['x-prefect-api-version'];
  return {
    apiVersion: typeof apiVersion === 'string' ? apiVersion : null,
    clientVersion: PREFECT_AGENT.exec(headers['user-agent'] ?? '')?.[1] ?? null,
  };
}

/** Headers that routes which create runs read. */
export const automationHeaders = { 'prefect-automation-id': uuid().optional().meta({ hidden: true }) };

/** Base64 as Python reads it: what is no letter of it is skipped, what is left must be whole, and UTF-8. Empty where it is not. */
function decodeName(text: string): string {
  const letters = text.replaceAll(/[^A-Za-z0-9+/=]/g, '');
  const bytes = Buffer.from(letters.length % 4 === 0 ? letters : '', 'base64');
  return isUtf8(bytes) ? bytes.toString() : '';
}

/** The automation that caused a request, if one did: its id and, in base64, its name (facts/rules.md §8). */
export function causingAutomation(headers: IncomingHttpHeaders): CreatedBy | null {
  const { 'prefect-automation-id': given, 'prefect-automation-name': name } = headers;
  const id = automationHeaders['prefect-automation-id'].parse(given);
  const display_value = typeof name === 'string' ? decodeName(name) : '';
  return id === undefined || display_value === '' ? null : { id, type: 'AUTOMATION', display_value };
}
