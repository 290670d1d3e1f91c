import type { SocketRoute } from '@praetor/runtime/sockets';
import type { ServiceContext } from '@praetor/runtime/service';
import { type LogFilter, logFilter } from '@praetor/schema/filters/log';
import type { Log } from '@praetor/schema/log';
import { matchesText, parseTextSearch } from '@praetor/schema/text-search';
import { toMicroseconds } from '@praetor/schema/timestamps';
import { Backlog } from './backlog.ts';
import type { LiveFeed } from './live-feed.ts';
import type { Metrics } from './metrics.ts';
import { receiveSubscription } from './subscription.ts';

/** The question of a live subscription, put to one log line after the other. */
export function createLogMatcher(filter: LogFilter): (log: Log) => boolean {
  const { level, timestamp, flow_run_id: flowRun, task_run_id: taskRun } = filter;
  const after = timestamp?.after_ == null ? -Infinity : toMicroseconds(timestamp.after_);
  const before = timestamp?.before_ == null ? Infinity : toMicroseconds(timestamp.before_);
  const text = filter.text && parseTextSearch(filter.text.query);
  const isAmong = (ids: readonly string[] | null | undefined, id: string | null) => !ids || (id !== null && ids.includes(id));
  return (log) => {
    const moment = toMicroseconds(log.timestamp);
    return (
      log.level >= (level?.ge_ ?? -Infinity) &&
      log.level <= (level?.le_ ?? Infinity) &&
      moment >= after &&
      moment <= before &&
      isAmong(flowRun?.any_, log.flow_run_id) &&
      isAmong(taskRun?.any_, log.task_run_id) &&
      (taskRun?.is_null_ == null || taskRun.is_null_ === (log.task_run_id === null)) &&
      (!text || matchesText(text, `${log.message} ${log.name}`))
    );
  };
}

/** Log lines for subscribers as they come (facts/hidden-endpoints.md §7). Silent unless both settings are on, as with Prefect. */
export function createLogsOut({ settings }: ServiceContext, feed: LiveFeed<Log>, metrics: Metrics): SocketRoute {
  return {
    path: '/logs/out',
    async handle(connection) {
      const subscription = await receiveSubscription(connection, logFilter);
      if (!subscription) return;
      connection.ignoreInput();
      if (!settings.logs.streamOutEnabled) return connection.untilEnd();
      const matches = createLogMatcher(subscription.filter);
      const backlog = new Backlog<string>(connection.signal, () => metrics.dropped.inc({ feed: feed.name }));
      using _subscribed = feed.subscribe(({ text, value }) => {
        if (matches(value)) backlog.push(text);
      });
      for await (const text of backlog) await connection.send(`{"type":"log","log":${text}}`);
    },
  };
}
