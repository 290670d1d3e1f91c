import type { Cron } from '@praetor/schema/cron';

const compareDates = Temporal.PlainDate.compare;
const compareTimes = Temporal.PlainDateTime.compare;

const isNthWeekday = (nth: ReadonlySet<number | 'last'> | undefined, date: Temporal.PlainDate): boolean =>
  nth !== undefined && (nth.has(Math.ceil(date.day / 7)) || (nth.has('last') && date.day > date.daysInMonth - 7));

/**
 * Days from a date to the next that the day of the month allows, 0 where it does itself. A listed day that the month
 * lacks counts on into the next one: after the last match in February, `1,31` goes to March 3 and so loses March 1, as
 * in croniter, hence in Prefect.
 */
function daysToDayOfMonth(days: ReadonlySet<number | 'last'>, { day, daysInMonth }: Temporal.PlainDate): number {
  if (days.has('last') && day === daysInMonth) return 0;
  const listed = [...days].filter((item) => item !== 'last').sort((a, b) => a - b);
  if (days.has('last')) listed.push(daysInMonth);
  const next = listed.find((item) => item >= day) ?? daysInMonth + (listed[0] ?? 1);
  return next - day;
}

function daysToWeekday(weekdays: ReadonlySet<number>, { dayOfWeek }: Temporal.PlainDate): number {
  let days = 0;
  while (!weekdays.has((dayOfWeek + days) % 7)) days++;
  return days;
}

/** The first date, from the given one to the last, that every field of the expression allows. */
function nextDate(cron: Cron, from: Temporal.PlainDate, last: Temporal.PlainDate): Temporal.PlainDate | undefined {
  const { years, months, daysOfMonth, weekdays, nthWeekdays } = cron;
  let date = from;
  while (compareDates(date, last) <= 0) {
    const daysToMatch = daysOfMonth === undefined ? 0 : daysToDayOfMonth(daysOfMonth, date);
    if (years?.has(date.year) === false) date = new Temporal.PlainDate(date.year + 1, 1, 1);
    else if (!months.has(date.month)) date = date.with({ day: 1 }).add({ months: 1 });
    else if (daysToMatch > 0) date = date.add({ days: daysToMatch });
    else if (nthWeekdays.size > 0) {
      if (isNthWeekday(nthWeekdays.get(date.dayOfWeek % 7), date)) return date;
      date = date.add({ days: 1 });
    } else {
      const daysToWeek = weekdays === undefined ? 0 : daysToWeekday(weekdays, date);
      if (daysToWeek === 0) return date;
      date = date.add({ days: daysToWeek });
    }
  }
  return undefined;
}

/** The first time of a matching day that is not before `from`, which lies on that day or before it. */
function timeOn({ hours, minutes, seconds }: Cron, date: Temporal.PlainDate, from: Temporal.PlainDateTime): Temporal.PlainDateTime | undefined {
  const isFirstDay = date.equals(from.toPlainDate());
  for (const hour of hours) {
    if (isFirstDay && hour < from.hour) continue;
    const isFirstHour = isFirstDay && hour === from.hour;
    for (const minute of minutes) {
      if (isFirstHour && minute < from.minute) continue;
      for (const second of seconds) {
        const time = date.toPlainDateTime({ hour, minute, second });
        if (compareTimes(time, from) >= 0) return time;
      }
    }
  }
  return undefined;
}

function nextTime(cron: Cron, from: Temporal.PlainDateTime, last: Temporal.PlainDate): Temporal.PlainDateTime | undefined {
  const date = nextDate(cron, from.toPlainDate(), last);
  const time = date && timeOn(cron, date, from);
  if (date === undefined || time !== undefined) return time;
  const following = nextDate(cron, date.add({ days: 1 }), last);
  return following && timeOn(cron, following, from);
}

/**
 * The wall-clock times of a cron expression within both bounds, in order. `anyDay`: where both day fields restrict, either
 * will do, as cron has it; otherwise both must hold (Prefect's `day_or`).
 */
export function* cronTimes(cron: Cron, anyDay: boolean, from: Temporal.PlainDateTime, to: Temporal.PlainDateTime): Generator<Temporal.PlainDateTime> {
  const isUnion = anyDay && cron.daysOfMonth !== undefined && cron.weekdays !== undefined;
  let alternatives = isUnion ? [{ ...cron, weekdays: undefined }, { ...cron, daysOfMonth: undefined }] : [cron];
  const last = to.toPlainDate();
  let start = from;
  for (;;) {
    const found = alternatives.map((alternative) => ({ alternative, time: nextTime(alternative, start, last) }));
    alternatives = found.filter(({ time }) => time !== undefined).map(({ alternative }) => alternative);
    const [time] = found.flatMap(({ time }) => time ?? []).sort(compareTimes);
    if (time === undefined) return;
    yield time;
    start = time.add({ seconds: 1 });
  }
}
