// XR-DB02: a gate that user code reaches with an instruction has an IST stack on which another event also starts, one
// that may arrive at the first instruction of its stub.
import type { Place } from '../base/span.ts';
import { vectorTitle } from '../machine/vectors.ts';
import type { Handler } from '../program/program.ts';
import type { Tree, TreeGate } from '../tree/tree.ts';
import type { Fix, Premise } from './finding.ts';
import type { Inspection, Judgement, Rule } from './rule.ts';
import { findings } from './tree-entries.ts';
import { gatePlace } from './vocabulary.ts';

/** Events that IF does not hold off; #DB waits behind MOV SS for the first instruction of the handler (DB-06). */
const FIRST = new Map([[1, 'a #DB held back by MOV SS'], [2, 'an NMI'], [18, 'a machine check'], [29, 'a #VC']]);
const BY_NAME = new Map([['X86_TRAP_DB', 1], ['X86_TRAP_NMI', 2], ['X86_TRAP_BP', 3], ['X86_TRAP_OF', 4], ['X86_TRAP_MC', 18], ['X86_TRAP_VC', 29]]);
/** INT3 and INTO are of no use but to user code: their gates have DPL 3 where nothing else is said. */
const OF_USER_CODE = new Set([3, 4]);

function messageOf(vector: string, stack: string, other: string, event: string): string {
  return `${vector} may be raised by user code and shares the IST stack ${stack} with ${other}: ${event} arrives at the first instruction of its stub and overwrites its frame; give ${vector} no IST stack`;
}

/** Whether two vectors of one stack are this rule's business, and which of them is the one that user code reaches. */
export function userReachable<T extends { readonly vector: number; readonly dpl: 0 | 3 }>(a: T, b: T): { readonly trap: T; readonly first: T } | null {
  for (const [trap, first] of [[a, b], [b, a]] as const) {
    if (trap.vector !== first.vector && (trap.dpl === 3 || OF_USER_CODE.has(trap.vector)) && FIRST.has(first.vector)) return { trap, first };
  }
  return null;
}

/** The pairs of a list of handlers or rows on one stack. */
function pairs<T>(all: readonly T[], stackOf: (one: T) => string | null): readonly (readonly [T, T])[] {
  return all.flatMap((one, index) => all.slice(index + 1).filter((other) => stackOf(one) !== null && stackOf(one) === stackOf(other)).map((other) => [one, other] as const));
}

function inspect({ program }: Inspection): readonly Judgement[] {
  if (program.delivery === 'fred') return [];
  return pairs(program.handlers, (handler) => handler.ist.value).flatMap((pair): readonly Judgement[] => {
    const found = userReachable<Handler>(...pair);
    const place = found === null ? null : gatePlace(program, found.trap);
    if (found === null || place === null) return [];
    const { trap, first } = found;
    const other = gatePlace(program, first);
    return [{
      place,
      message: messageOf(vectorTitle(trap.vector), trap.ist.value ?? '', vectorTitle(first.vector), FIRST.get(first.vector) ?? ''),
      premises: [dplPremise(trap, place)],
      related: other === null ? [] : [{ place: other, message: `${vectorTitle(first.vector)} uses it too` }],
    }];
  });
}

function dplPremise(trap: Handler, place: Place): Premise {
  return trap.dpl === 3 ? { fact: `the gate of ${vectorTitle(trap.vector)} has DPL 3`, place, assumed: false } : { fact: `${vectorTitle(trap.vector)} is raised by an instruction that user code has`, place: null, assumed: false };
}

export function userReachableRows(a: TreeGate, b: TreeGate): { readonly trap: TreeGate; readonly first: TreeGate } | null {
  const found = userReachable(numbered(a), numbered(b));
  return found === null ? null : { trap: found.trap.gate, first: found.first.gate };
}

/** Vectors that are nothing to this rule by number count as one. */
function numbered(gate: TreeGate): { readonly vector: number; readonly dpl: 0 | 3; readonly gate: TreeGate } {
  return { vector: BY_NAME.get(gate.vector) ?? -1, dpl: gate.dpl3 ? 3 : 0, gate };
}

/** In a tree: the rows of the IDT tables. */
function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  // A row that is there twice is one.
  const rows = [...new Map(tree.gates.map((gate) => [`${gate.table} ${gate.vector} ${gate.ist ?? ''} ${gate.dpl3}`, gate])).values()];
  for (const pair of pairs(rows, (gate) => gate.ist)) {
    const both = userReachableRows(...pair);
    if (both === null) continue;
    const { trap, first } = both;
    found.place(trap.place, messageOf(trap.vector, trap.ist ?? '', first.vector, FIRST.get(BY_NAME.get(first.vector) ?? -1) ?? ''), { related: [{ place: first.place, message: `${first.vector} uses it too` }] });
  }
  return found.all();
}

/** A row of a table becomes one without an IST stack, an annotation loses its word. */
function fix(place: Place, { text }: Inspection): Fix | null {
  const source = text(place.file);
  if (source === null) return null;
  const from = source.lastIndexOf('\n', place.span.start - 1) + 1;
  const end = source.indexOf('\n', place.span.start);
  const line = source.slice(from, end === -1 ? source.length : end);
  const row = /\b(?:ISTG|G)\((\s*\w+,\s*\w+),[^()]*\)/.exec(line);
  const word = /\bist=\w+/.exec(line);
  const edit = row !== null ? { at: row.index, length: row[0].length, newText: `SYSG(${row[1] ?? ''})` } : word !== null ? { at: word.index, length: word[0].length, newText: 'ist=none' } : null;
  if (edit === null) return null;
  return { title: 'Give the gate no IST stack', edits: [{ place: { file: place.file, span: { start: from + edit.at, end: from + edit.at + edit.length } }, newText: edit.newText }] };
}

const table = (row: string): string => `static const struct idt_data demo_idts[] = {
	ISTG(X86_TRAP_DB, asm_exc_debug, IST_INDEX_DB),
	${row}
};
`;

const handlers = (ist: string, mark: string): string => `/* xctx: handler vector=DB ist=DB */
void demo_debug(struct pt_regs *regs)
{
	u64 dr6 = debug_read_reset_dr6();
}

/* xctx: handler vector=BP dpl=3 ist=${ist} */${mark}
void demo_int3(struct pt_regs *regs)
{
}
`;

export const istOnUserReachableTrap: Rule = {
  name: 'ist-on-user-reachable-trap',
  id: 'XR-DB02',
  group: '#DB',
  severity: 'error',
  summary: 'a gate for user code shares its IST stack with an event that arrives at its first instruction',
  why: 'MOV SS and POP SS hold a #DB back until the instruction behind them is done. Where that is INT3, the #DB arrives at the first instruction of the handler of #BP, in kernel mode. On one IST stack it starts over at the top and overwrites the frame from user mode with one from the kernel (CVE-2018-8897); an NMI or a machine check there does the same.',
  instead: 'SYSG, a gate without an IST stack, for all that user code may raise; an IST stack of its own for each event that may hit the entry code.',
  falsePositives: ['FRED, whose stack levels do not start over.', 'A gate for user code with a stack of its own, which ist-gate-unfit speaks of.'],
  references: ['CVE-2018-8897', 'Linux commit d8ba61ba58c8', 'SDM vol. 3A, "Masking Exceptions and Interrupts When Switching Stacks"', 'semantics DB-06, IDT-04'],
  bad: [
    { title: '#BP on the stack of #DB, as annotations', files: { 'design.c': handlers('DB', ' //~ ist-on-user-reachable-trap') } },
    { title: '#BP on the stack of #DB, as rows', files: { 'idt.c': table('G(X86_TRAP_BP, asm_exc_int3, IST_INDEX_DB + 1, GATE_INTERRUPT, DPL3, __KERNEL_CS), //~ ist-on-user-reachable-trap') } },
  ],
  good: [
    { title: '#BP without an IST stack', files: { 'design.c': handlers('none', '') } },
    { title: 'SYSG', files: { 'idt.c': table('SYSG(X86_TRAP_BP, asm_exc_int3),') } },
  ],
  judge: null,
  inspect,
  examine,
  only64: true,
  fix,
};
