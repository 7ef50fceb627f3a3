// XR-SPC01: GS is used behind a conditional swap that the CPU may have predicted wrongly.
import type { PathStep } from '../contexts/entry-paths.ts';
import { inFrontOf } from './line-fix.ts';
import { stubFiles } from './path-examples.ts';
import { accesses, cFunctionCalled, entered, gsOf, isInstruction, knowledgeOf, pathPlace, pathPremises } from './path-vocabulary.ts';
import type { Monitor } from '../contexts/entry-paths.ts';
import { ENTRY_ROUTINES, entryCall } from '../kernel/entry-calls.ts';
import type { NodeId } from '../machine/code.ts';
import type { Program } from '../program/program.ts';
import type { Judgement, Rule } from './rule.ts';

/** Bit 0: a conditional branch was taken since the entry; bit 1: GS depends on one that no fence settled; bit 2: C code ran,
 * so that what follows is the way out. */
const BRANCHED = 1;
const OPEN = 2;
const WAY_OUT = 4;

const fences: Monitor = {
  initial: () => 0,
  next: (value, step) => {
    const { node } = step;
    if (!isInstruction(node) || value === WAY_OUT) return value;
    const called = cFunctionCalled(step);
    if (called !== null && !entryCall(called).anyStack) return WAY_OUT;
    if (/^(lfence|wrgsbase|iret|cpuid|serialize)/.test(node.mnemonic) || (step.calls !== null && ENTRY_ROUTINES.has(step.calls))) return 0;
    const target = node.operands.at(-1);
    if (node.mnemonic.startsWith('mov') && target?.kind === 'system-register' && target.name === 'cr3') return 0;
    if (node.mnemonic === 'swapgs') return (value & BRANCHED) !== 0 ? value | OPEN : value;
    if (node.target === null || node.next === null || !node.mnemonic.startsWith('j') || node.mnemonic === 'jmp') return value;
    const other = step.after.node === node.target ? node.next : node.target;
    return value | BRANCHED | (leadsToSwap(step.program, other) ? OPEN : 0);
  },
};

const LOOK_AHEAD = 8;

/** Whether the arm that was not taken swaps GS before anything else of weight: then the branch was about the swap. */
function leadsToSwap(program: Program, from: NodeId): boolean {
  let at: NodeId | null = from;
  for (let count = 0; count < LOOK_AHEAD && at !== null; count += 1) {
    const node: Program['code']['nodes'][number] | undefined = program.code.nodes[at];
    if (node?.kind !== 'instruction') return false;
    if (node.mnemonic === 'swapgs') return true;
    if (/^(call|ret|iret|j[^m])/.test(node.mnemonic)) return false;
    at = node.mnemonic === 'jmp' ? node.target : node.next;
  }
  return false;
}

function judge(step: PathStep, value: number): readonly Judgement[] {
  const { node, before } = step;
  if ((value & OPEN) === 0 || !isInstruction(node) || !knowledgeOf(step.program).lfence || step.start.door.kind !== 'event' || gsOf(before.cpu.gsBase) !== 'kernel') return [];
  const name = cFunctionCalled(step);
  const returns = node.mnemonic.startsWith('ret');
  if (name === null && !returns && !accesses(node).some((operand) => operand.segment === 'gs')) return [];
  const mitigated = step.start.variant.present.includes('X86_FEATURE_FENCE_SWAPGS_KERNEL') || step.start.variant.present.length === 0 || !step.program.contexts.has('inside C');
  if (!mitigated) return [];
  const what = name !== null ? `${name}()` : returns ? `the caller of ${node.symbol}` : node.text;
  return [{ place: pathPlace(node), message: `${what} uses GS behind a conditional swapgs without a fence in between (${entered(step.start)}, CVE-2019-1125); put lfence on both arms`, premises: pathPremises(step) }];
}

export const swapgsWithoutFence: Rule = {
  name: 'swapgs-without-fence',
  id: 'XR-SPC01',
  group: 'Speculation',
  severity: 'warning',
  summary: 'GS is used behind a conditional SWAPGS without a fence',
  why: 'The branch around a conditional SWAPGS may be predicted wrongly. Without a fence the CPU then loads through the wrong GS base, speculatively, and what it loads can be measured (CVE-2019-1125). Both arms are concerned: the one that swaps and the one that does not.',
  instead: 'LFENCE, or another serialising instruction such as a write of CR3, on both arms before the first use of GS.',
  falsePositives: ['SYSCALL, which swaps without a condition.', 'Entries that write the GS base instead of swapping.'],
  references: ['CVE-2019-1125', 'Linux commit 18ec54fdd6d1', 'Linux, Documentation/admin-guide/hw-vuln/spectre.rst', 'semantics GS-04'],
  bad: [{ title: 'A fence on one arm only', files: stubFiles({ swap: '\ttestb\t$3, 17*8(%rsp)\n\tjz\t1f\n\tswapgs\n\tlfence\n1:\n', call: '\tcall\tdemo_gp #~ swapgs-without-fence\n' }) }],
  good: [{ title: 'A fence where the arms meet', files: stubFiles() }],
  judge: null,
  path: { at: ['call', 'per-CPU', 'return'], monitor: fences, judge },
  inspect: null,
  fix: (place, inspection) => inFrontOf(place, 'lfence', inspection),
};
