// XR-GS07: C code that has swapped the GS base does what needs the kernel's, or can be interrupted in between.
import type { Step, Tree, TreeFunction } from '../tree/tree.ts';
import { isEntryCode, placeIn } from '../tree/tree.ts';
import { watch } from '../tree/watch.ts';
import type { Judgement } from './rule.ts';
import { findings, isCall, treeRule } from './tree-entries.ts';
import type { Findings } from './tree-entries.ts';

const swaps = /^(?:native_)?swapgs$/;
/** What the two swaps stand around. */
const between = /^(?:rd|wr)gsbase$|^(?:native_)?load_gs_index$/;

const off = /^(?:raw_)?local_irq_(?:save|disable)$/;
const on = /^(?:raw_)?local_irq_(?:restore|enable)$/;

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  const swapping = new Set(tree.functions.filter((one) => one.graph().steps.some((step) => isCall(step, swaps)) && !swaps.test(one.name)));
  for (const one of swapping) inside(tree, one, found);
  for (const one of tree.functions) if (!swapping.has(one) && !one.attributes.some((word) => /^(?:static|__always_inline)$/.test(word))) around(tree, one, swapping, found);
  return found.all();
}

function inside(tree: Tree, one: TreeFunction, found: Findings): void {
  if (!isEntryCode(one)) found.place(placeIn(tree, one.file, one.nameSpan), `${one.name}() runs a part with the GS base of user mode and may be traced or probed there: the probe takes its per-CPU data from where user space pointed; make it noinstr`);
  watch<'kernel' | 'user'>(tree, one, 'kernel', {
    follow: () => false,
    step: (step, state, where) => {
      const name = step.kind === 'call' ? step.name : '';
      if (swaps.test(name)) return state === 'kernel' ? 'user' : 'kernel';
      if (state === 'kernel') return state;
      if (step.kind === 'return') found.at(step, where, `${one.name}() returns with the GS base of user mode: the next per-CPU access goes to where user space pointed; swap back on every path`);
      else if (name !== '' && !between.test(name)) found.at(step, where, `${name}() is called between the two swaps: per-CPU data is where user space pointed there; call it before or behind them`);
      return state;
    },
  });
}

/** No interrupt may arrive between the two swaps: it would take the user's GS base for the kernel's. */
function around(tree: Tree, one: TreeFunction, swapping: ReadonlySet<TreeFunction>, found: Findings): void {
  const local = (callee: TreeFunction): boolean => callee.file === one.file && callee.attributes.includes('static');
  const reaches = (callee: TreeFunction, depth: number): boolean => depth < 4 && callee.graph().steps.some((step) => {
    const next = step.kind === 'call' && !step.indirect ? tree.resolve(step.name, callee.file) : null;
    return next !== null && (swapping.has(next) || (local(next) && reaches(next, depth + 1)));
  });
  // The scheduler calls it with interrupts off.
  if (one.name === '__switch_to' || !reaches(one, 0)) return;
  const calls = (step: Step, from: TreeFunction): boolean => {
    const callee = step.kind === 'call' && !step.indirect ? tree.resolve(step.name, from.file) : null;
    return callee !== null && swapping.has(callee);
  };
  watch<'on' | 'off'>(tree, one, 'on', {
    follow: (callee) => local(callee) && !swapping.has(callee),
    step: (step, state, where) => {
      if (step.kind !== 'call') return state;
      if (off.test(step.name) || (/^(?:scoped_)?guard$/.test(step.name) && step.arguments[0] === 'irqsave')) return 'off';
      if (on.test(step.name)) return 'on';
      if (calls(step, where.function) && state === 'on') found.at(step, where, 'an interrupt may arrive between the two swaps in there: its entry sees kernel code, leaves GS alone and runs on the base of user mode; turn interrupts off around it');
      return state;
    },
  });
}

const read = (attribute: string, line: string, marks: readonly [string, string] = ['', '']): string => `static ${attribute} unsigned long read_inactive(void)${marks[0]}
{
	unsigned long base;

	native_swapgs();
${line}	base = rdgsbase();
	native_swapgs();
	return base;
}
`;
const reader = (before: string, behind: string, mark: string): string => `${read('noinstr', '')}
unsigned long read_user_gs(void)
{
	unsigned long base, flags;

${before}	base = read_inactive();${mark}
${behind}	return base;
}
`;

export const gsSwappedInC = treeRule({
  name: 'gs-swapped-in-c',
  id: 'XR-GS07',
  group: 'GS base',
  severity: 'error',
  summary: 'C code between two SWAPGS uses per-CPU data, may be probed, or may be interrupted',
  why: 'With FSGSBASE the kernel reads and writes the base of user mode by swapping it in for an instruction. Until it is swapped back every per-CPU access goes through it, those of tracers and probes too, and an interrupt is one from kernel mode, which swaps nothing.',
  instead: 'A noinstr function with nothing but the access between the swaps, called with interrupts off.',
  falsePositives: ['The scheduler, which has interrupts off.', 'CPUs with FRED, which have no SWAPGS.'],
  references: ['semantics GS-03'],
  bad: [
    { title: 'Counted in between', files: { 'process.c': read('noinstr', '\tthis_cpu_inc(reads); //~ gs-swapped-in-c\n') } },
    { title: 'May be probed', files: { 'process.c': read('noinline', '', [' //~ gs-swapped-in-c', '']) } },
    { title: 'With interrupts on', files: { 'process.c': reader('', '', ' //~ gs-swapped-in-c') } },
  ],
  good: [{ title: 'With interrupts off', files: { 'process.c': reader('\tlocal_irq_save(flags);\n', '\tlocal_irq_restore(flags);\n', '') } }],
  examine,
});
