import assert from 'node:assert/strict';
import test from 'node:test';
import { decrypt, encrypt, generateFernetKey, parseFernetKey } from '@praetor/blocks/fernet';

// The vector of github.com/fernet/spec.
const KEY = parseFernetKey('cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=');
const TOKEN = 'gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==';

test('a token of the specification is read', () => assert.equal(decrypt(KEY, TOKEN), 'hello'));

test('a token of ours has the same form and is read again', () => {
  const token = encrypt(KEY, '{"ä":1}');
  assert.match(token, /^gAAAA[\w-]+=*$/);
  assert.equal(token.length % 4, 0);
  assert.equal(decrypt(KEY, token), '{"ä":1}');
});

test('a token of another key, a changed one and a cut one are refused', () => {
  assert.throws(() => decrypt(parseFernetKey(generateFernetKey()), TOKEN), /another key/);
  for (const broken of [TOKEN.replace('LLF', 'LLE'), TOKEN.slice(0, 40), '', 'x']) assert.throws(() => decrypt(KEY, broken));
});

test('a key is 32 bytes', () => {
  assert.throws(() => parseFernetKey('c2hvcnQ='), RangeError);
  assert.equal(generateFernetKey().length, 44);
});
