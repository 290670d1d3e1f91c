import { z } from 'zod';

/** A list in JSON, each text once. */
export const textSet = () =>
  z
    .preprocess((value, context) => {
      if (!Array.isArray(value)) context.issues.push({ code: 'custom', input: value, message: 'Input should be a valid set', params: { type: 'set_type' } });
      return value;
    }, z.array(z.string()))
    .overwrite((texts) => [...new Set(texts)])
    .meta({ uniqueItems: true });
