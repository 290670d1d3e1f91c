import { z } from 'zod';
import { integer } from './primitives.ts';

/** A problem: a text, or those of a property or of an element of a list. */
export type SchemaValueError = string | SchemaValuePropertyError | SchemaValueIndexError;

export interface SchemaValuePropertyError {
  property: string;
  errors: SchemaValueError[];
}

export interface SchemaValueIndexError {
  index: number;
  errors: SchemaValueError[];
}

const propertyError: z.ZodType<SchemaValuePropertyError> = z.lazy(() => z.object({ property: z.string(), errors: schemaValueErrors() }).meta({ id: 'SchemaValuePropertyError' }));
const indexError: z.ZodType<SchemaValueIndexError> = z.lazy(() => z.object({ index: integer(), errors: schemaValueErrors() }).meta({ id: 'SchemaValueIndexError' }));
const schemaValueErrors = (): z.ZodType<SchemaValueError[]> => z.array(z.union([z.string(), propertyError, indexError]));

/** What keeps values from fitting a schema, in the nesting of the values. */
export const schemaValidation = z.object({ errors: schemaValueErrors(), valid: z.boolean() }).meta({ id: 'SchemaValuesValidationResponse' });
