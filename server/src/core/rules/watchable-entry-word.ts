// XR-DB05: a data breakpoint may be set on memory that every #DB entry touches before it can switch breakpoints off.
import type { Place } from '../base/span.ts';
import { placeIn } from '../tree/tree.ts';
import type { Tree, TreeFunction } from '../tree/tree.ts';
import type { Severity } from './finding.ts';
import type { Judgement } from './rule.ts';
import { findings, isCall, treeRule } from './tree-entries.ts';
import { watchProofs } from './tree-proofs.ts';

interface Word {
  /** How the list of exclusions names it. */
  readonly named: RegExp;
  readonly what: string;
  readonly place: Place | null;
  readonly severity: Severity;
}

/** What the processor itself reads when it delivers an event, and the aliases of it that the kernel writes. */
const ofHardware: readonly Word[] = [
  { named: /\bCPU_ENTRY_AREA_BASE\b/, what: 'the CPU entry area, with the IDT, the TSS and the IST stacks', place: null, severity: 'error' },
  { named: /\bget_cpu_gdt_rw\(/, what: 'the GDT, which the paranoid entry reads its CPU number from', place: null, severity: 'error' },
  { named: /\bcpu_tss_rw\b/, what: 'cpu_tss_rw, which entry stubs use for scratch space and stack pointers', place: null, severity: 'error' },
];

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  const lists = tree.functions.filter((one) => one.whole && asks(tree, one));
  /** A part of a list that another one asks. */
  const parts = new Set(lists.flatMap((one) => one.graph().steps.flatMap((step) => (step.kind === 'call' && !step.indirect ? (tree.resolve(step.name, one.file) ?? []) : []))));
  for (const one of lists) if (!parts.has(one)) excluded(tree, one, found.place);
  for (const one of tree.functions) {
    if (!one.whole) continue;
    const left = one.name === 'within_area' ? comparesOneEnd(one) : null;
    if (left !== null) found.place(placeIn(tree, one.file, one.nameSpan), `${one.name}() does not look at ${left}: a breakpoint that begins in front of an area and reaches into it is let through; compare both ends`);
    if (one.graph().steps.some((step) => step.kind === 'store' && step.target.endsWith('->type') && /X86_BREAKPOINT_/.test(step.value)) && one.graph().steps.some((step) => isCall(step, /^within_\w+$/))) applied(tree, one, found.at);
  }
  return found.all();
}

/** What the function answers with true for, by the starts of areas, also where helpers or a macro of its own ask for it. */
function areasOf(tree: Tree, one: TreeFunction, asked: readonly TreeFunction[] = []): readonly string[] {
  const { steps } = one.graph();
  return steps.flatMap((step) => {
    if (step.kind !== 'call' || step.indirect) return [];
    const next = steps[step.next];
    const then = next?.kind === 'test' ? steps[next.yes] : next;
    if (then?.kind !== 'return' || (next?.kind === 'test' ? !/^(?:true|1)$/.test(then.value ?? '') : then.value !== step.text)) return [];
    if (step.name === 'within_area') return [step.arguments[2] ?? ''];
    const callee = tree.resolve(step.name, one.file);
    if (callee !== null) return asked.includes(callee) || !asks(tree, callee) ? [] : [...step.arguments, ...areasOf(tree, callee, [...asked, one])];
    const { body = '' } = tree.defined(step.name) ?? {};
    return /\bwithin_area\(/.test(body) ? [...step.arguments, body] : [];
  });
}

/** Whether it asks for areas by itself. */
function asks(tree: Tree, one: TreeFunction): boolean {
  return one.graph().steps.some((step) => step.kind === 'call' && !step.indirect && (step.name === 'within_area' || (step.name.startsWith('within_') && /\bwithin_area\(/.test(tree.defined(step.name)?.body ?? ''))));
}

/** A breakpoint has a length: the areas are compared with both of its ends. */
function comparesOneEnd(one: TreeFunction): string | null {
  const text = one.graph().steps.map((step) => step.text).join(' ');
  return one.parameters.find((name) => !new RegExp(`\\b${name}\\b`).test(text)) ?? null;
}

function excluded(tree: Tree, one: TreeFunction, place: (at: Place, message: string, more?: Partial<Judgement>) => void): void {
  const areas = areasOf(tree, one);
  const missing = [...(tree.design ? [] : ofHardware), ...wordsOfStubs(tree), ...wordsOfSave(tree)].filter(({ named }) => !areas.some((area) => named.test(area)));
  for (const severity of ['error', 'hint'] as const) {
    const those = missing.filter((word) => word.severity === severity);
    const [first] = those;
    if (first === undefined) continue;
    place(severity === 'hint' ? placeIn(tree, one.file, { start: one.span.end - 1, end: one.span.end }) : placeIn(tree, one.file, one.nameSpan), `${one.name}() lets a data breakpoint be set on ${those.map(({ what }) => what).join(', and on ')}: every #DB touches it before DR7 is off, so that the breakpoint fires in its own handler on the same stack, without end; exclude it`, {
      severity,
      related: those.flatMap((word) => (word.place === null ? [] : [{ place: word.place, message: 'touched here' }])),
    });
  }
}

/** Memory that the paranoid entry and exit touch; behind a mitigation's alternative only on CPUs that need it. */
function wordsOfStubs(tree: Tree): readonly Word[] {
  return tree.assembler.paranoidWords.map(({ symbol, place, guarded }) => ({ named: new RegExp(`\\b${symbol}\\b`), what: `${symbol}${guarded === null ? '' : ` (with ${guarded})`}`, place, severity: guarded !== null && mitigation.test(guarded) ? 'hint' : 'error' }));
}

/** Features that only CPUs with a certain weakness have switched on. */
const mitigation = /KERNEL_IBRS|CALL_DEPTH|UNRET|SRSO|ENTRY_IBPB|RETHUNK|RETPOLINE/;

/** Per-CPU words that saving DR7 reads before it writes it. */
function wordsOfSave(tree: Tree): readonly Word[] {
  const save = tree.functions.find((one) => one.name === 'local_db_save');
  if (save === undefined) return [];
  const words = new Map<string, Place>();
  watchProofs(tree, save, [], {
    follow: (callee) => callee.attributes.includes('__always_inline') && !/debugreg/.test(callee.name),
    at: (step, _missing, where) => {
      const symbol = isCall(step, /^(?:raw_|__)*this_cpu_read$/) ? step.arguments[0] : undefined;
      if (symbol !== undefined && /^\w+$/.test(symbol)) words.set(symbol, placeIn(tree, where.function.file, step.span));
      return isCall(step, /^set_debugreg$/);
    },
  });
  return [...words].map(([symbol, place]) => ({ named: new RegExp(`\\b${symbol}\\b`), what: `${symbol}, which local_db_save() reads first`, place, severity: 'error' as const }));
}

/** Whoever accepts a breakpoint must have asked. */
function applied(tree: Tree, one: TreeFunction, at: ReturnType<typeof findings>['at']): void {
  for (const step of one.graph().steps) {
    if (isCall(step, /^within_cpu_entry$/) && step.arguments[0] === step.arguments[1]) at(step, { function: one, calls: [] }, 'within_cpu_entry() is asked for the first byte alone: a breakpoint whose last bytes lie in entry code or its data is accepted; give the last address too');
  }
  watchProofs(
    tree,
    one,
    [
      { key: 'c', what: 'within_cpu_entry()', test: (text, holds) => !holds && text.startsWith('within_cpu_entry(') },
      { key: 'x', what: 'within_kprobe_blacklist()', test: (text, holds) => (!holds && text.startsWith('within_kprobe_blacklist(')) || (holds && /bp_addr < TASK_SIZE_MAX/.test(text)) },
    ],
    {
      at: (step, missing, where) => {
        if (step.kind !== 'store' || !step.target.endsWith('->type')) return false;
        const execute = /X86_BREAKPOINT_EXECUTE/.test(step.value);
        const owed = missing.filter(({ key }) => key === 'c' || (execute && !tree.design && tree.option('CONFIG_KPROBES')));
        if (owed.length > 0) at(step, where, `the breakpoint is accepted without ${owed.map(({ what }) => what).join(' and ')}: one in entry code or its data recurses; refuse it there`);
        return owed.length > 0;
      },
    },
  );
}

const list = (areas: string, mark: string): string => `static __always_inline unsigned long local_db_save(void)
{
	unsigned long dr7;

	if (!this_cpu_read(cpu_dr7))
		return 0;
	get_debugreg(dr7, 7);
	set_debugreg(0, 7);
	barrier();
	return dr7;
}

static bool within_cpu_entry(unsigned long addr, unsigned long end)${mark}
{
${areas}	return false;
}
`;

export const watchableEntryWord = treeRule({
  name: 'watchable-entry-word',
  id: 'XR-DB05',
  group: '#DB',
  severity: 'error',
  summary: 'a data breakpoint may be set on memory that a #DB entry touches while DR7 is live',
  why: 'Delivery of an event does not disarm DR7. Until the handler has saved it, every word that the entry stub and the save itself touch raises #DB again: on its IST stack the new frame overwrites the old one, and the machine never gets out. What keeps that from happening is only the list of addresses on which no breakpoint is accepted.',
  instead: 'Exclude the CPU entry area, the GDT, the TSS, and each word that paranoid_entry, paranoid_exit and local_db_save() touch.',
  falsePositives: ['Words that only entries from user mode touch: a breakpoint on them fires once, on the #DB stack.', 'Words that a mitigation touches on some CPUs are hints.'],
  references: ['semantics DB-07, DB-08', 'Linux c4bed4b96918'],
  bad: [{ title: 'The word that the save reads', files: { 'breakpoint.c': list('', ' //~ watchable-entry-word').replace('\treturn false;', '\tif (within_area(addr, end, CPU_ENTRY_AREA_BASE, CPU_ENTRY_AREA_MAP_SIZE))\n\t\treturn true;\n\treturn false;') } }],
  good: [
    { title: 'Excluded', files: { 'breakpoint.c': list('\tif (within_area(addr, end, CPU_ENTRY_AREA_BASE, CPU_ENTRY_AREA_MAP_SIZE))\n\t\treturn true;\n\tif (within_area(addr, end, (unsigned long)&cpu_dr7, sizeof(cpu_dr7)))\n\t\treturn true;\n', '') } },
    { title: 'Excluded by a macro and by a helper', files: { 'breakpoint.c': list('\tif (within_fixed(addr, end) || within_word(addr, end, cpu_dr7))\n\t\treturn true;\n', '').replace('static bool within_cpu_entry', `#define within_word(addr, end, word) within_area(addr, end, (unsigned long)&(word), sizeof(word))

static bool within_fixed(unsigned long addr, unsigned long end)
{
	return within_area(addr, end, CPU_ENTRY_AREA_BASE, CPU_ENTRY_AREA_MAP_SIZE);
}

static bool within_cpu_entry`) } },
  ],
  examine,
});
