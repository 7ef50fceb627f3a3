// XR-SYS05: the predicate for "kernel mode with the user's stack pointer" leaves out an entry or an exit of SYSCALL.
import type { Place } from '../base/span.ts';
import type { PathStep } from '../contexts/entry-paths.ts';
import type { Program } from '../program/program.ts';
import { plain } from '../tree/conditions.ts';
import { placeIn } from '../tree/tree.ts';
import type { Tree } from '../tree/tree.ts';
import { isConstant, isInstruction, pathPlace, pathPremises, rspOf } from './path-vocabulary.ts';
import type { Judgement } from './rule.ts';
import { findings, isCall, treeRule } from './tree-entries.ts';

interface Range {
  readonly from: string;
  readonly to: string;
  readonly what: string;
  readonly place: Place | null;
}

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  for (const one of tree.functions) {
    if (one.name !== 'ip_within_syscall_gap' || !one.whole) continue;
    const text = plain((tree.active(one.file) ?? '').slice(one.span.start, one.span.end));
    const parts = rangesOf(text);
    const compared = new Set(text.match(/\w+/g));
    const excluded = new Set([...text.matchAll(/\bip (?:>|<=) \(unsigned long\)\s*(\w+)/g)].map((match) => match[1]));
    for (const range of [...entries(tree), ...exits(tree)]) {
      if (parts.some((part) => part.from === range.from && part.to === range.to)) continue;
      // Both are compared in a way that is not understood, and not in one that leaves out the first instruction.
      if (!excluded.has(range.from) && compared.has(range.from) && compared.has(range.to) && !parts.some((part) => part.from === range.from || part.to === range.to)) continue;
      found.place(placeIn(tree, one.file, one.nameSpan), `${one.name}() leaves out ${range.what}, from ${range.from} to ${range.to}: an NMI or #VC there takes the user's stack pointer for the kernel's; add the range`, {
        related: range.place === null ? [] : [{ place: range.place, message: `${range.from} is a target of SYSCALL or the start of its exit` }],
      });
    }
    for (const step of one.graph().steps) {
      if (step.kind === 'store' && /^ret\b/.test(step.target) && /\bret &&/.test(step.value)) found.at(step, { function: one, calls: [] }, 'the ranges are joined by &&: no address lies in all of them, and the predicate is never true; join them by ||');
    }
  }
  return found.all();
}

/** `ip >= A && ip < B` in the text of the predicate, whatever is made of it. */
function rangesOf(text: string): readonly { readonly from: string; readonly to: string }[] {
  return [...text.matchAll(/\bip >= \(unsigned long\)\s*(\w+) && [\w>-]*\bip < \(unsigned long\)\s*(\w+)/g)].map((match) => ({ from: match[1] ?? '', to: match[2] ?? '' }));
}

/** Targets that SYSCALL may have, with a stub that leaves the user's stack. */
function entries(tree: Tree): readonly Range[] {
  const ranges: Range[] = [];
  for (const one of tree.functions) {
    for (const step of one.graph().steps) {
      if (!isCall(step, /wrmsr/) || !(step.arguments[0] === 'MSR_LSTAR' || step.arguments[0] === 'MSR_CSTAR' || /^wrmsr[lq]_cstar$/.test(step.name))) continue;
      const target = /\(unsigned long\)\s*(\w+)$/.exec(step.arguments.at(-1) ?? '')?.[1];
      if (target === undefined || (!tree.design && /compat/.test(target) && !tree.option('CONFIG_IA32_EMULATION')) || (!tree.design && !tree.assembler.labels.has(`${target}_safe_stack`))) continue;
      ranges.push({ from: target, to: `${target}_safe_stack`, what: 'a target of SYSCALL', place: placeIn(tree, one.file, step.span) });
    }
  }
  return ranges;
}

/** Exits on the user's stack pointer, by the label that the stub gives them. */
function exits(tree: Tree): readonly Range[] {
  return [...tree.assembler.labels].flatMap(([label, place]) => {
    const name = /^(entry_\w+)_unsafe_stack$/.exec(label)?.[1];
    return name === undefined || (/compat/.test(name) && !tree.option('CONFIG_IA32_EMULATION')) ? [] : [{ from: label, to: `${name}_end`, what: 'an exit by SYSRET', place }];
  });
}

type Ranges = readonly (readonly [first: number, end: number])[];

const gaps = new WeakMap<Program, Ranges>();

/** The ranges that the labels of the stubs make, by node; none where a tree has not both kinds of such labels. */
function labelled(program: Program): Ranges {
  const known = gaps.get(program);
  if (known !== undefined) return known;
  const { symbols } = program.code;
  const made = [...symbols].flatMap(([name, at]): readonly (readonly [number, number])[] => {
    const [first, end] = name.endsWith('_safe_stack') ? [symbols.get(name.slice(0, -'_safe_stack'.length)), at] : [at, name.endsWith('_unsafe_stack') ? symbols.get(`${name.slice(0, -'_unsafe_stack'.length)}_end`) : undefined];
    return first === undefined || end === undefined ? [] : [[first, end]];
  });
  const both = ['_safe_stack', '_unsafe_stack'].every((end) => [...symbols.keys()].some((name) => name.endsWith(end)));
  gaps.set(program, both ? made : []);
  return both ? made : [];
}

/** An instruction of the stub that runs on the user's stack pointer, or on none, outside the ranges. */
function judge(step: PathStep): readonly Judgement[] {
  const { node, before, start, program } = step;
  if (!isInstruction(node) || start.door.kind !== 'instruction' || start.door.instruction !== 'SYSCALL' || before.cpu.cpl === 3 || !program.contexts.has('inside C')) return [];
  const ranges = labelled(program);
  if (ranges.length === 0 || !program.code.symbols.has(`${start.door.name}_safe_stack`)) return [];
  const rsp = rspOf(before);
  if (rsp === undefined || isConstant(rsp) || node.symbol !== start.door.name || ranges.some(([first, end]) => node.id >= first && node.id < end)) return [];
  return [{ place: pathPlace(node), message: `${node.text} runs without a kernel stack outside the labels that ip_within_syscall_gap() compares: an NMI or #VC there takes the stack pointer of the user for the kernel's; put the labels around all of it`, premises: pathPremises(step) }];
}

const predicate = (second: string, mark: string): string => `static __always_inline bool ip_within_syscall_gap(struct pt_regs *regs)${mark}
{
	bool ret = (regs->ip >= (unsigned long)entry_native &&
		    regs->ip < (unsigned long)entry_native_safe_stack);
${second}
	return ret;
}

void syscall_setup(void)
{
	wrmsrl(MSR_SYSCALL_MASK, X86_EFLAGS_TF | X86_EFLAGS_IF | X86_EFLAGS_DF |
	       X86_EFLAGS_NT | X86_EFLAGS_AC | X86_EFLAGS_RF);
	wrmsrl(MSR_LSTAR, (unsigned long)entry_native);
	wrmsrl(MSR_CSTAR, (unsigned long)entry_compat);
}
`;

export const syscallGapIncomplete = treeRule({
  name: 'syscall-gap-incomplete',
  id: 'XR-SYS05',
  group: 'SYSCALL, SYSRET, IRET',
  severity: 'error',
  summary: 'the predicate for code that runs on the user stack pointer leaves out a range',
  why: 'Between SYSCALL and the load of the kernel stack, and again between the load of the user stack and SYSRET, kernel mode runs with a stack pointer that the user chose. Handlers that use the interrupted stack ask one predicate; a range that it does not know is a way to hand them any pointer.',
  instead: 'One range for each target of SYSCALL, up to where its stub has the kernel stack, and one for each exit, from where it gives that up.',
  falsePositives: ['A target whose stub returns at once and never takes a kernel stack.'],
  references: ['semantics SYS-03', 'Linux 78a81d88f60b'],
  bad: [{ title: 'The compatibility entry', files: { 'gap.c': predicate('', ' //~ syscall-gap-incomplete') } }],
  good: [{ title: 'Both entries', files: { 'gap.c': predicate('\n\tret = ret || (regs->ip >= (unsigned long)entry_compat &&\n\t\t      regs->ip < (unsigned long)entry_compat_safe_stack);', '') } }],
  examine,
  path: { at: ['system', 'return', 'access'], monitor: null, judge },
});
