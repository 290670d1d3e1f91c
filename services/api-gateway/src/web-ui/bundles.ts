import { readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { openWheel } from './wheel.ts';

/** The two single-page applications that Prefect ships. */
export const UI_VERSIONS = ['v1', 'v2'] as const;
export type UiVersion = (typeof UI_VERSIONS)[number];

/** The files of one application by their paths, read when they are asked for. Nothing outside can be named. */
export type Bundle = ReadonlyMap<string, () => Promise<Buffer>>;

/** The applications that were found; a wheel stays open until this is disposed of. */
export interface Bundles extends AsyncDisposable {
  readonly byVersion: ReadonlyMap<UiVersion, Bundle>;
}

/** Where the applications lie: in the package itself, in a folder of packages, and in the folder that Prefect copies them to. */
const LAYOUTS = [
  { v1: 'server/ui', v2: 'server/ui-v2' },
  { v1: 'prefect/server/ui', v2: 'prefect/server/ui-v2' },
  { v1: 'v1', v2: 'v2' },
] as const;

async function readFolder(folder: string): Promise<Bundle> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return new Map(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name))
      .map((file) => [path.relative(folder, file).replaceAll(path.sep, '/'), () => readFile(file)]),
  );
}

/** The files of a wheel or folder, all of them. */
async function openFiles(location: string): Promise<{ files: Bundle } & AsyncDisposable> {
  if ((await stat(location)).isFile()) return await openWheel(location);
  // A folder of packages holds a hundred thousand files: only those of the applications are listed.
  const folders = LAYOUTS.flatMap((layout) => Object.values(layout));
  const listed = await Promise.all(folders.map(async (folder) => [folder, await readFolder(path.join(location, folder)).catch(() => new Map())] as const));
  return {
    files: new Map(listed.flatMap(([folder, files]) => [...files].map(([file, read]) => [`${folder}/${file}`, read] as const))),
    async [Symbol.asyncDispose]() {},
  };
}

function select(files: Bundle, folder: string): Bundle {
  const prefix = `${folder}/`;
  return new Map([...files].filter(([file]) => file.startsWith(prefix)).map(([file, read]) => [file.slice(prefix.length), read]));
}

/** Finds the applications in an installed `prefect` package, a folder of packages, a wheel, or a folder with `v1` and `v2`. Throws where the location cannot be read. */
export async function openBundles(location: string): Promise<Bundles> {
  const opened = await openFiles(location);
  const found = LAYOUTS.map((layout) => UI_VERSIONS.map((version) => [version, select(opened.files, layout[version])] as const).filter(([, bundle]) => bundle.has('index.html')));
  return {
    byVersion: new Map(found.find((layout) => layout.length > 0)),
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}
