import { buildIndex } from './build-index.ts';
import type { Migration } from './migration.ts';

/*
 * Which states runs have had is told by jumps in these, in milliseconds over millions of states. Few pairs of type and name
 * and growing times keep what is written to a few pages: no cost could be measured on inserts.
 */
const INDEXES = {
  praetor_ix_flow_run_state__observed: 'flow_run_state (type, name, timestamp)',
  praetor_ix_task_run_state__observed: 'task_run_state (type, name, timestamp)',
};

export const observedStates: Migration = {
  name: '0007_observed_states',
  breaking: false,
  transactional: false,
  async up(db) {
    for (const [name, definition] of Object.entries(INDEXES)) await buildIndex(db, name, definition);
  },
};
