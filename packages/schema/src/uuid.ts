import { z } from 'zod';
import { refuse } from './problem.ts';

const ANY_FORM = /^(?:urn:uuid:)?\{?([0-9a-fA-F]{8})-?([0-9a-fA-F]{4})-?([0-9a-fA-F]{4})-?([0-9a-fA-F]{4})-?([0-9a-fA-F]{12})\}?$/;

/** The canonical form of any text that Python's UUID() takes, or undefined. */
export function normalizeUuid(text: string): string | undefined {
  const match = ANY_FORM.exec(text);
  return match ? match.slice(1).join('-').toLowerCase() : undefined;
}

const HYPHENATED = '[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}';
/** On the wire, braces and the prefix go with dashes only. */
const WIRE_FORM = new RegExp(`^(?:[0-9a-fA-F]{32}|(?:urn:uuid:)?${HYPHENATED}|\\{${HYPHENATED}\\})$`);

/** With the longest prefix; more is not even looked at. */
const MAXIMUM_LENGTH = 45;

const GROUP_LENGTHS = [8, 4, 4, 4, 12];

/** What is wrong with a text that is no UUID, in the words of pydantic's parser. */
function explain(text: string): string {
  if (Buffer.byteLength(text) > MAXIMUM_LENGTH) return `invalid length: found ${Buffer.byteLength(text)}`;
  const isBraced = text.startsWith('{') && text.endsWith('}');
  const isPrefixed = text.startsWith('urn:uuid:');
  const start = isBraced ? 1 : isPrefixed ? 9 : 0;
  const inner = isBraced ? text.slice(1, -1) : text.slice(start);
  const wrong = /[^0-9a-fA-F-]/u.exec(inner);
  if (wrong) return `invalid character: found \`${wrong[0]}\` at ${Buffer.byteLength(inner.slice(0, wrong.index)) + start}`;
  const groups = inner.split('-');
  if (groups.length === 1 && !isBraced && !isPrefixed) return `invalid length: found ${text.length}`;
  if (groups.length !== 5) return `invalid group count: expected 5, found ${groups.length}`;
  const index = groups.findIndex((group, index) => group.length !== GROUP_LENGTHS[index]);
  return `invalid group length in group ${index}: expected ${GROUP_LENGTHS[index]}, found ${groups[index]?.length}`;
}

/** A UUID in any form that pydantic accepts; the value is lower case with dashes. */
export const uuid = () =>
  z.preprocess(
    (value, context) => {
      if (typeof value === 'string') {
        if (WIRE_FORM.test(value)) return normalizeUuid(value);
        const error = explain(value);
        return refuse(context, value, 'uuid_parsing', `Input should be a valid UUID, ${error}`, { error });
      }
      return value === undefined ? value : refuse(context, value, 'uuid_type', 'UUID input should be a string, bytes or UUID object');
    },
    z.string().meta({ format: 'uuid' }),
  );
