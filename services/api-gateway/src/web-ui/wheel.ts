import { buffer } from 'node:stream/consumers';
import yauzl from 'yauzl';

/** The files of a wheel (a zip) by their paths. It stays open until disposed of, and each file is unpacked when it is read. */
export async function openWheel(file: string): Promise<{ files: ReadonlyMap<string, () => Promise<Buffer>> } & AsyncDisposable> {
  const zip = await yauzl.openPromise(file, { autoClose: false });
  const files = new Map<string, () => Promise<Buffer>>();
  for await (const entry of zip.eachEntry()) files.set(entry.fileName, async () => buffer(await zip.openReadStreamPromise(entry)));
  return {
    files,
    async [Symbol.asyncDispose]() {
      zip.close();
    },
  };
}
