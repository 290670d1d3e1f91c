import { z } from 'zod';

interface TextRecord extends z.ZodRecord<z.ZodString, z.ZodString> {}

function isTextRecord(value: unknown): boolean {
  if (!z.core.util.isPlainObject(value)) return false;
  // zod leaves `__proto__` out, so that is its business.
  for (const key in value) if (typeof value[key] !== 'string' || key === '__proto__') return false;
  return true;
}

const TextRecord = z.core.$constructor<TextRecord, TextRecord['_zod']['def']>('TextRecord', (instance, definition) => {
  z.ZodRecord.init(instance, definition);
  const { parse } = instance._zod;
  instance._zod.parse = (payload, context) => (isTextRecord(payload.value) ? payload : parse(payload, context));
});

/** `z.record(z.string(), z.string())`, which does not run two schemas for each key where all is as it should be: events are full of labels. */
export function textRecord(): z.ZodRecord<z.ZodString, z.ZodString> {
  return new TextRecord({ type: 'record', keyType: z.string(), valueType: z.string() });
}
