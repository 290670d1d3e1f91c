import { classifyDatabaseError } from '@praetor/database/errors';
import { publishEvents } from '@praetor/orchestration/changes';
import type { CreateService } from '@praetor/runtime/service';
import { LOOKBACK_SECONDS } from '@praetor/triggers/bucket';
import { createPerformAction } from './actions/perform.ts';
import { ActionWorker } from './actions/worker.ts';
import { AutomationSet } from './automation-set.ts';
import { type Committed, findLostFollowers, handleEvents } from './handle-events.ts';
import { lookAtTriggers, proactiveTriggerIds, readEventsClock } from './look.ts';
import { createMetrics } from './metrics.ts';
import { parseEvents } from './parse-events.ts';
import { sweep } from './sweep.ts';

const GROUP = 'automations';
const STUCK_AFTER_SECONDS = 60;
const SWEEP_SECONDS = 5;

/** Evaluates the triggers of automations on every event and by the clock, and carries out the actions of those that fire. */
export const createAutomations: CreateService = (context) => {
  const { settings, database, broker, ticker, registry, health, logger } = context;
  const { triggers } = settings.services;
  const { sql } = database;
  const metrics = createMetrics(registry, sql);
  const automations = new AutomationSet(sql, (id, error) => logger.error({ id, error }, 'an automation cannot be read and does nothing'));
  const worker = new ActionWorker({
    context,
    perform: createPerformAction(context),
    onFinished: ({ action, triggered }, result) => {
      metrics.actions.inc({ kind: action.type, result });
      metrics.actionSeconds.observe((Date.now() - Date.parse(triggered)) / 1000);
    },
    onRetry: () => metrics.actionRetries.inc(),
    onProgress: () => health.noteProgress('automation-actions', STUCK_AFTER_SECONDS),
  });

  function onCommit({ events, firings, actions }: Committed): void {
    metrics.firings.inc(firings);
    if (actions > 0) worker.wake();
    publishEvents(context, events);
  }

  async function evaluate(texts: readonly string[]): Promise<void> {
    const stopTimer = metrics.batchSeconds.startTimer();
    // Where there are none, as in many installations, events leave nothing behind.
    if (!(await automations.isEmpty())) await handleEvents(database, automations, parseEvents(texts), onCommit);
    stopTimer();
    metrics.events.inc(texts.length);
  }

  async function readClock() {
    const groups = await broker.lag();
    return await readEventsClock(sql, groups.find(({ group }) => group === GROUP)?.oldestSeconds ?? 0);
  }

  async function tidy(): Promise<void> {
    for (let lost = await findLostFollowers(sql, LOOKBACK_SECONDS); lost.length > 0; lost = await findLostFollowers(sql, LOOKBACK_SECONDS))
      await handleEvents(database, automations, lost, onCommit, new Set(lost.map(({ id }) => id)));
    await sweep(sql, { readClock, bufferSeconds: settings.events.expiredBucketBufferSeconds, findExceptions: () => proactiveTriggerIds(automations) });
  }

  return {
    name: 'automations',
    async run(signal) {
      const consuming = broker.consume({
        topic: 'events',
        group: GROUP,
        batchSize: triggers.batchSize,
        maxAttempts: settings.streams.maxDeliveries,
        // The group is there in any case: where nobody took its events, they would wait for ever.
        handle: async (messages) => (triggers.enabled ? await evaluate(messages.map((message) => message.data)) : undefined),
        isOutage: (error) => classifyDatabaseError(error) === 'unavailable',
        onProgress: () => health.noteProgress('automations', STUCK_AFTER_SECONDS),
        signal,
      });
      if (!triggers.enabled) return await consuming;
      await Promise.all([
        consuming,
        worker.run(signal),
        ticker.every('proactive-triggers', settings.events.proactiveGranularitySeconds, (tickSignal) => lookAtTriggers(database, automations, readClock, onCommit, tickSignal), signal),
        ticker.every('automations-tidy', SWEEP_SECONDS, tidy, signal),
      ]);
    },
  };
};
