// XR-STK12: an exception with a stub has no gate, a gate calls the stub of another vector, or programs may not use one that
// they need.
import type { Place } from '../base/span.ts';
import { vectorByName } from '../machine/vectors.ts';
import { X86_32 } from '../tree/kernel-32.ts';
import type { Tree, TreeFunction, TreeGate } from '../tree/tree.ts';
import type { Judgement } from './rule.ts';
import { findings, treeRule } from './tree-entries.ts';
import type { Findings } from './tree-entries.ts';

/** Vectors that programs raise by an instruction: INT3, INTO and the system call. */
export const forPrograms = /^(?:X86_TRAP_BP|X86_TRAP_OF|IA32_SYSCALL_VECTOR)$/;
/** No vectors of hardware, for Linux. */
const soft = /^X86_TRAP_(?:OTHER|IRET)$/;
/** Delivered as another type, or of processors that have no FRED. */
const notOfFred = /^X86_TRAP_(?:BP|OF|NMI|OLD_MF|SPURIOUS)$/;

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  const rows = new Map<string, TreeGate[]>();
  for (const gate of tree.gates) {
    const own = rows.get(gate.vector);
    if (own === undefined) rows.set(gate.vector, [gate]);
    else own.push(gate);
  }
  // Of a vector with several stubs (Xen PV has its own) one is enough.
  const declared = new Map(tree.entries.filter(({ vector }) => /^X86_TRAP_\w+$/.test(vector) && !soft.test(vector)).map((entry) => [entry.vector, entry] as const));
  const missing = [...declared.values()].filter(({ vector }) => !rows.has(vector));
  // Tables that have most of them are in view as a whole.
  if (missing.length * 2 < declared.size && tablesAreRead(tree)) {
    for (const entry of missing) found.place(neighbour(tree, entry.vector) ?? entry.place, `${entry.vector} has a stub and no gate in any table: its delivery raises #NP or #GP, and where that may come from anywhere a double fault; give it a row`, { related: [{ place: entry.place, message: 'declared here' }] });
  }
  if (!tree.design) for (const one of tree.functions) dispatched(tree, one, found);
  const vectors = new Map<string, Set<string>>();
  for (const { function: name, vector } of tree.entries) vectors.set(`asm_${name}`, (vectors.get(`asm_${name}`) ?? new Set()).add(vector));
  for (const gate of tree.gates) {
    const own = vectors.get(gate.stub);
    if (own !== undefined && !own.has(gate.vector)) found.place(gate.place, `the gate of ${gate.vector} calls ${gate.stub}, which is declared for ${[...own].join(' and ')}: its frame, error code and handler are made for that one; name the stub of ${gate.vector}`);
  }
  for (const [vector, own] of rows) {
    const last = own.at(-1);
    if (last !== undefined && forPrograms.test(vector) && !own.some(({ dpl3 }) => dpl3)) found.place(last.place, `the gate of ${vector} has DPL 0, and programs raise it by an instruction: they get #GP instead; use SYSG`);
  }
  for (const gate of rows.get('X86_TRAP_DF') ?? []) {
    if (tree.option(X86_32) && gate.macro !== 'TSKG') found.place(gate.place, 'the gate of X86_TRAP_DF is no task gate: a 32-bit processor pushes its frame on the stack whose end caused the double fault, and shuts down; use TSKG');
  }
  for (const { name, arguments: fields, place } of tree.gateMacros) {
    if (name === 'SYSG' && /^(?:DPL0|0x0|0)$/.test(fields[4] ?? '')) found.place(place, 'SYSG makes gates of DPL 0: programs that raise their vectors by an instruction get #GP; use DPL3');
  }
  return found.all();
}

/** What FRED delivers to each dispatcher, and what it must not drop. */
const dispatchers: readonly { readonly name: RegExp; readonly types: readonly string[] }[] = [
  { name: /^fred_entry_from_user$/, types: ['EXTINT', 'NMI', 'HWEXC', 'SWINT', 'PRIV_SWEXC', 'SWEXC', 'OTHER'] },
  { name: /^fred_entry_from_kernel$/, types: ['EXTINT', 'NMI', 'HWEXC', 'PRIV_SWEXC', 'SWEXC'] },
  { name: /^__fred_entry_from_kvm$/, types: ['EXTINT', 'NMI'] },
];

/** The gates of FRED are the arms of its dispatchers. */
function dispatched(tree: Tree, one: TreeFunction, found: Findings): void {
  const { steps } = one.graph();
  const types = dispatchers.find(({ name }) => name.test(one.name))?.types;
  const vectors = one.name === 'fred_hwexc' ? tree.entries.map(({ vector }) => vector).filter((vector) => /^X86_TRAP_\w+$/.test(vector) && !soft.test(vector) && !notOfFred.test(vector)) : null;
  if (types === undefined && vectors === null) return;
  const arms = steps.flatMap((step) => (step.kind === 'switch' ? step.arms.flatMap(({ value }) => value ?? []) : step.kind === 'test' ? [...step.text.matchAll(/\b(?:EVENT_TYPE|X86_TRAP)_\w+/g)].map(([name]) => name) : []));
  const missing = [...new Set(types?.map((type) => `EVENT_TYPE_${type}`) ?? vectors ?? [])].filter((name) => !arms.includes(name));
  const chooses = steps.find((step) => step.kind === 'switch');
  if (chooses === undefined || missing.length === 0 || arms.length === 0) return;
  found.at(chooses, { function: one, calls: [] }, `${one.name}() has no arm for ${missing.join(', ')}: with FRED there is no IDT, and the event is taken for a broken one; call its handler`);
}

/** Whether every row of the tables is made by a macro that is known: another one may hold any vector. */
function tablesAreRead(tree: Tree): boolean {
  return [...new Map(tree.gates.map((gate) => [gate.table, gate.place.file] as const))].every(([table, file]) => {
    const text = tree.active(file.slice(tree.root.length)) ?? '';
    const from = text.search(new RegExp(`\\b${table}\\[\\w*\\]`));
    const rows = text.slice(Math.max(0, from)).split(/^\};/m)[0] ?? '';
    return [...rows.matchAll(/^\s*(\w+)\(/gm)].every(([, macro = '']) => /^(?:INTG|SYSG|ISTG|TSKG|G)$/.test(macro));
  });
}

function numberOf(vector: string): number {
  return vectorByName(vector.replace(/^X86_TRAP_/, ''))?.number ?? 0;
}

/** The row in the largest table that a row of the vector belongs behind. */
function neighbour(tree: Tree, vector: string): Place | null {
  const sizes = new Map<string, number>();
  for (const { table: name } of tree.gates) sizes.set(name, (sizes.get(name) ?? 0) + 1);
  const largest = [...sizes].sort(([, a], [, b]) => b - a)[0]?.[0];
  const number = numberOf(vector);
  const below = tree.gates.filter(({ table: name }) => name === largest).map((gate) => ({ gate, at: numberOf(gate.vector) })).filter(({ at }) => at < number).sort((a, b) => b.at - a.at);
  return (below[0]?.gate ?? tree.gates.find(({ table: name }) => name === largest))?.place ?? null;
}

const table = (...rows: readonly string[]): string => `static const struct idt_data demo_idts[] = {
${rows.map((row) => `\t${row}\n`).join('')}};
`;
const declarations = `DECLARE_IDTENTRY(X86_TRAP_DE, exc_divide_error);
DECLARE_IDTENTRY_ERRORCODE(X86_TRAP_NP, exc_segment_not_present);
DECLARE_IDTENTRY_ERRORCODE(X86_TRAP_SS, exc_stack_segment);
DECLARE_IDTENTRY_NMI(X86_TRAP_NMI, exc_nmi);

`;
const [divide, absent, stack, nmi] = ['INTG(X86_TRAP_DE, asm_exc_divide_error),', 'INTG(X86_TRAP_NP, asm_exc_segment_not_present),', 'INTG(X86_TRAP_SS, asm_exc_stack_segment),', 'ISTG(X86_TRAP_NMI, asm_exc_nmi, IST_INDEX_NMI),'] as const;

export const gateRowUnfit = treeRule({
  name: 'gate-row-unfit',
  id: 'XR-STK12',
  group: 'Stacks and frames',
  severity: 'error',
  summary: 'an exception has no gate, a gate has the stub of another vector, or programs may not use a gate that they need',
  why: 'A vector without a gate cannot be delivered: the attempt is a fault by itself, and of an NMI or #MC a double fault. A stub expects the frame of its own vector, with or without an error code, and hands it to that vector\'s handler. INT n, INT3 and INTO ask for a DPL of the gate that is not below the privilege of the program.',
  instead: 'A row for each declared exception, with its own stub, SYSG for INT3, INTO and INT 0x80.',
  falsePositives: ['Entries of Xen PV, which has no IDT of its own: another stub of the vector has the row.', 'Trees of which only some tables are in view: then nothing is said of what has no row.'],
  references: ['SDM vol. 3A, "Interrupt Descriptor Table (IDT)"', 'SDM vol. 3A, "Protection of Exception- and Interrupt-Handler Procedures"', 'semantics IDT-01, IDT-02'],
  bad: [
    { title: 'No row for NMIs', files: { 'idt.c': declarations + table(`${divide} //~ gate-row-unfit`, absent, stack) } },
    { title: 'The stub of another exception', files: { 'idt.c': declarations + table(divide, 'INTG(X86_TRAP_NP, asm_exc_stack_segment), //~ gate-row-unfit', stack, nmi) } },
    { title: 'A breakpoint that programs may not use', files: { 'idt.c': table(divide, 'INTG(X86_TRAP_BP, asm_exc_int3), //~ gate-row-unfit') } },
  ],
  good: [
    { title: 'Each with its row', files: { 'idt.c': declarations + table(divide, absent, stack, nmi, 'SYSG(X86_TRAP_BP, asm_exc_int3),') } },
    { title: 'A later table that gives programs the gate', files: { 'idt.c': table('INTG(X86_TRAP_OF, early_overflow),') + table('SYSG(X86_TRAP_OF, asm_exc_overflow),').replace('demo', 'def') } },
  ],
  examine,
});
