import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Address, parseDatabaseUrl } from '@praetor/database/url';

const LOCAL: Address = { host: 'localhost', port: 5432, user: 'postgres', password: '', database: 'postgres', ssl: false, sharedSession: false };

const CASES: [string, Partial<Address>][] = [
  ['postgresql://localhost', {}],
  ['postgres://me@db.example:6543/flows', { host: 'db.example', port: 6543, user: 'me', database: 'flows' }],
  ['postgresql+asyncpg://me:p%40ss%2Fword@db/flows', { host: 'db', user: 'me', password: 'p@ss/word', database: 'flows' }],
  ['postgresql+psycopg2://me@db', { host: 'db', user: 'me', database: 'me' }],
  ['postgresql://me@/flows?host=/var/run/postgresql', { host: '/var/run/postgresql', user: 'me', database: 'flows' }],
  ['postgresql:///flows?host=%2Frun%2Fa%20b&port=5433', { host: '/run/a b', port: 5433, database: 'flows' }],
  ['postgresql://[::1]:5433/flows', { host: '::1', port: 5433, database: 'flows' }],
  ['postgresql://db/flows?ssl=require', { host: 'db', database: 'flows', ssl: { rejectUnauthorized: false } }],
  ['postgresql://db/flows?sslmode=verify-full', { host: 'db', database: 'flows', ssl: true }],
  ['postgresql://db/flows?sslmode=prefer', { host: 'db', database: 'flows', ssl: false }],
];

for (const [url, expected] of CASES) {
  test(url, () => assert.deepEqual(parseDatabaseUrl(url), { ...LOCAL, ...expected }));
}

test('what is no URL is refused', () => assert.throws(() => parseDatabaseUrl('localhost/flows'), TypeError));
