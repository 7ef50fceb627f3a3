// Results that took long, kept with what they rest on: found again as long as the same question would read the same texts.
// In the user's cache folder, or in memory where there is none. Knows nothing of what a result is.
import { createHash } from 'node:crypto';
import { readdirSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { readOwn, writeOwn } from './cache-folder.ts';
import { answersAs } from './seen.ts';
import type { Seen } from './seen.ts';
import type { NodeWorkspace } from './workspace.ts';

/** Results on the disk: of a few kernel trees with the patches that are being written for them. */
const KEPT = 200;

/** Everything that a result depends on beside the texts: what is asked, in words, and how the answer is shaped. */
export type Question = readonly (string | number | boolean | null)[];

export interface Kept {
  /** The result of the question over the texts as the workspace has them now, or null. */
  readonly find: <Result>(question: Question, workspace: NodeWorkspace) => Result | null;
  /** `seen` null says that it rests on texts that were changing. Results are plain data. */
  readonly keep: (question: Question, seen: Seen | null, result: object) => void;
}

interface Entry {
  readonly seen: Seen;
  readonly result: object;
}

/** `folder` null keeps in memory alone. `program` are the files whose code gives the results: another build has its own. */
export function createKept(folder: string | null, program: readonly string[]): Kept {
  const build = folder === null ? '' : buildOf(program);
  const nameOf = (question: Question): string => digest(JSON.stringify([build, question])).slice(0, 24);
  const store = folder === null ? inMemory() : onDisk(join(folder, 'results'));
  return {
    find: <Result>(question: Question, workspace: NodeWorkspace): Result | null =>
      // What is kept under a question was made as its answer: the build that made it is part of the name.
      store.find(nameOf(question), ({ seen }) => answersAs(seen, workspace)) as Result | null,
    keep: (question, seen, result) => {
      if (seen !== null) store.keep(nameOf(question), { seen, result });
    },
  };
}

interface Store {
  readonly find: (name: string, isOf: (entry: Entry) => boolean) => object | null;
  readonly keep: (name: string, entry: Entry) => void;
}

function inMemory(): Store {
  const entries = new Map<string, Entry[]>();
  return {
    find: (name, isOf) => entries.get(name)?.find(isOf)?.result ?? null,
    keep: (name, entry) => void entries.set(name, [...(entries.get(name) ?? []), entry]),
  };
}

function onDisk(home: string): Store {
  return {
    find: (name, isOf) => {
      for (const file of filesOf(home, name)) {
        const entry = readEntry(file);
        if (entry === null || !isOf(entry)) continue;
        touch(file);
        return entry.result;
      }
      return null;
    },
    keep: (name, entry) => {
      const body = deflateRawSync(serialize(entry), { level: 1 });
      const bytes = Buffer.concat([Buffer.from(digest(body), 'hex'), body]);
      writeOwn(join(home, `${name}-${digest(body).slice(0, 24)}`), bytes, '', KEPT);
    },
  };
}

function digest(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

function buildOf(program: readonly string[]): string {
  return [process.version, ...program.map((file) => {
    const { size, mtimeMs } = statSync(file);
    return `${file} ${size} ${mtimeMs}`;
  })].join('\n');
}

/** The youngest first. */
function filesOf(home: string, name: string): readonly string[] {
  try {
    return readdirSync(home).filter((one) => one.startsWith(`${name}-`)).map((one) => join(home, one)).map((file) => ({ file, time: statSync(file).mtimeMs })).sort((a, b) => b.time - a.time).map(({ file }) => file);
  } catch {
    return [];
  }
}

/** null where it is damaged, or not ours. */
function readEntry(file: string): Entry | null {
  const bytes = readOwn(file);
  const body = bytes?.subarray(32);
  if (bytes === null || body === undefined || digest(body) !== bytes.subarray(0, 32).toString('hex')) return null;
  try {
    return deserialize(inflateRawSync(body)) as Entry;
  } catch {
    return null;
  }
}

/** The files that are found stay longest. */
function touch(file: string): void {
  try {
    const now = new Date();
    utimesSync(file, now, now);
  } catch {
    // It stays as long as its age lets it.
  }
}
