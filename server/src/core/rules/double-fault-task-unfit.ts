// XR-BIT03: the task that a 32-bit processor switches to on #DF lacks something that its code counts on.
import { placeIn } from '../tree/tree.ts';
import type { Tree, TreeFunction } from '../tree/tree.ts';
import type { Judgement } from './rule.ts';
import { findings, isCall, treeRule } from './tree-entries.ts';
import type { Findings } from './tree-entries.ts';
import { watchProofs, whats } from './tree-proofs.ts';
import type { Proof } from './tree-proofs.ts';

/** The C code that the task begins with. */
const shim = /^doublefault_(?:shim|fn)$/;

const readCr2: Proof = { key: 'c', what: 'CR2 was read', does: (step) => /\b(?:native_)?read_cr2\(\)/.test(step.text) };
const ownTask: Proof = { key: 't', what: 'TR is that of the kernel again: the processor takes what runs for the task of #DF, whose TSS the next switch overwrites and the next double fault finds busy', does: (step) => isCall(step, /^force_reload_TR$/) };

/** What the TSS has to hold where it is written down as a whole. */
const fields: readonly { readonly name: string; readonly value: RegExp; readonly why: string }[] = [
  { name: 'ip', value: /asm_exc_double_fault|doublefault_\w+/, why: 'the task begins there' },
  { name: 'cs', value: /__KERNEL_CS/, why: 'the task switch faults without it' },
  { name: 'ss', value: /__KERNEL_DS/, why: 'the task switch faults without it' },
  { name: 'ds', value: /__(?:USER|KERNEL)_DS/, why: 'C code reads and writes through it' },
  { name: 'es', value: /__(?:USER|KERNEL)_DS/, why: 'C code copies through it' },
  { name: 'fs', value: /__KERNEL_PERCPU/, why: 'per-CPU memory is reached through it' },
  { name: '__cr3', value: /./, why: 'nothing is mapped without it' },
];

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  for (const one of tree.functions) if (shim.test(one.name)) begins(tree, one, found);
  for (const file of new Set(tree.functions.filter(({ name }) => shim.test(name)).map((one) => one.file))) segment(tree, file, found);
  return found.all();
}

/** The processor has switched tasks: CR2 is still that of the fault, TR no longer the kernel's. */
function begins(tree: Tree, one: TreeFunction, found: Findings): void {
  watchProofs(tree, one, [readCr2, ownTask], {
    follow: () => false,
    at: (step, missing, where) => {
      if (step.kind !== 'call') return false;
      if (/^trace_|^printk|^pr_/.test(step.name) && missing.includes(readCr2)) found.at(step, where, `${step.name}() may fault before CR2 was read: the address of the fault that led here is lost; read it first`);
      if (step.name !== 'exc_double_fault') return false;
      if (missing.length > 0) found.at(step, where, `the handler of #DF is called before ${whats(missing)}; do it first`);
      return true;
    },
  });
}

function segment(tree: Tree, file: string, found: Findings): void {
  const text = tree.active(file) ?? '';
  const from = /\.tss\s*=\s*\{/.exec(text);
  const end = from === null ? -1 : text.indexOf('},', from.index);
  if (from === null || end < 0) return;
  const body = text.slice(from.index, end);
  // What is missing is told at the field in front of it.
  let place = { start: from.index, end: from.index + from[0].length };
  for (const { name, value, why } of fields) {
    const given = new RegExp(`\\.${name}\\s*=\\s*([^,]*)`).exec(body);
    if (given !== null) place = { start: from.index + given.index, end: from.index + given.index + given[0].length };
    if (given === null || !value.test(given[1] ?? '')) found.place(placeIn(tree, file, place), `the TSS of the double fault task has no fit .${name}: ${why}; set it`);
  }
}

const task = (fs: string, mark: string, inside: string, second: string): string => `void doublefault_shim(void)
{
	struct pt_regs regs;
	unsigned long cr2;

${inside}	exc_double_fault(&regs, 0, cr2);${second}
}

struct doublefault_stack doublefault_stack = {
	.tss = {
		.ip = (unsigned long) asm_exc_double_fault,
		.cs = __KERNEL_CS,
		.ss = __KERNEL_DS,
		.ds = __USER_DS,
		.es = __USER_DS,${mark}
${fs}		.__cr3 = __pa_nodebug(swapper_pg_dir),
	},
};
`;
const fs = '\t\t.fs = __KERNEL_PERCPU,\n';
const first = '\tcr2 = native_read_cr2();\n';
const reload = '\tforce_reload_TR();\n';

export const doubleFaultTaskUnfit = treeRule({
  name: 'double-fault-task-unfit',
  id: 'XR-BIT03',
  group: '32-bit kernels',
  severity: 'error',
  summary: 'the task of #DF on a 32-bit kernel lacks something that its code counts on',
  why: 'On #DF a 32-bit processor switches to a task: every register comes from its TSS, and TR names it. What is not in the TSS is not there, and what runs on with TR of that task is written into it at the next switch.',
  instead: 'Every segment, CR3 and EIP in the TSS; CR2 read first, then TR loaded anew, then the handler.',
  falsePositives: ['Kernels of 64 bits, where #DF has an IST stack.'],
  references: ['SDM vol. 3A, "Task Switching"', 'Linux 7d8d8cfdee9a, dc4e0021b00b'],
  bad: [
    { title: 'No per-CPU segment', files: { 'doublefault.c': task('', ' //~ double-fault-task-unfit', first + reload, '') } },
    { title: 'TR is not loaded', files: { 'doublefault.c': task(fs, '', first, ' //~ double-fault-task-unfit') } },
  ],
  good: [{ title: 'Complete', files: { 'doublefault.c': task(fs, '', first + reload, '') } }],
  examine,
});
