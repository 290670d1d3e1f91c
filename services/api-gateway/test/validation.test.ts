import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, suite, test } from '@praetor/test/support/postgres-test';
import { type TestGateway, startGateway } from './support.ts';

/* What Prefect 3.9.1 on Python 3.11 was seen to answer to requests that do not fit, word by word. */

interface Case {
  method: string;
  path: string;
  body: string;
  problems: unknown[];
}

const cases = JSON.parse(readFileSync(path.join(import.meta.dirname, 'validation-cases.json'), 'utf8')) as Case[];

const byKind = Map.groupBy(cases, ({ problems }) => (problems.length === 1 ? 'one problem' : 'several problems'));

suite('a request that does not fit is refused as by Prefect', () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startGateway();
  });
  after(() => gateway[Symbol.asyncDispose]());

  for (const [kind, given] of byKind)
    test(kind, async () => {
      for (const { method, path, body, problems } of given) {
        const answer = await gateway.api.request(method, path, body === '' || method === 'GET' ? undefined : body);
        assert.equal(answer.status, 422, `${method} ${path} ${body}`);
        assert.deepEqual(JSON.parse(JSON.stringify(answer.body.exception_detail)), problems, `${method} ${path} ${body}`);
      }
    });
});
