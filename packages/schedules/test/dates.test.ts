import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCron } from '@praetor/schema/cron';
import { type Schedule, deploymentScheduleCreate, schedule } from '@praetor/schema/schedule';
import { fromMicroseconds } from '@praetor/schema/timestamps';
import { type Span, dates } from '../src/dates.ts';
import validity from './cron_validity.json' with { type: 'json' };
import cases from './schedules.json' with { type: 'json' };

/* schedules.json and cron_validity.json were computed by Prefect 3.9.1. */

type Case = (typeof cases)[number];

function toSchedule({ kind, expr, timezone, day_or, anchor_date }: Case): Schedule {
  if (kind === 'interval') return schedule.parse({ interval: expr, anchor_date, timezone });
  return schedule.parse(kind === 'cron' ? { cron: expr, timezone, day_or } : { rrule: expr, timezone });
}

/** The first dates of a schedule, in order, as the wire has them. */
function nextDates(given: Schedule, span: Span, count: number): string[] {
  const found = dates(given, span).take(count).toArray().sort(Temporal.ZonedDateTime.compare);
  return found.map((date) => fromMicroseconds(Number(date.epochNanoseconds / 1000n)));
}

const formatted = (given: unknown, span: Span, count: number): string[] => nextDates(schedule.parse(given), span, count);

/** Morocco changes its rules too often for two releases of the zone data to agree on its future. */
const dependsOnZoneData = ({ timezone, expr }: Case): boolean => timezone === 'Africa/Casablanca' && expr === '0 12 1 1 *';

for (const kind of ['cron', 'interval', 'rrule'])
  test(`${kind} schedules have the dates that Prefect computes`, () => {
    for (const given of cases.filter((candidate) => candidate.kind === kind && !dependsOnZoneData(candidate))) {
      const found = nextDates(toSchedule(given), { start: given.start }, given.n);
      const about = JSON.stringify({ ...given, dates: undefined });
      // Where croniter fails for want of another date, here the dates that there are come.
      if (given.dates === undefined) assert.ok(found.length < given.n, about);
      else assert.deepEqual(found, given.dates, about);
    }
  });

test('cron expressions are valid where Prefect says so', () => {
  for (const { expr, valid } of validity)
    if (valid) assert.doesNotThrow(() => parseCron(expr), expr);
    else assert.throws(() => parseCron(expr), SyntaxError, expr);
});

test('a span includes both of its ends', () => {
  const span = { start: '2026-03-01T00:00:00Z', end: '2026-03-03T00:00:00Z' };
  const days = ['2026-03-01T00:00:00Z', '2026-03-02T00:00:00Z', '2026-03-03T00:00:00Z'];
  for (const daily of [{ cron: '@daily' }, { rrule: 'FREQ=DAILY' }, { interval: 86_400, anchor_date: '2026-01-01T00:00:00Z' }])
    assert.deepEqual(formatted(daily, span, 10), days);
});

test('an hour that occurs twice has an hourly interval twice and an hourly cron once', () => {
  const span = { start: '2026-11-01T05:00:00Z', end: '2026-11-01T07:00:00Z' };
  const timezone = 'America/New_York';
  assert.equal(formatted({ interval: 3600, anchor_date: '2026-01-01T00:00:00Z', timezone }, span, 10).length, 3);
  assert.equal(formatted({ cron: '0 * * * *', timezone }, span, 10).length, 2);
});

test('cron and rrule move a time that does not exist to different sides of the gap', () => {
  const span = { start: '2027-03-14T05:00:00Z', end: '2027-03-14T12:00:00Z' };
  assert.deepEqual(formatted({ cron: '30 2 * * *', timezone: 'America/New_York' }, span, 1), ['2027-03-14T07:30:00Z']);
  assert.deepEqual(formatted({ rrule: 'FREQ=DAILY;BYHOUR=2;BYMINUTE=30', timezone: 'America/New_York' }, span, 1), ['2027-03-14T06:30:00Z']);
});

test('a random part of a cron expression is the same at every look', () => {
  const { minutes } = parseCron('R(0-29) * * * *');
  assert.equal(minutes.length, 1);
  assert.deepEqual(parseCron('R(0-29) * * * *').minutes, minutes);
});

test('impossible dates and endless counts cost no time', () => {
  const span = { start: '2026-11-21T00:00:00Z', end: '2027-02-21T00:00:00Z' };
  assert.deepEqual(formatted({ cron: '0 0 31 2 *' }, span, 3), []);
  assert.deepEqual(formatted({ rrule: 'FREQ=SECONDLY;COUNT=1000000000' }, span, 2), ['2026-11-21T00:00:00Z', '2026-11-21T00:00:01Z']);
  assert.deepEqual(formatted({ rrule: 'FREQ=MINUTELY;INTERVAL=1440;BYHOUR=5' }, span, 3), []);
});

test('a saved rule without DTSTART gets one', () => {
  const save = (rrule: string) => deploymentScheduleCreate.parse({ schedule: { rrule, timezone: 'America/New_York' } }).schedule;
  assert.deepEqual(save('FREQ=DAILY;COUNT=3'), { rrule: 'DTSTART:20200101T000000\nFREQ=DAILY;COUNT=3', timezone: 'America/New_York' });
  assert.deepEqual(save('DTSTART:20250101T000000\nRRULE:FREQ=DAILY'), { rrule: 'DTSTART:20250101T000000\nRRULE:FREQ=DAILY', timezone: 'America/New_York' });
  // A frequent one starts just before now, in step with 2020.
  const saved = save('FREQ=MINUTELY;INTERVAL=7');
  const start = Temporal.PlainDateTime.from(('rrule' in saved ? saved.rrule : '').slice('DTSTART:'.length, 'DTSTART:20200101T000000'.length));
  const now = Temporal.Now.plainDateTimeISO('America/New_York');
  assert.ok(start.until(now).total('minutes') < 8);
  assert.equal(Temporal.PlainDateTime.from('2020-01-01T00:00').until(start).total('minutes') % 7, 0);
});

test('rules that Prefect refuses are refused', () => {
  const refused = [
    '',
    'BYDAY=MO',
    'FREQ=DAILY;',
    'FREQ=NEVER',
    'FREQ=DAILY;BYHOUR=25',
    'FREQ=DAILY;INTERVAL=0',
    'DTSTART:20250101T000000',
    'DTSTART:20250101T000000,20250102T000000\nRRULE:FREQ=DAILY',
    'DTSTART:20250101T000000\nRRULE:FREQ=DAILY;UNTIL=20251108T000000Z',
    'DTSTART:20250101T000000\nRRULE:FREQ=HOURLY;INTERVAL=2;BYHOUR=1',
    `FREQ=DAILY${';BYHOUR=1'.repeat(800)}`,
  ];
  for (const rrule of refused) assert.equal(schedule.safeParse({ rrule }).success, false, rrule.slice(0, 80));
  for (const rrule of ['rrule:freq=daily', ' FREQ=DAILY', 'FREQ=DAILY;UNTIL=20251108T000000Z', 'FREQ=DAILY\n\nFREQ=WEEKLY', 'DTSTART:20250101\nRDATE:20250102'])
    assert.equal(schedule.safeParse({ rrule }).success, true, rrule);
});

test('a rule that leads out of time ends there', () => {
  const span = { start: '2026-01-01T00:00:00Z', end: '2026-01-01T02:00:00Z' };
  assert.equal(formatted({ rrule: 'DTSTART:20260101T000000\nRRULE:FREQ=HOURLY;COUNT=99999999999' }, span, 10).length, 3);
  assert.deepEqual(formatted({ rrule: 'DTSTART:20260101T000000\nRRULE:FREQ=YEARLY;INTERVAL=300000' }, { start: span.start }, 10), [span.start]);
  assert.equal(nextDates({ interval: 1e-7, anchor_date: span.start, timezone: 'UTC' }, span, 10).length, 10);
});

test('a rule with COUNT is followed for a bounded time', () => {
  const started = process.threadCpuUsage().user;
  const span = { start: '2026-06-01T00:00:00Z', end: '2026-06-02T00:00:00Z' };
  assert.deepEqual(formatted({ rrule: 'DTSTART:20200101T000000\nRRULE:FREQ=SECONDLY;COUNT=99999999;BYHOUR=1' }, span, 10), []);
  assert.ok(process.threadCpuUsage().user - started < 1.5e6);
});

test('every second late in an hour costs no more than early in it', () => {
  const started = process.threadCpuUsage().user;
  const seconds = formatted({ cron: '* * * * * *' }, { start: '2026-01-01T12:58:30Z' }, 100);
  assert.deepEqual([seconds[0], seconds[99]], ['2026-01-01T12:58:30Z', '2026-01-01T13:00:09Z']);
  assert.ok(process.threadCpuUsage().user - started < 0.4e6);
});
