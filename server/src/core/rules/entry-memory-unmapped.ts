// XR-CR04: memory that an entry uses before it has switched page tables, or a stack that the hardware goes to, is not
// mapped, not writable, or not known for what it is.
import { placeIn } from '../tree/tree.ts';
import type { Step, Tree, TreeFunction } from '../tree/tree.ts';
import type { Judgement } from './rule.ts';
import { findings, isCall, treeRule } from './tree-entries.ts';
import type { Findings } from './tree-entries.ts';
import { watchProofs, whats } from './tree-proofs.ts';
import type { Proof } from './tree-proofs.ts';

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  const stacks = stacksOf(tree);
  for (const one of tree.functions) {
    mapped(tree, one, stacks, found);
    clonedAtBoot(tree, one, found);
    cloned(tree, one, found);
    guardPage(tree, one, found);
  }
  known(tree, stacks, found);
  guarded(tree, found);
  return found.all();
}

/** Exception stacks that a TSS entry, an MSR or a handler goes to, by name: `DF`. */
function stacksOf(tree: Tree): ReadonlySet<string> {
  const used = new Set<string>();
  for (const one of tree.functions) {
    if (!/^(?:tss_setup_ist|cpu_init_fred_rsps|vc_switch_off_ist)$/.test(one.name)) continue;
    for (const step of one.graph().steps) for (const [, name = ''] of step.text.matchAll(/__this_cpu_ist_(?:top|bottom)_va\((\w+)\)/g)) used.add(name);
  }
  return used;
}

/** The per-CPU entry area: each of those stacks in it, the entry stack with the right to write. */
function mapped(tree: Tree, one: TreeFunction, stacks: ReadonlySet<string>, found: Findings): void {
  const { steps } = one.graph();
  const maps = (from: TreeFunction): readonly string[] => from.graph().steps.flatMap((step) => (isCall(step, /^cea_map_stack$/) ? [step.arguments[0] ?? ''] : []));
  const mappers = maps(one).length === 0 ? [] : tree.functions.filter((other) => other.file === one.file && maps(other).length > 0);
  const there = new Set(mappers.flatMap(maps));
  if (mappers[0] === one && one.whole) {
    const missing = [...stacks].filter((name) => !there.has(name));
    if (missing.length > 0) found.place(placeIn(tree, one.file, one.nameSpan), `${one.name}() maps no ${missing.join(' and no ')} stack, to which the hardware or a handler goes: the first event there is a double fault, or the end of the machine; map it too`);
  }
  for (const step of steps) {
    const protection = step.kind === 'call' ? (step.arguments.at(-1) ?? '') : '';
    const given = steps.find((other) => other.kind === 'store' && other.target === protection);
    if (isCall(step, /^cea_(?:set_pte|map_percpu_pages)$/) && /^&cea->(?:gdt|tss)$/.test(step.arguments[0] ?? '') && (given?.kind === 'store' ? given.value : protection) === 'PAGE_KERNEL') found.place(placeIn(tree, one.file, step.span), 'the GDT or the TSS can be written where the user\'s page table has it, at an address that programs learn by SGDT and STR: one stray write there changes what every entry of this CPU does; map it read-only');
    const writes = isCall(step, /^cea_map_percpu_pages$/) && /entry_stack/.test(step.arguments[0] ?? '');
    if (writes && /_RO\b|_NONE\b|READONLY/.test(step.arguments.at(-1) ?? '')) found.place(placeIn(tree, one.file, step.span), 'the entry stack is mapped without the right to write: the first event from user mode cannot push its frame and is a double fault; map it PAGE_KERNEL');
  }
}

/** What becomes part of the user's page table when isolation is set up. */
const parts: readonly (Proof & { readonly helper: string })[] = [
  { key: 's', helper: 'pti_clone_user_shared', what: 'pti_clone_user_shared() has put the entry area and the scratch words of the TSS into it', does: (step) => isCall(step, /^pti_clone_user_shared$/) },
  { key: 't', helper: 'pti_clone_entry_text', what: 'pti_clone_entry_text() has put the stubs into it', does: (step) => isCall(step, /^pti_clone_entry_text$/) },
  { key: 'e', helper: 'pti_setup_espfix64', what: 'pti_setup_espfix64() has put the stacks of espfix into it', does: (step) => isCall(step, /^pti_setup_espfix64$/) },
];

function clonedAtBoot(tree: Tree, one: TreeFunction, found: Findings): void {
  const isolates = tree.design || tree.option('CONFIG_PAGE_TABLE_ISOLATION') || tree.option('CONFIG_MITIGATION_PAGE_TABLE_ISOLATION');
  if (one.name !== 'pti_init' || !one.whole || !isolates) return;
  const off: Proof = { key: 'o', what: '', test: (text, holds) => !holds && text.endsWith('(X86_FEATURE_PTI)') };
  const owed = parts.filter(({ helper }) => tree.functions.some(({ name }) => name === helper));
  watchProofs(tree, one, [off, ...owed], {
    follow: (callee) => callee.file === one.file && !owed.some(({ helper }) => helper === callee.name),
    at: (step, missing, where) => {
      const left = missing.filter((proof) => proof !== off);
      if (step.kind === 'return' && where.calls.length === 0 && missing.includes(off) && left.length > 0) found.at(step, where, `the user's page table is complete before ${whats(left)}: an entry from user mode runs into memory that is not there, with nowhere to report it; do that too`);
      return false;
    },
  });
}

/** What each of those helpers has to clone. */
const contents: readonly { readonly name: string; readonly what: string; readonly option: string | null; readonly does: (step: Step) => boolean }[] = [
  { name: 'pti_clone_user_shared', what: 'the entry area with the entry stacks, the IDT, the GDT and the TSS', option: null, does: (step) => isCall(step, /^pti_clone_\w+$/) && step.text.includes('CPU_ENTRY_AREA_BASE') },
  { name: 'pti_clone_user_shared', what: 'the scratch words of the TSS, which SYSCALL parks the user\'s RSP in', option: null, does: (step) => step.kind === 'store' && /^\*\w+$/.test(step.target) && step.value.startsWith('pfn_pte(') },
  { name: 'pti_clone_entry_text', what: 'the text of the stubs', option: null, does: (step) => isCall(step, /^pti_clone_\w+$/) && step.text.includes('__entry_text_start') && step.text.includes('__entry_text_end') },
  { name: 'pti_setup_espfix64', what: 'the stacks of espfix, from which IRET returns to 16-bit stack segments', option: 'CONFIG_X86_ESPFIX64', does: (step) => isCall(step, /^pti_clone_\w+$/) && step.text.includes('ESPFIX_BASE_ADDR') },
];

function cloned(tree: Tree, one: TreeFunction, found: Findings): void {
  for (const { name, what, option, does } of contents) {
    if (one.name !== name || !one.whole || (option !== null && !tree.option(option)) || one.graph().steps.some(does)) continue;
    found.place(placeIn(tree, one.file, one.nameSpan), `${one.name}() leaves out ${what}: with the user's page table the entry faults there; clone it too`);
  }
}

/** The table that tells the unwinder and the #VC entry which stack an address is in. */
function known(tree: Tree, stacks: ReadonlySet<string>, found: Findings): void {
  const file = tree.functions.find((one) => one.name === 'in_exception_stack')?.file;
  const text = file === undefined ? null : tree.active(file);
  if (file === undefined || text === null) return;
  const rows = new Set([...text.matchAll(/^[ \t]+EPAGERANGE\((\w+)\)/gm)].map((match) => match[1] ?? ''));
  const table = /\bestack_pages\[/.exec(text);
  const missing = rows.size === 0 ? [] : [...stacks].filter((name) => !rows.has(name));
  if (table !== null && missing.length > 0) found.place(placeIn(tree, file, { start: table.index, end: table.index + 'estack_pages'.length }), `the table of exception stacks does not have ${missing.join(' and ')}: an address in that stack counts as none of the kernel's, and a #VC there leaves the stack that it must stay on; add its row`);
}

/** Pages without a row are guards: nothing that lies in one is in a stack. */
function guardPage(tree: Tree, one: TreeFunction, found: Findings): void {
  if (one.name !== 'in_exception_stack') return;
  watchProofs(tree, one, [{ key: 'g', what: '', test: (text, holds) => holds && text.endsWith('->size') }], {
    follow: () => false,
    at: (step, missing, where) => {
      if (step.kind === 'return' && /^(?:true|1)$/.test(step.value ?? '') && missing.length > 0) found.at(step, where, 'an address in a guard page counts as one in a stack: what ran over the end of its stack is then walked, and left for, as if it were on one; say no where the row of the page has no size');
      return false;
    },
  });
}

/** Below each stack lies a page that is not mapped. */
function guarded(tree: Tree, found: Findings): void {
  const layout = tree.defined('ESTACKS_MEMBERS');
  if (layout === null) return;
  const members = [...layout.body.matchAll(/\b(\w+)\[/g)];
  members.forEach((member, index) => {
    const name = member[1] ?? '';
    if (!name.endsWith('_stack') || members[index - 1]?.[1]?.endsWith('_guard') === true) return;
    const start = layout.start + member.index;
    found.place(placeIn(tree, layout.file, { start, end: start + name.length }), `${name} has no guard below it: what runs over its end overwrites the stack that lies there, and nothing tells; put a guard between them`);
  });
}

const area = (lines: string, mark: string): string => `static inline void tss_setup_ist(struct tss_struct *tss)
{
	tss->x86_tss.ist[IST_INDEX_DF] = __this_cpu_ist_top_va(DF);
	tss->x86_tss.ist[IST_INDEX_NMI] = __this_cpu_ist_top_va(NMI);
}

static void setup_exception_stacks(unsigned int cpu)${mark}
{
	struct exception_stacks *estacks = per_cpu_ptr(&exception_stacks, cpu);

	cea_map_stack(DF);
${lines}}
`;
const stub = (prot: string, mark: string): string => `static void setup_entry_stack(struct cpu_entry_area *cea, unsigned int cpu)
{
	cea_map_percpu_pages(&cea->entry_stack_page, per_cpu_ptr(&entry_stack_storage, cpu), 1, ${prot});${mark}
}
`;

export const entryMemoryUnmapped = treeRule({
  name: 'entry-memory-unmapped',
  id: 'XR-CR04',
  group: 'CR3 and page-table isolation',
  severity: 'error',
  summary: 'a stack or a word that an entry needs with the user\'s page table is not mapped there as it must be',
  why: 'An entry from user mode runs its first instructions with the user\'s page table, which holds the entry area, the stubs and a few words. What is missing there cannot be reported: the fault takes the same way in. The same goes for a stack that a TSS entry names and nobody has mapped.',
  instead: 'Map each stack that the TSS, the MSRs of FRED and the #VC entry use, with a guard below it, and clone the entry area, the stubs, the scratch words and the espfix stacks.',
  falsePositives: ['Kernels without page-table isolation.', 'Rows of stacks that no vector uses.'],
  references: ['Documentation/arch/x86/pti.rst', 'semantics CR3-02, section 18'],
  bad: [
    { title: 'A stack that is not there', files: { 'area.c': area('', ' //~ entry-memory-unmapped') } },
    { title: 'A stack that cannot be written', files: { 'area.c': stub('PAGE_KERNEL_RO', ' //~ entry-memory-unmapped') } },
  ],
  good: [
    { title: 'Every stack', files: { 'area.c': area('\tcea_map_stack(NMI);\n', '') } },
    { title: 'Writable', files: { 'area.c': stub('PAGE_KERNEL', '') } },
  ],
  examine,
  only64: true,
});
