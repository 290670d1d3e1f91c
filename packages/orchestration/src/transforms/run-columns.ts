import { type State, isTerminal } from '@praetor/schema/state';
import { type Timestamp, fromMicroseconds, toMicroseconds } from '@praetor/schema/timestamps';
import type { Transform } from '../engine.ts';
import type { RunFields, Transition } from '../transition.ts';

/* The columns of a run that follow from its states (facts/orchestration.md §7, 1–8). */

/** A transform that does its work before the state is stored, if one will be. */
const onNewState = (name: string, work: (run: RunFields, proposed: State, initial: State | null) => void): Transform<Transition> => ({
  name,
  before({ run, proposed, initial }) {
    if (proposed) work(run, proposed, initial);
  },
});

const inUtc = (timestamp: Timestamp | null): Timestamp | null => timestamp && fromMicroseconds(toMicroseconds(timestamp));

/** No two states of a run share a moment. The clock is the database's, so only the previous state can be that near. */
export const ensureStateTimestampIsUnique = onNewState('EnsureStateTimestampIsUnique', (_run, proposed, initial) => {
  if (proposed.timestamp === initial?.timestamp) proposed.timestamp = fromMicroseconds(toMicroseconds(proposed.timestamp) + 1);
});

export const setRunState = onNewState('SetRunState', (run, { type, name, timestamp }) => {
  run.state_type = type;
  run.state_name = name;
  run.state_timestamp = timestamp;
});

export const setStartTime = onNewState('SetStartTime', (run, { type, timestamp }) => {
  if (type === 'RUNNING') run.start_time ??= timestamp;
});

/** The first terminal state ends the run; leaving it takes the end back. A run that never ran started when it ended. */
export const setEndTime = onNewState('SetEndTime', (run, proposed, initial) => {
  const isFinal = isTerminal(proposed.type);
  if (initial && isTerminal(initial.type) && !isFinal) run.end_time = null;
  if (!isFinal || run.end_time !== null) return;
  run.start_time ??= proposed.timestamp;
  run.end_time = proposed.timestamp;
});

export const incrementRunTime = onNewState('IncrementRunTime', (run, proposed, initial) => {
  if (initial?.type !== 'RUNNING') return;
  const microseconds = Math.round(run.total_run_time * 1e6) + toMicroseconds(proposed.timestamp) - toMicroseconds(initial.timestamp);
  run.total_run_time = microseconds / 1e6;
});

export const setExpectedStartTime = onNewState('SetExpectedStartTime', (run, { type, timestamp, state_details }) => {
  run.expected_start_time ??= type === 'SCHEDULED' ? inUtc(state_details.scheduled_time) : timestamp;
});

export const setNextScheduledStartTime = onNewState('SetNextScheduledStartTime', (run, { type, state_details }, initial) => {
  if (initial?.type === 'SCHEDULED') run.next_scheduled_start_time = null;
  if (type === 'SCHEDULED') run.next_scheduled_start_time = inUtc(state_details.scheduled_time);
});
