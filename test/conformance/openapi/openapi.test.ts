import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { describeApi } from '@praetor/api-gateway/openapi';
import { resources } from '@praetor/api-gateway/resources';
import { skipWithoutPrefect } from '@praetor/test/support/prefect';
import { checkDocument } from './check.ts';

const skip = await skipWithoutPrefect('3.9.1');

test('the document is OpenAPI 3.1', async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(describeApi(resources));
  assert.ok(valid, JSON.stringify(errors));
  assert.equal(validator.version, '3.1');
});

test("the document says what Prefect's says", { skip }, async () => {
  const { differences, obsolete } = await checkDocument('3.9.1');
  const open = differences.filter(({ reason }) => reason === undefined).map(({ difference }) => difference);
  assert.deepEqual(open, [], 'differences that accepted.ts does not list');
  assert.deepEqual(obsolete, [], 'differences in accepted.ts that are no more');
});
