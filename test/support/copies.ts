import type { CreateService } from '@praetor/runtime/service';
import type { SettingValues } from '@praetor/schema/setting';
import { createBroker } from '@praetor/streams/create-broker';
import { createTestContext, runServices } from './context.ts';
import { openDatabase } from './database.ts';

/** Runs copies of a service, each with connections of its own as separate processes have, until disposed of. */
export function startCopies(count: number, databaseUrl: string, createService: CreateService, settings: SettingValues = {}): AsyncDisposable {
  const stack = new AsyncDisposableStack();
  for (let copy = 0; copy < count; copy++) {
    const database = stack.use(openDatabase(databaseUrl));
    const broker = stack.use(createBroker({ saveDeadLetter: async () => {}, onError: () => {} }));
    stack.use(runServices(createService(createTestContext(database, broker, settings))));
  }
  return stack;
}
