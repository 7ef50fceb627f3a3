// XR-GS05: a CPU can take events before what their stubs rely on is set up on it.
import type { Step, Tree, TreeFunction } from '../tree/tree.ts';
import type { Judgement } from './rule.ts';
import { findings, isCall, treeRule } from './tree-entries.ts';
import type { Findings } from './tree-entries.ts';
import { watchProofs } from './tree-proofs.ts';
import type { Proof } from './tree-proofs.ts';

const opens = /^load_current_idt$/;
const called = (name: string) => (step: Step): boolean => step.kind === 'call' && step.name === name;

/** In each case what a stub does with it. */
const needs: readonly (Proof & { readonly helper: string | null })[] = [
  {
    key: 'f',
    helper: null,
    what: 'CR4.FSGSBASE, without which the RDGSBASE that alternatives put into the paranoid entry raises #UD in it',
    does: (step) => isCall(step, /^(?:cr4_set_bits\w*|cr4_init)$/) && /X86_CR4_FSGSBASE/.test(step.text),
    test: (text, holds) => !holds && text.endsWith('(X86_FEATURE_FSGSBASE)'),
  },
  { key: 'c', helper: 'setup_getcpu', what: 'the CPU number in the GDT, which the paranoid entry takes its per-CPU base from', does: called('setup_getcpu') },
  { key: 'i', helper: 'tss_setup_ist', what: 'the IST stacks in the TSS', does: called('tss_setup_ist'), test: (text, holds) => holds && text.endsWith('(X86_FEATURE_FRED)') },
  { key: 't', helper: 'load_TR_desc', what: 'the task register, through which the processor finds its stacks', does: called('load_TR_desc') },
  { key: 'g', helper: 'setup_ghcb', what: 'the GHCB, which the #VC handler needs', does: called('setup_ghcb') },
];

/** CR4 of a CPU that comes up is written with the bits that were pinned on the first one. */
function pinsFsgsbase(tree: Tree, file: string): boolean {
  const writes = tree.functions.some((one) => one.file === file && one.name === 'cr4_init' && one.graph().steps.some((step) => step.kind === 'store' && /\bcr4_pinned_bits\b/.test(step.value)));
  return writes && /\bcr4_pinned_mask\b[^;]*\bX86_CR4_FSGSBASE\b/.test(tree.active(file) ?? '');
}

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  const patched = tree.design || tree.assembler.paranoidFeatures.has('X86_FEATURE_FSGSBASE');
  for (const one of tree.functions) {
    const { steps } = one.graph();
    // Who only loads the table again has nothing to set up.
    if (!steps.some((step) => isCall(step, opens)) || !steps.some((step) => isCall(step, /^(?:setup_getcpu|tss_setup_ist|set_tss_desc|load_TR_desc)$/))) continue;
    const owed = needs.filter(({ helper }) => (helper === null ? patched : helper === 'load_TR_desc' || tree.functions.some((other) => other.name === helper)));
    watchProofs(tree, one, owed, {
      follow: (callee) => callee.file === one.file && callee.graph().steps.some((step) => owed.some(({ does }) => does?.(step) === true)),
      at: (step, missing, where) => {
        if (!isCall(step, opens)) return false;
        if (missing.length === 0) return true;
        // A CPU that comes up later has it from another place, which nothing here says and a change there takes away.
        const covered = missing.every(({ key }) => key === 'f') && pinsFsgsbase(tree, one.file);
        found.at(step, where, `events can arrive on this CPU from here on, and it has not got ${missing.map(({ what }) => what).join(', nor ')}${covered ? ', but for the pinned bits that cr4_init() writes on all but the first' : ''}; set it up before the IDT is loaded`, covered ? { severity: 'warning' } : {});
        return true;
      },
    });
  }
  for (const one of tree.functions) inOrder(tree, one, found);
  return found.all();
}

/** Calls of which the first needs what the others have done; a function that has none of them is not concerned. */
const orders: readonly { readonly use: RegExp; readonly first: readonly string[]; readonly message: string }[] = [
  { use: /^load_TR_desc$/, first: ['set_tss_desc'], message: 'the task register is loaded before its descriptor was written: it takes what the GDT held before, and the processor finds no stacks; write it first' },
  { use: /^cpu_init_exception_handling$/, first: ['setup_cpu_entry_areas'], message: 'the TSS is given stacks that are not mapped yet: the first exception that needs one is a double fault; map the entry areas first' },
  { use: /^idt_setup_(?:ist_)?traps$/, first: ['cpu_init_exception_handling'], message: 'the IDT gets gates with IST stacks before the TSS has them: the first exception through one pushes its frame at address 0; set up the TSS first' },
];

function inOrder(tree: Tree, one: TreeFunction, found: Findings): void {
  const { steps } = one.graph();
  // Up to Linux 5.11 the gates with an IST came in a table of their own, later.
  const late = tree.functions.some(({ name }) => name === 'idt_setup_ist_traps');
  for (const { use, first, message } of orders) {
    const uses = (step: Step): boolean => isCall(step, use) && !(late && step.name === 'idt_setup_traps');
    const owed = first.map((name, index): Proof => ({ key: String(index), what: '', does: called(name) }));
    if (!steps.some(uses) || !owed.every(({ does }) => steps.some((step) => does?.(step) === true))) continue;
    watchProofs(tree, one, owed, {
      follow: () => false,
      at: (step, missing, where) => {
        if (uses(step) && missing.length > 0) found.at(step, where, message);
        return uses(step);
      },
    });
  }
}

const setup = (before: string, mark: string): string => `void cpu_init_exception_handling(void)
{
	set_tss_desc(raw_smp_processor_id(), &get_cpu_entry_area()->tss.x86_tss);
	load_TR_desc();
${before}	load_current_idt();${mark}
}
`;

export const cr4BitAfterEvents = treeRule({
  name: 'cr4-bit-after-events',
  id: 'XR-GS05',
  group: 'GS base',
  severity: 'error',
  summary: 'the IDT of a CPU is loaded before CR4, TSS, GDT or GHCB are as its stubs need them',
  why: 'Alternatives are patched once for all CPUs. A CPU that comes up later runs the patched stubs from its first event on, whatever its own CR4 says; a guest takes #VC as soon as it can. What is missing then faults inside the entry, and the fault does the same again.',
  instead: 'Everything that the stubs use first, the IDT last.',
  falsePositives: ['Code that loads the table again on a CPU that is up.'],
  references: ['Linux 05243d490bb7', 'semantics GS-03'],
  bad: [
    { title: 'Gates before their stacks', files: { 'traps.c': `void trap_init(void)\n{\n\tsetup_cpu_entry_areas();\n\tidt_setup_traps(); //~ cr4-bit-after-events\n\tcpu_init_exception_handling(true);\n}\n` } },
    { title: 'No FSGSBASE', files: { 'common.c': setup('', ' //~ cr4-bit-after-events') } },
    { title: 'Pinned elsewhere (warning)', files: { 'common.c': `static const unsigned long cr4_pinned_mask = X86_CR4_SMEP | X86_CR4_FSGSBASE;
static unsigned long cr4_pinned_bits;

void cr4_init(void)
{
	unsigned long cr4 = __read_cr4();

	cr4 = (cr4 & ~cr4_pinned_mask) | cr4_pinned_bits;
	__write_cr4(cr4);
}

${setup('', ' //~ cr4-bit-after-events')}` } },
  ],
  good: [{ title: 'Before the IDT', files: { 'common.c': setup('\tif (cpu_feature_enabled(X86_FEATURE_FSGSBASE))\n\t\tcr4_set_bits(X86_CR4_FSGSBASE);\n', '') } }],
  examine,
});
