import type { Transform } from '../engine.ts';
import { flowRunStateEvent } from '../flow-run-event.ts';
import type { FlowTransition } from '../transition.ts';

/** Every stored state of a flow run is reported as an event. */
export const instrumentFlowRunStateTransitions: Transform<FlowTransition> = {
  name: 'InstrumentFlowRunStateTransitions',
  after(transition) {
    if (transition.proposed) transition.effects.push({ type: 'emit', event: flowRunStateEvent(transition, transition.proposed) });
  },
};
