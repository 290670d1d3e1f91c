import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type DeploymentScheduleUpdate, deploymentScheduleUpdate } from '@praetor/schema/schedule';
import { planSchedules } from '../src/deployments/schedule-plan.ts';

const existing = (...slugs: (string | null)[]) => slugs.map((slug, index) => ({ id: `${index}`, slug }));
const daily = (fields: object = {}): DeploymentScheduleUpdate => deploymentScheduleUpdate.parse({ schedule: { cron: '0 0 * * *' }, ...fields });

/** A plan in a few words. */
function outline(...plan: Parameters<typeof planSchedules>): string {
  const planned = planSchedules(...plan);
  const created = planned.create.map(({ slug }) => `+${slug ?? '-'}`);
  if (planned.kind === 'replace') return ['all', ...created].join(' ');
  return [...planned.update.map(({ id, update }) => `${id}=${update.slug}`), ...created].join(' ');
}

describe('schedules of a deployment are', () => {
  const cases: [name: string, existing: (string | null)[], given: DeploymentScheduleUpdate[], wanted: string][] = [
    ['created where there are none', [], [daily(), daily({ slug: 'a' })], 'all +- +a'],
    ['replaced where one of them has no slug', ['a', null], [daily({ slug: 'a' })], 'all +a'],
    ['removed where one of them has no slug and none are given', [null], [], 'all'],
    ['left alone where all have slugs and none are given', ['a', 'b'], [], ''],
    ['matched by slug; others stay', ['a', 'b'], [{ slug: 'b', active: false }], '1=b'],
    ['added under a new slug', ['a'], [daily({ slug: 'b' })], '+b'],
    ['renamed', ['a'], [{ slug: 'b', replaces: 'a' }], '0=b'],
    ['swapped', ['a', 'b'], [{ slug: 'a', replaces: 'b' }, { slug: 'b', replaces: 'a' }], '1=a 0=b'],
    ['added where the one to be replaced is gone', ['a'], [daily({ slug: 'b', replaces: 'z' })], '+b'],
  ];
  for (const [name, slugs, given, wanted] of cases) test(name, () => assert.equal(outline(existing(...slugs), given), wanted));

  const refused: [name: string, given: DeploymentScheduleUpdate[]][] = [
    ['one without a slug', [daily()]],
    ['a new one that does not say when it runs', [{ slug: 'c' }]],
    ['a new name that is taken', [{ slug: 'b', replaces: 'a' }]],
    ['two heirs of one', [{ slug: 'c', replaces: 'a' }, { slug: 'd', replaces: 'a' }]],
  ];
  for (const [name, given] of refused) test(`not changed by ${name}`, () => assert.throws(() => planSchedules(existing('a', 'b'), given), { name: 'UnprocessableError' }));

  test('described as a whole: parameters that are not mentioned are none', () => {
    const plan = planSchedules(existing('a'), [{ slug: 'a', active: true }]);
    assert.deepEqual(plan.kind === 'match' && plan.update[0]?.update.parameters, {});
  });
});
