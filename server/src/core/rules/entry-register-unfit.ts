// XR-SYS07: a register or a word from which the hardware takes an entry, its stack or its selectors holds what the entry
// code does not count on.
import { X86_32 } from '../tree/kernel-32.ts';
import type { Step, Tree, TreeFunction } from '../tree/tree.ts';
import { watch } from '../tree/watch.ts';
import type { Judgement } from './rule.ts';
import { findings, isCall, treeRule } from './tree-entries.ts';
import type { Findings } from './tree-entries.ts';
import { watchProofs, whats } from './tree-proofs.ts';
import type { Proof } from './tree-proofs.ts';

/** A local by what it was set to. */
function given(one: TreeFunction, text: string): string {
  const name = /^(?:\([\w ]+\))?(\w+)$/.exec(text)?.[1];
  const stored = name === undefined ? undefined : one.graph().steps.find((step) => step.kind === 'store' && step.target === name);
  return stored?.kind === 'store' ? stored.value : text;
}

const writes = /^(?:native_)?wrmsr(?:[lq]|ns)?(?:_safe|_cstar)?$/;

/** Which stubs each register may lead to, by what they are written for (SEM SYS-01, SYS-08). */
const targets: ReadonlyMap<string, { readonly stubs: RegExp; readonly why: string }> = new Map([
  ['MSR_LSTAR', { stubs: /^entry_SYSCALL_64$/, why: 'SYSCALL of a 64-bit program enters there' }],
  ['MSR_CSTAR', { stubs: /^(?:entry_SYSCALL_compat|entry_SYSCALL32_ignore|ignore_sysret)$/, why: 'SYSCALL of a 32-bit program enters there, with EIP in ECX and its arguments in other registers' }],
  ['MSR_IA32_SYSENTER_EIP', { stubs: /^entry_SYSENTER_(?:compat|32)$/, why: 'SYSENTER enters there, without a return address in any register' }],
]);

/** The register that a call writes: `MSR_CSTAR` has a helper of its own. */
function register(step: Step): { readonly name: string; readonly value: string } | null {
  if (!isCall(step, writes)) return null;
  const [first = '', ...rest] = step.arguments;
  return step.name.endsWith('_cstar') ? { name: 'MSR_CSTAR', value: first } : { name: first, value: rest.join(', ') };
}

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  for (const one of tree.functions) {
    const { steps } = one.graph();
    for (const step of steps) {
      const written = register(step);
      if (written === null) continue;
      const target = targets.get(written.name);
      const stub = /\b(?:entry_SYS\w+|ignore_sysret)\b/.exec(written.value)?.[0];
      if (target !== undefined && stub !== undefined && !target.stubs.test(stub)) found.at(step, { function: one, calls: [] }, `${written.name} leads to ${stub}: ${target.why}; write the stub that is for it`);
      if (written.name === 'MSR_STAR') selectors(one, found);
      if (/^MSR_IA32_FRED_RSP[123]$|^MSR_IA32_SYSENTER_ESP$/.test(written.name) && /ist_bottom_va\(|cpu_entry_stack\([^)]*\)+\)?$/.test(written.value)) found.at(step, { function: one, calls: [] }, `${written.name} is the lowest address of its stack: the first push goes to what lies below it; write the address behind the stack`);
    }
    cachedStack(tree, one, found);
    sysenter(tree, one, found);
    trampoline(tree, one, found);
    fred(tree, one, found);
    follows(tree, one, found);
  }
  return found.all();
}

/** RSP0 of FRED is written where its copy says that it is another one: the copy is written with it. */
function cachedStack(tree: Tree, one: TreeFunction, found: Findings): void {
  const { steps } = one.graph();
  const writesIt = (step: Step): boolean => register(step)?.name === 'MSR_IA32_FRED_RSP0';
  for (const step of steps) {
    const value = writesIt(step) ? given(one, register(step)?.value ?? '') : '';
    if (/task_stack_page\(\w+\)$/.test(value)) found.at(step, { function: one, calls: [] }, 'MSR_IA32_FRED_RSP0 is the lowest address of its stack: the first push goes to what lies below it; write the address behind the stack');
  }
  if (!steps.some((step) => step.kind === 'test' && step.text.includes('fred_rsp0'))) return;
  watch<'clean' | 'written'>(tree, one, 'clean', {
    follow: () => false,
    step: (step, state, where) => {
      if (writesIt(step)) return 'written';
      if (isCall(step, /^(?:raw_cpu|_*this_cpu)_write$/) && step.arguments[0] === 'fred_rsp0') return 'clean';
      if (step.kind === 'return' && state === 'written') found.at(step, where, 'MSR_IA32_FRED_RSP0 was written and its copy was not: a later switch back to the task that the copy names leaves the register with the stack of another one; write both');
      return state;
    },
  });
}

/** SYSRET takes CS and SS from 16 and 8 above the high word of STAR, SYSCALL from the word below (SEM SYS-01, SYS-04). */
function selectors(one: TreeFunction, found: Findings): void {
  for (const step of one.graph().steps) {
    const match = /\((\w+) << 16\) \| (\w+)/.exec(step.text);
    if (match === null || !/__(?:USER|KERNEL)\w*_[CD]S/.test(match[0])) continue;
    if (match[1] !== '__USER32_CS' || match[2] !== '__KERNEL_CS') found.at(step, { function: one, calls: [] }, 'SYSRET takes the selectors of user mode from 16 and 8 above the high word of MSR_STAR, SYSCALL those of the kernel from the low one: they are right for __USER32_CS and __KERNEL_CS only; write these');
  }
}

/** SYSENTER loads RSP from a register: where it enters a stub there has to be a stack. */
function sysenter(tree: Tree, one: TreeFunction, found: Findings): void {
  const { steps } = one.graph();
  if (!steps.some((step) => register(step)?.name === 'MSR_IA32_SYSENTER_EIP')) return;
  watch<'none' | 'stack'>(tree, one, 'none', {
    follow: () => false,
    step: (step, state, where) => {
      const written = register(step);
      if (written?.name === 'MSR_IA32_SYSENTER_ESP') return /entry_stack|top_of_stack/.test(given(one, written.value)) ? 'stack' : 'none';
      if (written?.name === 'MSR_IA32_SYSENTER_EIP' && /\bentry_SYSENTER/.test(written.value) && state === 'none') found.at(step, where, 'SYSENTER enters here without a stack: it takes RSP from MSR_IA32_SYSENTER_ESP, which was not given the entry stack of this CPU; write that first');
      return state;
    },
  });
}

const xen: Proof = { key: 'x', what: '', test: (text, holds) => holds && text.endsWith('(X86_FEATURE_XENPV)') };

/** Events from user mode begin on the entry stack, which alone is mapped with the user's page table (SEM CR3-02). */
function trampoline(tree: Tree, one: TreeFunction, found: Findings): void {
  const loads = (step: Step): boolean => isCall(step, /^load_sp0$/) && !/entry_stack/.test(given(one, step.arguments[0] ?? ''));
  if (one.name === 'load_sp0' || !one.graph().steps.some(loads)) return;
  watchProofs(tree, one, [xen], {
    follow: () => false,
    at: (step, missing, where) => {
      if (loads(step) && missing.length > 0) found.at(step, where, 'sp0 is not the end of the entry stack: events from user mode push their frame there while the user\'s page table is loaded, in which no other stack is mapped; give it cpu_entry_stack() + 1');
      return false;
    },
  });
}

/** What FRED needs on a CPU before it is switched on. */
const needs: readonly Proof[] = [
  { key: 's', what: 'SS is __KERNEL_DS, which ERETS compares with that of the frame', does: (step) => isCall(step, /^loadsegment$/) && step.arguments[0] === 'ss' && step.arguments[1] === '__KERNEL_DS' },
  { key: 'c', what: 'MSR_IA32_FRED_CONFIG has the entry point', does: (step) => register(step)?.name === 'MSR_IA32_FRED_CONFIG' },
  { key: 'r', what: 'MSR_IA32_FRED_RSP0 is what its per-CPU copy says, by which the exit to user mode decides whether to write it', does: (step) => register(step)?.name === 'MSR_IA32_FRED_RSP0' },
];

function fred(tree: Tree, one: TreeFunction, found: Findings): void {
  const on = (step: Step): boolean => isCall(step, /^cr4_set_bits\w*$/) && step.arguments[0] === 'X86_CR4_FRED';
  if (!one.graph().steps.some(on)) return;
  watchProofs(tree, one, needs, {
    follow: (callee) => callee.file === one.file,
    at: (step, missing, where) => {
      if (on(step) && missing.length > 0) found.at(step, where, `FRED is switched on before ${whats(missing)}; do that first`);
      return on(step);
    },
  });
}

/** The stacks that SYSCALL and FRED enter on are those of the task that runs. */
function follows(tree: Tree, one: TreeFunction, found: Findings): void {
  const owed: Proof[] = [];
  if (one.name === '__switch_to') owed.push({ key: 't', what: 'top_of_stack is that of the next task: its system calls run on the stack of the one before', does: (step) => isCall(step, /^(?:raw_cpu|_*this_cpu)_write$/) && (step.arguments[0] ?? '').endsWith('top_of_stack') && /task_top_of_stack\(next|task_stack_page\(next\w*\) \+ THREAD_SIZE/.test(step.arguments[1] ?? '') });
  if (one.name === '__switch_to' && tree.option(X86_32)) {
    owed.push({ key: 's', what: 'update_task_stack() was called: the stubs find the stack of the task before behind the entry stack', does: (step) => isCall(step, /^update_task_stack$|^load_sp[01]$/) });
    if (tree.option('CONFIG_VM86')) owed.push({ key: 'v', what: 'refresh_sysenter_cs() was called: SYSENTER works in vm86 mode, and the kernel loses the flags and selectors of that program', does: (step) => isCall(step, /^refresh_sysenter_cs$/) });
  }
  if (one.name === 'arch_exit_to_user_mode_prepare' && tree.functions.some(({ name }) => name === 'fred_update_rsp0')) owed.push({ key: 'f', what: 'fred_update_rsp0() was called: the next event from user mode begins on the stack of another task', does: (step) => isCall(step, /^fred_update_rsp0$/) });
  if (owed.length === 0 || !one.whole || !(tree.design || one.file.startsWith('arch/'))) return;
  const beside = one.graph().steps.find((step) => isCall(step, /^(?:raw_cpu|_*this_cpu)_write$/) && (step.arguments[0] ?? '').endsWith('current_task'));
  watchProofs(tree, one, owed, {
    follow: (callee) => callee.file === one.file,
    at: (step, missing, where) => {
      if (step.kind === 'return' && where.calls.length === 0 && missing.length > 0) found.at(beside ?? step, where, `${one.name}() ends before ${whats(missing)}; do it on every path`);
      return false;
    },
  });
}

const setup = (target: string, star: string, marks: readonly [string, string] = ['', '']): string => `void demo_syscall_init(void)
{
	wrmsr(MSR_STAR, 0, (${star} << 16) | __KERNEL_CS);${marks[1]}
	wrmsrl(MSR_SYSCALL_MASK, X86_EFLAGS_TF | X86_EFLAGS_IF | X86_EFLAGS_DF | X86_EFLAGS_NT | X86_EFLAGS_AC | X86_EFLAGS_RF);
	wrmsrl(MSR_LSTAR, (unsigned long)${target});${marks[0]}
}
`;
const stack = (value: string, mark: string): string => `void demo_cpu_init(int cpu)
{
	load_sp0((unsigned long)(${value}));${mark}
}
`;

export const entryRegisterUnfit = treeRule({
  name: 'entry-register-unfit',
  id: 'XR-SYS07',
  group: 'SYSCALL, SYSRET and IRET',
  severity: 'error',
  summary: 'a register that the hardware enters the kernel by holds another stub, stack or selector than the entry code counts on',
  why: 'SYSCALL, SYSENTER, FRED and the TSS tell the processor where to go on, on which stack and with which selectors. Nothing checks the values when they are written: each stub is made for one instruction and one state of the registers, and a stack of another task, or none, is used until it is overwritten.',
  instead: 'LSTAR, CSTAR and SYSENTER_EIP the stub that is for them, STAR the selectors that the GDT is laid out for, stacks by their upper end, and those of tasks at every switch.',
  falsePositives: ['Xen PV, which enters on the stack of the task.', 'Registers that are set to 0 so that the instruction faults.'],
  references: ['SDM vol. 3A, "Fast System Calls in 64-Bit Mode"', 'semantics SYS-01, SYS-04, SYS-08, CR3-02, FR-03'],
  bad: [
    { title: 'Another stub', files: { 'common.c': setup('entry_SYSCALL_compat', '__USER32_CS', [' //~ entry-register-unfit', '']) } },
    { title: 'Another selector', files: { 'common.c': setup('entry_SYSCALL_64', '__USER_CS', ['', ' //~ entry-register-unfit']) } },
    { title: 'Another stack', files: { 'common.c': stack('current_top_of_stack()', ' //~ entry-register-unfit') } },
  ],
  good: [
    { title: 'All as they are meant', files: { 'common.c': setup('entry_SYSCALL_64', '__USER32_CS') } },
    { title: 'The entry stack', files: { 'common.c': stack('cpu_entry_stack(cpu) + 1', '') } },
  ],
  examine,
});
