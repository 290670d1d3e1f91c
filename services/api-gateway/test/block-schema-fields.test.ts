import assert from 'node:assert/strict';
import test from 'node:test';
import { type Json, isJsonObject, parseJson } from '@praetor/schema/json';
import { schemaChecksum } from '../src/block-schemas/fields.ts';
import { toPythonJson } from '../src/block-schemas/python-json.ts';

function checksum(text: string): string {
  const fields = parseJson(text);
  assert.ok(isJsonObject(fields));
  return schemaChecksum(fields);
}

// What Python's json.dumps(json.loads(text), sort_keys=True) prints.
const PYTHON_TEXTS: [json: string, printed: string][] = [
  ['1', '1'],
  ['-0', '0'],
  ['12345678901234567890123', '12345678901234567890123'],
  ['1.0', '1.0'],
  ['-0.0', '-0.0'],
  ['1.50', '1.5'],
  ['1e20', '1e+20'],
  ['1E5', '100000.0'],
  ['1e15', '1000000000000000.0'],
  ['1e16', '1e+16'],
  ['123456789012345678.0', '1.2345678901234568e+17'],
  ['0.0001', '0.0001'],
  ['0.00001', '1e-05'],
  ['0.00012345', '0.00012345'],
  ['1.5e-7', '1.5e-07'],
  ['3.14', '3.14'],
  ['1234.5', '1234.5'],
  ['5e-324', '5e-324'],
  ['{"b":1,"a":[true,null,"x"]}', '{"a": [true, null, "x"], "b": 1}'],
  ['"é\\n\\u007f☃😀"', '"\\u00e9\\n\\u007f\\u2603\\ud83d\\ude00"'],
  ['{"😀":1,"\\ufffd":2}', '{"\\ufffd": 2, "\\ud83d\\ude00": 1}'],
  ['{}', '{}'],
  ['[]', '[]'],
];

test('values are printed as Python prints them', () => {
  for (const [json, printed] of PYTHON_TEXTS) assert.equal(toPythonJson(parseJson(json) as Json), printed, json);
});

// Its checksum was computed by the Python client 3.9.1.
const VECTOR = `{"title":"Vector","type":"object","properties":{"rate":{"type":"number","default":1.0,"minimum":1e-7},
"größe":{"$ref":"#/definitions/JsonValue"},"mode":{"anyOf":[{"$ref":"#/definitions/Mode"},{"type":"null"}]},"store":{"$ref":"#/definitions/Store"}},
"secret_fields":["rate"],"definitions":{"JsonValue":{},"Mode":{"enum":["a","b"],"title":"Mode"},"Store":{"title":"Store","block_type_slug":"store","secret_fields":["x"]}},
"block_type_slug":"vector","block_schema_references":{"store":{"block_type_slug":"store","block_schema_checksum":"sha256:0"}}}`;

test('checksums are those of the client', async (t) => {
  await t.test('secret fields do not count', () => {
    const fields = '{"title":"X","type":"object","properties":{"a":{"type":"string"},"s":{"type":"string"}},"secret_fields":["s"]}';
    assert.equal(checksum(fields), 'sha256:12c004cc4009b54a55df2e58d3f3bece75be16de3d2a1f3c05fdf5042fac73e7');
  });
  await t.test('floats, non-ASCII names, an empty definition, a plain one, one of another block', () => {
    assert.equal(checksum(VECTOR), 'sha256:926207d8e7024a1194e36cc39184805c8d345ad9bb2d8bf7fd1bfcde28ed8c2b');
  });
  await t.test('definitions of other blocks do not count, plain ones do', () => {
    const outer = (definitions: string) => `{"title":"O","properties":{"p":{"$ref":"#/definitions/P"},"b":{"$ref":"#/definitions/B"}}${definitions}}`;
    const both = checksum(outer(',"definitions":{"P":{"title":"P"},"B":{"title":"B","block_type_slug":"b"},"Unused":{"title":"U"}}'));
    assert.equal(both, checksum(outer(',"definitions":{"P":{"title":"P"}}')));
    assert.notEqual(both, checksum(outer('')));
    assert.equal(checksum(outer(',"definitions":{"B":{"title":"B","block_type_slug":"b"}}')), checksum(outer('')));
  });
});
