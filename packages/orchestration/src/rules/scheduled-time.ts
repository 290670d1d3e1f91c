import { toMicroseconds } from '@praetor/schema/timestamps';
import { type Rule, types, wait } from '../engine.ts';
import type { Transition } from '../transition.ts';

/** A run that becomes PENDING early keeps the time for which it was scheduled. */
export const copyScheduledTime: Rule<Transition> = {
  name: 'CopyScheduledTime',
  from: types('SCHEDULED'),
  to: types('PENDING'),
  before({ initial, proposed }) {
    if (initial && proposed) proposed.state_details.scheduled_time ??= initial.state_details.scheduled_time;
    return undefined;
  },
};

/** Nothing runs before its time by the clock of the server; the client waits whole seconds. */
export const waitForScheduledTime: Rule<Transition> = {
  name: 'WaitForScheduledTime',
  from: types('SCHEDULED', 'PENDING'),
  to: types('RUNNING'),
  before({ initial, now }) {
    const scheduled = initial?.state_details.scheduled_time ?? null;
    if (scheduled === null) return undefined;
    const seconds = Math.round((toMicroseconds(scheduled) - toMicroseconds(now)) / 1e6);
    return seconds > 0 ? wait(seconds, 'The scheduled time lies in the future.') : undefined;
  },
};
