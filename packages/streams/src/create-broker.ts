import type { Broker, DeadLetter } from './broker.ts';
import { MemoryBroker } from './memory.ts';
import { RedisBroker } from './redis.ts';

export interface BrokerOptions {
  /** Absent: the broker lives in the memory of this process. */
  redis?: { url: string; keyPrefix: string; maximumLength?: number };
  /** Keeps a message that was given up where an operator finds it. Called again until it resolves. */
  saveDeadLetter: (letter: DeadLetter) => Promise<void>;
  /** Hears of lost connections and the like; the broker goes on by itself. */
  onError: (error: unknown) => void;
}

/** The broker of a process, by its topology. */
export function createBroker({ redis, ...options }: BrokerOptions): Broker {
  return redis ? new RedisBroker({ ...redis, ...options }) : new MemoryBroker(options);
}
