import type { IncomingHttpHeaders } from 'node:http';
import type { CreatedBy } from '@praetor/schema/flow-run';
import { normalizeUuid } from '@praetor/schema/primitives';

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

/** The automation that caused a request, if one did: its id and, in base64, its name (facts/rules.md §8). */
export function causingAutomation(headers: IncomingHttpHeaders): CreatedBy | null {
  const { 'prefect-automation-id': id, 'prefect-automation-name': name } = headers;
  if (typeof id !== 'string' || typeof name !== 'string') return null;
  const automationId = normalizeUuid(id);
  const display_value = Buffer.from(name, 'base64').toString('utf8');
  return automationId === undefined || display_value === '' ? null : { id: automationId, type: 'AUTOMATION', display_value };
}
