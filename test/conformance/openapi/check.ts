import { describeApi } from '@praetor/api-gateway/openapi';
import { resources } from '@praetor/api-gateway/resources';
import type { PrefectVersion } from '@praetor/test/support/prefect';
import { accepted } from './accepted.ts';
import { compareDocuments } from './compare.ts';
import { readReference } from './reference.ts';

interface Check {
  /** Each difference, with the reason for which it is accepted, if it is. */
  differences: { difference: string; reason: string | undefined }[];
  /** Accepted ones that are no more. */
  obsolete: string[];
}

/** Compares the gateway's document with that of a release of Prefect. */
export async function checkDocument(version: PrefectVersion): Promise<Check> {
  const found = compareDocuments(describeApi(resources), await readReference(version));
  const reasonFor = (difference: string) => accepted.find(({ differences }) => differences.some((start) => difference.startsWith(start)))?.reason;
  return {
    differences: found.map((difference) => ({ difference, reason: reasonFor(difference) })),
    obsolete: accepted.flatMap(({ differences }) => differences.filter((start) => !found.some((difference) => difference.startsWith(start)))),
  };
}
