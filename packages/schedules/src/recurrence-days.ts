import type { RecurrenceRule } from '@praetor/schema/recurrence';

const isOneOf = (list: readonly number[], fromStart: number, fromEnd: number): boolean => list.includes(fromStart) || list.includes(fromEnd);

/** Week 1 of a year is the first that has four of its days; the last is also -1. */
function isInWeeks(weeks: readonly number[], weekStart: number, date: Temporal.PlainDate): boolean {
  const fourthDay = date.add({ days: 3 - ((date.dayOfWeek - weekStart + 7) % 7) });
  const week = Math.ceil(fourthDay.dayOfYear / 7);
  const weeksLeft = Math.floor((fourthDay.daysInYear - fourthDay.dayOfYear) / 7);
  return isOneOf(weeks, week, -1 - weeksLeft);
}

function isOnWeekday({ frequency, months, weekdays = [] }: RecurrenceRule, date: Temporal.PlainDate): boolean {
  const countsInYear = frequency === 'YEARLY' && months === undefined;
  const [day, days] = countsInYear ? [date.dayOfYear, date.daysInYear] : [date.day, date.daysInMonth];
  const counts = frequency === 'YEARLY' || frequency === 'MONTHLY';
  return weekdays.some(
    ({ weekday, nth }) => date.dayOfWeek === weekday && (nth === undefined || !counts || isOneOf([nth], Math.ceil(day / 7), -Math.ceil((days - day + 1) / 7))),
  );
}

/** Easter Sunday of the western churches, by the Meeus-Jones-Butcher algorithm. */
function easterOf(year: number): Temporal.PlainDate {
  const century = Math.floor(year / 100);
  const yearOfCentury = year % 100;
  const golden = year % 19;
  const correction = Math.floor((century - Math.floor((century + 8) / 25) + 1) / 3);
  const moon = (19 * golden + century - Math.floor(century / 4) - correction + 15) % 30;
  const weekday = (32 + 2 * (century % 4) + 2 * Math.floor(yearOfCentury / 4) - moon - (yearOfCentury % 4)) % 7;
  const shift = Math.floor((golden + 11 * moon + 22 * weekday) / 451);
  const days = moon + weekday - 7 * shift + 114;
  return new Temporal.PlainDate(year, Math.floor(days / 31), (days % 31) + 1);
}

/** Whether a date passes the BY… parts of a rule that speak of days. Where none does, the rule's start says which day it is. */
export function matchesDay(rule: RecurrenceRule, start: Temporal.PlainDate, date: Temporal.PlainDate): boolean {
  const { frequency, weekStart, months, monthDays, yearDays, weeks, weekdays, easterOffsets } = rule;
  if (months !== undefined && !months.includes(date.month)) return false;
  if (!monthDays && !yearDays && !weeks && !weekdays && !easterOffsets) {
    if (frequency === 'YEARLY') return date.day === start.day && (months !== undefined || date.month === start.month);
    if (frequency === 'MONTHLY') return date.day === start.day;
    return frequency !== 'WEEKLY' || date.dayOfWeek === start.dayOfWeek;
  }
  return (
    (monthDays === undefined || isOneOf(monthDays, date.day, date.day - date.daysInMonth - 1)) &&
    (yearDays === undefined || isOneOf(yearDays, date.dayOfYear, date.dayOfYear - date.daysInYear - 1)) &&
    (weeks === undefined || isInWeeks(weeks, weekStart, date)) &&
    (weekdays === undefined || isOnWeekday(rule, date)) &&
    (easterOffsets === undefined || easterOffsets.includes(easterOf(date.year).until(date, { largestUnit: 'days' }).days))
  );
}
