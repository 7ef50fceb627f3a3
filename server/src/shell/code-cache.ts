// Runs a bundle with the machine code that V8 made of it the last time, kept in the user's own cache folder: what is
// started often compiles once. Where the folder cannot be used or trusted the bundle is compiled as ever.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { Script } from 'node:vm';

/** Files of one bundle that are kept: of several versions of the program or of Node. */
const KEPT = 4;
/** Milliseconds after which what was run is worth keeping. */
const settled = 5000;

type Environment = Readonly<Record<string, string | undefined>>;

/** The cache folder of the program; null where there is none, or where ENTRYCHECK_CACHE is `off`. */
export function cacheFolder(environment: Environment, platform: string, home: string): string | null {
  const chosen = environment['ENTRYCHECK_CACHE'] ?? '';
  if (chosen === 'off') return null;
  if (chosen !== '') return chosen;
  const general = environment['XDG_CACHE_HOME'] ?? '';
  if (general !== '') return join(general, 'entrycheck');
  if (platform === 'win32') return (environment['LOCALAPPDATA'] ?? '') === '' ? null : join(environment['LOCALAPPDATA'] ?? '', 'entrycheck');
  if (home === '' || home === '/') return null;
  return platform === 'darwin' ? join(home, 'Library/Caches/entrycheck') : join(home, '.cache/entrycheck');
}

/** V8 checks its own version and flags, and of the text the length alone: the rest is in the name. */
function cacheFile(folder: string, bundle: string): string {
  const { size, mtimeMs } = statSync(bundle);
  const key = createHash('sha256').update([bundle, size, mtimeMs, process.version, process.arch].join('\n')).digest('hex').slice(0, 16);
  return join(folder, 'code', `${basename(bundle, '.js')}-${key}`);
}

/** Nobody else may have put code there. */
function isOwn(path: string): boolean {
  const { uid, mode } = statSync(path);
  return process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0);
}

function readCode(file: string): Buffer | null {
  try {
    return isOwn(dirname(file)) && isOwn(file) ? readFileSync(file) : null;
  } catch {
    return null;
  }
}

/** Whole or not at all; other processes may write at the same time. */
export function writeCode(file: string, code: Buffer): void {
  try {
    const folder = dirname(file);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (!isOwn(folder)) return;
    const made = `${file}.${process.pid}`;
    writeFileSync(made, code, { mode: 0o600 });
    renameSync(made, file);
    const prefix = basename(file).replace(/-[^-]*$/, '-');
    const old = readdirSync(folder).filter((name) => name.startsWith(prefix)).map((name) => ({ name, time: statSync(join(folder, name)).mtimeMs })).sort((a, b) => b.time - a.time);
    for (const { name } of old.slice(KEPT)) rmSync(join(folder, name), { force: true });
  } catch {
    // A cache that cannot be written is none.
  }
}

/** `atEnd`: the process is a short one, and its code is kept when it ends. */
export function runBundle(bundle: string, atEnd: boolean): void {
  const source = readFileSync(bundle, 'utf8').replace(/^#!.*/, '');
  const folder = cacheFolder(process.env, process.platform, homedir());
  const file = folder === null ? null : cacheFile(folder, bundle);
  const code = file === null ? null : readCode(file);
  const script = new Script(Module.wrap(source), { filename: bundle, ...(code === null ? {} : { cachedData: code }) });
  if (file !== null && (code === null || script.cachedDataRejected === true)) {
    const keep = (): void => writeCode(file, script.createCachedData());
    if (atEnd) process.once('exit', keep);
    else setTimeout(keep, settled).unref();
  }
  const module = new Module(bundle);
  module.filename = bundle;
  const run = script.runInThisContext() as (this: unknown, exports: unknown, require: NodeJS.Require, module: Module, file: string, folder: string) => void;
  run.call(module.exports, module.exports, createRequire(bundle), module, bundle, dirname(bundle));
}
