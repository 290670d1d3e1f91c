import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import type { Settings } from '@praetor/schema/settings';

const LEVELS = { DEBUG: 'debug', INFO: 'info', WARNING: 'warn', ERROR: 'error', CRITICAL: 'fatal' } as const;

export type { Logger };

/** Logs to standard output: one JSON object per line for machines, one plain line where a person is watching. */
export function createLogger(service: string, settings: Settings, forPeople = process.stdout.isTTY): Logger {
  const options = {
    level: LEVELS[settings.loggingLevel],
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { error: pino.stdSerializers.err },
    errorKey: 'error',
  };
  if (!forPeople) return pino(options);
  return pino(options, pretty({ singleLine: true, translateTime: 'SYS:HH:MM:ss', errorLikeObjectKeys: ['error'], colorize: process.stdout.isTTY, sync: true }));
}

/** Lets one call through per `seconds`: a connection that is away fails again and again, and one line tells it. */
export function limitRate(seconds: number, log: (error: unknown) => void): (error: unknown) => void {
  let next = 0;
  return (error) => {
    if (performance.now() < next) return;
    next = performance.now() + seconds * 1000;
    log(error);
  };
}
