// Patches laid over the files of the disk in memory: what is there before them and after each, and what only they bring.
import { existsSync, readFileSync } from 'node:fs';
import { unreachable } from '../core/base/unreachable.ts';
import { onDisk } from '../shell/workspace.ts';
import { applyHunks, isBare, onlyShown, reversed, takeBackHunks } from './patch.ts';
import type { FilePatch, Misfit, Patch } from './patch.ts';

export interface PatchedTree {
  /** Texts before the first patch, where the disk has others: the patches are in the tree already. */
  readonly before: ReadonlyMap<string, string>;
  /** Texts after each patch of the series, by path from the current folder; the last is the result. */
  readonly states: readonly ReadonlyMap<string, string>[];
  /** Files that some patch touches and that are there in the end. */
  readonly touched: readonly string[];
  /** Of those, the ones of which nothing but what patches show is at hand. */
  readonly partial: ReadonlySet<string>;
  /** What each patch calls otherwise, by the path before it. */
  readonly renamed: readonly ReadonlyMap<string, string>[];
  readonly notes: readonly PatchNote[];
}

/** What is to be known of how patches were laid over the tree. */
export interface PatchNote {
  /** `partial`: not the whole of a file is at hand. */
  readonly kind: 'in the tree' | 'partial';
  readonly text: string;
}

/** Folders upwards in which the paths of a patch are looked for. */
const MOST_UP = 12;

/** The prefix for which a path of the patches exists: patches count from the root of a tree. */
function rootOf(patches: readonly Patch[], cwd: string): string {
  const old = patches.flatMap(({ files }) => files.flatMap(({ from }) => from ?? []));
  let prefix = '';
  for (let up = 0; up <= MOST_UP; up += 1) {
    if (old.some((path) => existsSync(onDisk(cwd, prefix + path)))) return prefix;
    prefix += '../';
  }
  return '';
}

type Named = readonly { readonly name: string; readonly patch: Patch }[];

/** A sentence where the patches neither fit the tree nor are in it. */
export function applyPatches(patches: Named, cwd: string): PatchedTree | string {
  const tree = layOver(patches, cwd, applyHunks);
  // Lines that are added without any around them fit everywhere, where they are already too.
  const sure = !patches.some(({ patch }) => patch.files.some(({ from, hunks }) => from !== null && hunks.some((hunk) => isBare(hunk) && hunk.lines[0]?.kind === '+')));
  if (typeof tree !== 'string' && tree.partial.size === 0 && sure) return tree;
  const taken = layOver([...patches].reverse().map(({ name, patch }) => ({ name, patch: reversed(patch) })), cwd, takeBackHunks);
  if (typeof taken === 'string' || taken.partial.size > 0) return tree;
  const [before = new Map<string, string>(), ...between] = [...taken.states].reverse();
  const there = new Set(patches.flatMap(({ patch }) => patch.files.flatMap(({ to }) => (to === null ? [] : [taken.prefix + to]))));
  const renamed = renamedBy(patches, taken.prefix);
  return { before, renamed, states: [...between, new Map()], touched: [...there].filter((path) => existsSync(onDisk(cwd, path))), partial: new Set(), notes: [{ kind: 'in the tree', text: 'the patches are in the tree already: what they brought is shown' }] };
}

function renamedBy(patches: Named, prefix: string): readonly ReadonlyMap<string, string>[] {
  return patches.map(({ patch }) => new Map(patch.files.flatMap(({ from, to, copied }) => (from === null || to === null || from === to || copied ? [] : [[prefix + from, prefix + to] as const]))));
}

function layOver(patches: Named, cwd: string, lay: typeof applyHunks): (PatchedTree & { readonly prefix: string }) | string {
  const prefix = rootOf(patches.map(({ patch }) => patch), cwd);
  const states: ReadonlyMap<string, string>[] = [];
  const notes: string[] = [];
  const touched = new Set<string>();
  /** Files of which nothing but what patches show is at hand. */
  const partial = new Set<string>();
  let now: ReadonlyMap<string, string> = new Map();
  for (const { name, patch } of patches) {
    const next = new Map(now);
    for (const file of patch.files) {
      const problem = applyFile(file, next, prefix, cwd, name, notes, touched, partial, lay);
      if (problem !== null) return problem;
    }
    states.push(next);
    now = next;
  }
  return { before: new Map(), states, touched: [...touched], partial, renamed: renamedBy(patches, prefix), notes: [...new Set(notes)].map((text) => ({ kind: 'partial', text })), prefix };
}

function applyFile(file: FilePatch, texts: Map<string, string>, prefix: string, cwd: string, name: string, notes: string[], touched: Set<string>, partial: Set<string>, lay: typeof applyHunks): string | null {
  const from = file.from === null ? null : prefix + file.from;
  const to = file.to === null ? null : prefix + file.to;
  const before = from === null ? '' : (texts.get(from) ?? textOf(onDisk(cwd, from)));
  // Deleted, or called something else from now on.
  if (from !== null && from !== to && !file.copied) {
    texts.set(from, '');
    touched.delete(from);
  }
  if (to === null) return null;
  if ((from === null || (file.copied && from !== to)) && (texts.get(to) ?? textOf(onDisk(cwd, to)) ?? '') !== '') return `${name}: ${to} is there, and the patch makes it; check out what the patch is made for, without the patch`;
  touched.add(to);
  if (before === null) {
    notes.push(`${name}: ${file.from ?? ''} is not below the current folder: only the lines that the patch shows of it are reviewed; run this at the root of the tree`);
    partial.add(to);
    texts.set(to, onlyShown(file.hunks));
    return null;
  }
  const after = lay(before, file.hunks);
  if (typeof after !== 'string' && partial.has(to)) {
    texts.set(to, onlyShown(file.hunks));
    return null;
  }
  if (typeof after !== 'string') return `${name}:${after.hunk.at}: the hunk does not apply to ${to}: ${missingText(after)}; check out what the patch is made for, without the patch`;
  texts.set(to, after);
  return null;
}

function missingText({ hunk, expected, where }: Misfit): string {
  switch (where) {
    case 'near':
      return `near line ${hunk.oldStart} there is no '${expected.trim()}'`;
    case 'first':
      return `it changes the beginning of the file, which is not '${expected.trim()}'`;
    case 'last':
      return `it changes the end of the file, which is not '${expected.trim()}'`;
    default:
      return unreachable(where);
  }
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
