// What stops a replay: lines, functions, watched values, events that arrive and invariants that break. Each is a set of
// positions, found when it is looked at.
import type { Invariant, Playback, Watch } from '../core/review-types.ts';
import type { Places } from './places.ts';

export interface Stop {
  readonly reason: 'breakpoint' | 'function breakpoint' | 'data breakpoint' | 'exception';
  /** One sentence for the reader. */
  readonly text: string;
  /** Breakpoints that were hit. */
  readonly ids: readonly number[];
  /** Of an exception: the rule, invariant or vector. */
  readonly exception: string;
}

/** What a client is told of a breakpoint that it set. */
export interface Verified {
  readonly id: number;
  readonly verified: boolean;
  /** Counted from 0. */
  readonly line: number | null;
  readonly message: string | null;
}

export interface ExceptionChoice {
  readonly filter: string;
  /** Vectors or rules, `NMI, #VE`; empty for all. */
  readonly condition: string;
}

export const ARRIVES = 'arrives';
export const JUDGED = 'judged';

interface AtNodes {
  readonly id: number;
  readonly nodes: ReadonlySet<number>;
  readonly text: string;
}

interface Watched {
  readonly id: number;
  readonly watch: Watch;
  readonly name: string;
}

/** What is set, with the numbers that the client knows it by: it is set again on another replay. */
export interface Settings {
  readonly lines: ReadonlyMap<string, readonly Numbered<number>[]>;
  readonly functions: readonly Numbered<string>[];
  readonly watched: readonly Numbered<WatchedName>[];
  readonly exceptions: readonly ExceptionChoice[];
  /** The highest number so far. */
  readonly made: number;
}

interface Numbered<T> {
  readonly id: number;
  readonly wanted: T;
}

interface WatchedName {
  readonly watch: Watch | null;
  readonly name: string;
}

export interface Breakpoints {
  readonly setLines: (file: string, lines: readonly number[]) => readonly Verified[];
  readonly setFunctions: (names: readonly string[]) => readonly Verified[];
  readonly setWatched: (all: readonly WatchedName[]) => readonly Verified[];
  readonly setExceptions: (choices: readonly ExceptionChoice[]) => void;
  readonly at: (position: number) => Stop | null;
  readonly settings: () => Settings;
  /** All of them as they are on this replay. */
  readonly verified: () => readonly Verified[];
}

export const NO_SETTINGS: Settings = { lines: new Map(), functions: [], watched: [], exceptions: [], made: 0 };

export function createBreakpoints(playback: Playback, places: Places, invariants: readonly Invariant[], side: 'before' | 'after', before: Settings): Breakpoints {
  let settings: Settings = before;
  const lines = new Map<string, readonly AtNodes[]>();
  let functions: readonly AtNodes[] = [];
  let watched: readonly Watched[] = [];
  let exceptions = new Map<string, readonly string[]>();
  let reached: ReadonlySet<number> | null = null;

  const restored: readonly Verified[] = [...[...before.lines].flatMap(([file, all]) => putLines(file, all)), ...putFunctions(before.functions), ...putWatched(before.watched)];
  putExceptions(before.exceptions);

  function numbered<T>(all: readonly T[]): readonly Numbered<T>[] {
    const from = settings.made;
    settings = { ...settings, made: from + all.length };
    return all.map((wanted, index) => ({ id: from + index + 1, wanted }));
  }

  function passes(node: number): boolean {
    reached ??= new Set(Array.from({ length: playback.steps + 1 }, (_, position) => playback.node(position)));
    return reached.has(node);
  }

  /** The line itself where it has code, else the next one that the trace comes to. */
  function verify(file: string, { id, wanted: line }: Numbered<number>): { readonly at: AtNodes | null; readonly told: Verified } {
    const code = places.codeByLine(playback, file);
    const own = code.get(line);
    if (own !== undefined && [...own].some(passes)) return verified(id, file, line, own);
    if (own !== undefined) return { at: null, told: { id, verified: false, line: null, message: 'the trace does not come to this line' } };
    const later = [...code.keys()].filter((one) => one > line && [...(code.get(one) ?? [])].some(passes)).sort((a, b) => a - b)[0];
    const nodes = later === undefined ? undefined : code.get(later);
    if (later === undefined || nodes === undefined) return { at: null, told: { id, verified: false, line: null, message: code.size === 0 ? 'no code of this trace is in this file' : 'the trace comes to no line from here on' } };
    return verified(id, file, later, nodes);
  }

  function verified(id: number, file: string, line: number, nodes: ReadonlySet<number>): { readonly at: AtNodes; readonly told: Verified } {
    return { at: { id, nodes, text: places.short(file, line) }, told: { id, verified: true, line, message: null } };
  }

  /** Comes to a line anew: not by its next instruction, and not back from what it called or what interrupted it. */
  function comesTo(nodes: ReadonlySet<number>, position: number): boolean {
    const node = playback.node(position);
    if (!nodes.has(node)) return false;
    let before = position - 1;
    const depth = playback.depth(position);
    while (before >= 0 && playback.depth(before) > depth) before -= 1;
    if (before < 0 || playback.depth(before) < depth) return true;
    const from = playback.node(before);
    return !nodes.has(from) || node < from;
  }

  function exceptionAt(position: number): Stop | null {
    if (exceptions.size === 0) return null;
    const done = playback.done(position);
    for (const name of done.broken) {
      const invariant = invariants.find((one) => one.name === name);
      if (exceptions.has(name)) return { reason: 'exception', text: done.told ?? invariant?.why ?? name, ids: [], exception: name };
    }
    const rules = exceptions.get(JUDGED);
    const spoken = rules === undefined ? undefined : done.judged.find(({ rule }) => rules.length === 0 || rules.includes(rule.toLowerCase()));
    if (spoken !== undefined) return { reason: 'exception', text: spoken.message, ids: [], exception: spoken.rule };
    const vectors = exceptions.get(ARRIVES);
    const arrived = vectors === undefined ? undefined : done.arrived.find((vector) => vectors.length === 0 || vectors.includes(plainVector(vector)));
    return arrived === undefined ? null : { reason: 'exception', text: done.told ?? `${arrived} arrives`, ids: [], exception: arrived };
  }

  function putLines(file: string, wanted: readonly Numbered<number>[]): readonly Verified[] {
    const all = wanted.map((one) => verify(file, one));
    lines.set(file, all.flatMap(({ at }) => (at === null ? [] : [at])));
    return all.map(({ told }) => told);
  }

  function putFunctions(wanted: readonly Numbered<string>[]): readonly Verified[] {
    const all = wanted.map(({ id, wanted: name }): { readonly at: AtNodes | null; readonly told: Verified } => {
      const node = playback.entryOf(name.trim().replace(/\(\)$/, ''));
      const told = (message: string | null): Verified => ({ id, verified: message === null, line: null, message });
      if (node === null) return { at: null, told: told(`no function or stub ${name} is in this program`) };
      if (!passes(node)) return { at: null, told: told(`the trace does not come to ${name}`) };
      return { at: { id, nodes: new Set([node]), text: name }, told: told(null) };
    });
    functions = all.flatMap(({ at }) => (at === null ? [] : [at]));
    return all.map(({ told }) => told);
  }

  function putWatched(wanted: readonly Numbered<WatchedName>[]): readonly Verified[] {
    watched = wanted.flatMap(({ id, wanted: { watch, name } }): Watched[] => (watch === null ? [] : [{ id, watch, name }]));
    return wanted.map(({ id, wanted: { watch, name } }) => ({ id, verified: watch !== null, line: null, message: watch === null ? `${name} is nothing that can be watched` : null }));
  }

  function putExceptions(choices: readonly ExceptionChoice[]): void {
    exceptions = new Map(choices.map(({ filter, condition }) => [filter, condition.split(/[,\s]+/).filter((word) => word !== '').map(filter === ARRIVES ? plainVector : (word) => word.toLowerCase())]));
  }

  return {
    setLines: (file, wanted) => {
      const all = numbered(wanted);
      settings = { ...settings, lines: new Map([...settings.lines, [file, all]]) };
      return putLines(file, all);
    },
    setFunctions: (names) => {
      const all = numbered(names);
      settings = { ...settings, functions: all };
      return putFunctions(all);
    },
    setWatched: (wanted) => {
      const all = numbered(wanted);
      settings = { ...settings, watched: all };
      return putWatched(all);
    },
    setExceptions: (choices) => {
      settings = { ...settings, exceptions: choices };
      putExceptions(choices);
    },
    settings: () => settings,
    verified: () => restored,
    at: (position) => {
      const exception = exceptionAt(position);
      if (exception !== null) return exception;
      const written = side === 'after' ? position : position + 1;
      const changed = watched.filter(({ watch }) => written <= playback.steps && playback.changes(written, watch));
      if (changed.length > 0) return { reason: 'data breakpoint', text: changed.map(({ name }) => `${name} ${side === 'after' ? 'changed' : 'is about to change'}`).join(', '), ids: changed.map((one) => one.id), exception: '' };
      const hit = [...lines.values()].flat().filter(({ nodes }) => comesTo(nodes, position));
      if (hit.length > 0) return { reason: 'breakpoint', text: hit.map(({ text }) => text).join(', '), ids: hit.map((one) => one.id), exception: '' };
      const entered = functions.filter(({ nodes }) => comesTo(nodes, position));
      return entered.length === 0 ? null : { reason: 'function breakpoint', text: entered.map(({ text }) => text).join(', '), ids: entered.map((one) => one.id), exception: '' };
    },
  };
}

/** `#VE`, `ve` and `VE` are one. */
function plainVector(name: string): string {
  return name.replace(/^#/, '').toUpperCase();
}
