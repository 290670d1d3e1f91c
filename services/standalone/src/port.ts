import { once } from 'node:events';
import { createServer } from 'node:net';
import { StartupError } from '@praetor/runtime/lifecycle';

/** Throws StartupError where nobody can listen at this address, before anything else is opened. */
export async function assertPortFree(host: string, port: number): Promise<void> {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, 'listening');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const reason = code === 'EADDRINUSE' ? 'is in use by another process' : `cannot be used (${String(code ?? error)})`;
    throw new StartupError(`Port ${port} of ${host} ${reason}: choose another with --port.`);
  } finally {
    server.close();
  }
}
