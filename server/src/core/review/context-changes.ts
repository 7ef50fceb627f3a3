// Where the contexts of entry code change from one statement to the next: what inlay hints show. Only what differs is told,
// and only where both sides are reached and one runs into the other.
import type { Span } from '../base/span.ts';
import type { ContextChange } from '../context-types.ts';
import type { PathStart } from '../contexts/entry-start.ts';
import type { CodeNode, NodeId } from '../machine/code.ts';
import type { Program } from '../program/program.ts';
import { nodesOf, projectionOf } from './kernel-context.ts';
import type { KernelProgram, KernelRun } from './kernel-run.ts';

/** The text of a statement, or of a macro use, with the nodes that begin it. */
interface Statement {
  readonly span: Span;
  readonly heads: readonly NodeId[];
  /** The nodes behind it in the program; none where it is not run past. */
  readonly next: readonly NodeId[];
}

const FIELDS = ['stack', 'GS', 'CR3', 'IF'] as const;
type Field = (typeof FIELDS)[number];

/** A way to be at a statement, by where it began. */
interface Way {
  readonly start: PathStart;
  readonly values: Readonly<Record<Field, string>>;
}

/** Of more values a hint says nothing: whoever wants them all has the hover. */
const MOST_VALUES = 2;
/** Values that a hint names: no expressions. */
const PLAIN: Readonly<Record<Field, RegExp>> = { stack: /^(?!unknown)\w+(?: RSP)?$/, GS: /^(?:kernel|user)$/, CR3: /^(?:kernel|user)$/, IF: /^[01]$/ };
const ENDS = /^(?:jmp|ret|iret|sysret|sysexit|eret|ud[012]|hlt)/;

/** The changes that begin in a span of a file, of paths that are explored. */
export function contextChanges(programs: readonly KernelProgram[], runs: readonly KernelRun[], file: string, text: string, span: Span): readonly ContextChange[] {
  const changes = new Map<number, ContextChange>();
  programs.forEach(({ program }, index) => {
    const run = runs[index];
    if (run === undefined) return;
    const known = new Map<Statement, readonly Way[]>();
    const waysTo = (statement: Statement): readonly Way[] => {
      const ways = known.get(statement) ?? waysOf(program, run, statement);
      known.set(statement, ways);
      return ways;
    };
    const statements = statementsIn(program, file);
    statements.forEach((one, at) => {
      const next = statements[at + 1];
      if (one.span.end < span.start || one.span.start > span.end || next === undefined || !one.next.some((id) => next.heads.includes(id))) return;
      const fields = FIELDS.flatMap((field) => changed(field, waysTo(one), waysTo(next)) ?? []);
      const offset = endOfTargets(text, one.span.end, next.span.start);
      // The tree's own configuration comes first.
      if (fields.length === 0 || changes.has(offset)) return;
      changes.set(offset, { offset, text: fields.map(({ field, after }) => `${field} ${after}`).join(', '), tip: fields.map(({ field, before, after }) => `${field}: ${before} -> ${after}`).join('\n') });
    });
  });
  return [...changes.values()].sort((a, b) => a.offset - b.offset);
}

/** A field that is otherwise for paths that come to both: a replacement is there on some CPUs, and no change for the others. */
function changed(field: Field, ways: readonly Way[], next: readonly Way[]): { readonly field: Field; readonly before: string; readonly after: string } | null {
  const [here, there] = [byStart(field, ways), byStart(field, next)];
  const both = [...here.keys()].filter((start) => there.has(start));
  if (both.every((start) => textOf(here.get(start)) === textOf(there.get(start)))) return null;
  // One way stands for others behind a place where all become the same: what was before is told of all that were there.
  const cpus = new Set(next.map(({ start }) => start.variant));
  const [before, after] = [ways.filter(({ start }) => cpus.has(start.variant)), next].map((some) => [...new Set(some.map(({ values }) => values[field]))].sort());
  if (before === undefined || after === undefined || after.length > MOST_VALUES || after.some((value) => !PLAIN[field].test(value)) || before.join() === after.join()) return null;
  return { field, before: before.join(' or '), after: after.join(' or ') };
}

function byStart(field: Field, ways: readonly Way[]): ReadonlyMap<PathStart, readonly string[]> {
  const starts = new Map<PathStart, string[]>();
  for (const { start, values } of ways) starts.set(start, [...(starts.get(start) ?? []), values[field]]);
  return starts;
}

function textOf(values: readonly string[] = []): string {
  return [...new Set(values)].sort().join();
}

function waysOf(program: Program, { analysis }: KernelRun, { heads }: Statement): readonly Way[] {
  return heads.flatMap((id) => analysis.reached(id)).map((reached) => {
    const { stack, gs, cr3, interruptFlag } = projectionOf(program, analysis, reached);
    return { start: reached.start, values: { stack, GS: gs, CR3: cr3.replace(/ CR3$/, ''), IF: interruptFlag } };
  });
}

const byProgram = new WeakMap<Program, Map<string, readonly Statement[]>>();

/** In the order of the text; what lies inside another is left out. */
function statementsIn(program: Program, file: string): readonly Statement[] {
  const files = byProgram.get(program) ?? new Map<string, readonly Statement[]>();
  byProgram.set(program, files);
  const known = files.get(file);
  if (known !== undefined) return known;
  const places = new Map<string, { readonly span: Span; readonly own: boolean; readonly nodes: CodeNode[] }>();
  const add = (span: Span, own: boolean, node: CodeNode): void => {
    const key = `${span.start}-${span.end}`;
    const place = places.get(key) ?? { span, own, nodes: [] };
    places.set(key, place);
    place.nodes.push(node);
  };
  for (const node of nodesOf(program, file)) {
    if (node.origin.file === file) add(node.origin.span, true, node);
    for (const use of node.origin.uses) if (use.file === file) add(use.span, false, node);
  }
  const made: Statement[] = [];
  for (const { span, own, nodes } of [...places.values()].sort((a, b) => a.span.start - b.span.start || b.span.end - a.span.end)) {
    if (span.start < (made.at(-1)?.span.end ?? 0)) continue;
    const ids = new Set(nodes.map(({ id }) => id));
    const heads = own ? nodes : nodes.filter(({ id }) => !ids.has(id - 1));
    const ends = nodes.filter((node) => !ids.has(node.id + 1) && !(node.kind === 'instruction' && ENDS.test(node.mnemonic)));
    made.push({ span, heads: heads.map(({ id }) => id), next: ends.map(({ id }) => id + 1) });
  }
  files.set(file, made);
  return made;
}

/** Behind the last label between two statements that jumps go to, where others come in; else behind the first of them. */
function endOfTargets(text: string, from: number, to: number): number {
  const between = text.slice(from, to);
  let last = 0;
  for (const label of between.matchAll(/^[ \t]*([\w.$]+)(\\@)?:/gm)) if (isTarget(text, label[1] ?? '')) last = label.index + label[0].length;
  return from + last;
}

function isTarget(text: string, label: string): boolean {
  return new RegExp(`\\bj\\w+[ \\t][^\\n]*(?<![\\w.$])${label.replaceAll(/[.$]/g, '\\$&')}${/^\d+$/.test(label) ? '[fb]' : ''}(?![\\w$])`).test(text);
}
