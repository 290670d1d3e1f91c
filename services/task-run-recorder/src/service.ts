import { classifyDatabaseError, retryOnce } from '@praetor/database/errors';
import type { CreateService } from '@praetor/runtime/service';
import { type Message, MessagesFailedError } from '@praetor/streams/broker';
import { createMetrics } from './metrics.ts';
import { recordEvents } from './record-events.ts';
import { type TaskRunEvent, readTaskRunEvent } from './task-run-event.ts';

const STUCK_AFTER_SECONDS = 60;

/** Turns the events by which clients report their task runs into rows of task runs and states. */
export const createTaskRunRecorder: CreateService = ({ settings, database, broker, registry, health }) => {
  const metrics = createMetrics(registry);

  async function handle(messages: readonly Message[]): Promise<void> {
    const failures = new Map<Message, unknown>();
    const events = new Map<TaskRunEvent, Message>();
    for (const message of messages)
      try {
        const event = readTaskRunEvent(message.data);
        if (event) events.set(event, message);
      } catch (error) {
        failures.set(message, error);
      }
    if (events.size > 0) {
      const stopTimer = metrics.batchSeconds.startTimer();
      const orphans = await retryOnce(() => recordEvents(database.sql, [...events.keys()]));
      stopTimer();
      metrics.batchSize.observe(events.size);
      metrics.recorded.inc(events.size - orphans.length);
      for (const orphan of orphans) {
        const message = events.get(orphan);
        if (message) failures.set(message, new Error(`flow run ${orphan.flowRunId} does not exist`));
      }
    }
    if (failures.size > 0) throw new MessagesFailedError(failures);
  }

  return {
    name: 'task-run-recorder',
    run: (signal) =>
      broker.consume({
        topic: 'events',
        group: 'task-run-recorder',
        batchSize: settings.services.taskRunRecorder.batchSize,
        maxAttempts: settings.streams.maxDeliveries,
        handle,
        isOutage: (error) => classifyDatabaseError(error) === 'unavailable',
        onProgress: () => health.noteProgress('task-run-recorder', STUCK_AFTER_SECONDS),
        signal,
      }),
  };
};
