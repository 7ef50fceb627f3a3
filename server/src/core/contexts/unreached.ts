// How many instructions of a program some entry path reaches, and why it reaches the others not: the reasons that count,
// each a fact about the instruction. What has neither a context nor a reason is a fault of the analysis.
import type { CodeNode, FeatureNode, NodeId } from '../machine/code.ts';
import type { Program } from '../program/program.ts';
import type { EntryAnalysis } from './entry-analysis.ts';
import { TRAPS } from './entry-doors.ts';

interface Facts {
  readonly text: string;
  readonly file: string;
  /** The symbol, or those whose alternative it is. */
  readonly owners: readonly string[];
  /** CPU features that it is patched in for, `!` before those it is patched out for. */
  readonly features: ReadonlySet<string>;
  readonly fred: boolean;
}

/** Kernel routines whose C callers are not entry code: KVM's file is linked for the stubs that it calls. */
const KVM = /\/kvm\//;

const reasons: readonly { readonly reason: string; readonly holds: (facts: Facts) => boolean }[] = [
  { reason: 'entry by the IDT, SYSCALL or SYSENTER, which a CPU with FRED does not use', holds: ({ file, fred }) => fred && !file.endsWith('_fred.S') },
  { reason: 'Xen PV, whose paths break the native contract by design', holds: ({ owners, features }) => owners.some((name) => /xen/i.test(name)) || features.has('X86_FEATURE_XENPV') },
  { reason: 'call through a table of paravirt operations, which boot replaces', holds: ({ text }) => /\bpv_ops\b|\bBUG_func$/.test(text) },
  { reason: "KVM's own code, linked for the stubs that it calls", holds: ({ file }) => KVM.test(file) },
  { reason: 'int3 behind an instruction that never goes on to it: stops speculation', holds: ({ text }) => text === 'int3' },
  { reason: 'ud2 of an assertion that holds', holds: ({ text }) => text === 'ud2' },
  { reason: 'UD1 that C code calls to warn of something', holds: ({ owners }) => owners.some((name) => TRAPS.has(name)) },
  { reason: 'filling that code jumps over', holds: ({ text }) => text === 'nop' },
  { reason: 'row of a vector whose gate names another stub', holds: ({ owners }) => owners.some((name) => /^(irq|spurious)_entries_start$/.test(name)) },
  { reason: 'repair of the truncated RIP of an old CPU, which is not modelled', holds: ({ text, owners }) => owners.includes('error_entry') && /^movq %rcx, .*\(%rsp\)$/.test(text) },
  { reason: 'repair of a safe return, which lies in arch/x86/lib and is not linked', holds: ({ features }) => features.has('X86_FEATURE_SRSO') || features.has('X86_FEATURE_SRSO_ALIAS') },
  { reason: 'alternative for a CPU that there is none of', holds: ({ features }) => features.has('!X86_FEATURE_ALWAYS') },
  { reason: 'FRED, which has a program of its own', holds: ({ file, features, fred }) => !fred && (features.has('X86_FEATURE_FRED') || file.endsWith('_fred.S')) },
  { reason: 'code for a CPU without FRED', holds: ({ features, fred }) => fred && features.has('!X86_FEATURE_FRED') },
];

export interface InstructionCoverage {
  /** By the file that the instructions are written in, as `fileOf` says. */
  readonly files: ReadonlyMap<string, { readonly reached: number; readonly all: number }>;
  readonly byReason: ReadonlyMap<string, number>;
  readonly unexplained: readonly { readonly node: CodeNode; readonly facts: Facts }[];
}

/** Instructions of a program with and without a context. `fileOf` says where a reader finds an instruction. */
export function instructionCoverage(program: Program, analysis: EntryAnalysis, fileOf: (node: CodeNode) => string): InstructionCoverage {
  const { nodes } = program.code;
  const arms = armsOf(nodes);
  const files = new Map<string, { reached: number; all: number }>();
  const byReason = new Map<string, number>();
  const unexplained: { readonly node: CodeNode; readonly facts: Facts }[] = [];
  for (const node of nodes) {
    if (node.kind !== 'instruction') continue;
    const file = fileOf(node);
    const count = files.get(file) ?? { reached: 0, all: 0 };
    files.set(file, count);
    count.all += 1;
    if (analysis.reached(node.id).length > 0) {
      count.reached += 1;
      continue;
    }
    const arm = arms.get(node.id);
    const facts: Facts = { text: node.text, file, owners: node.symbol === '' ? [...(arm?.owners ?? [])] : [node.symbol], features: arm?.features ?? new Set(), fred: program.fred !== null };
    const why = reasons.find(({ holds }) => holds(facts))?.reason ?? null;
    if (why === null) unexplained.push({ node, facts });
    else byReason.set(why, (byReason.get(why) ?? 0) + 1);
  }
  return { files, byReason, unexplained };
}

interface Arm {
  readonly features: Set<string>;
  readonly owners: Set<string>;
}

/** For each instruction of a replacement: the features it is patched in for, and the symbols it is patched into. */
function armsOf(nodes: readonly CodeNode[]): ReadonlyMap<NodeId, Arm> {
  const arms = new Map<NodeId, Arm>();
  const walk = (start: NodeId, feature: string, owner: string): void => {
    const seen = new Set<NodeId>();
    const waiting = [start];
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      const node = nodes[at];
      if (node === undefined || seen.has(at) || node.symbol !== '') continue;
      seen.add(at);
      const arm = arms.get(at) ?? { features: new Set<string>(), owners: new Set<string>() };
      arms.set(at, arm);
      arm.features.add(feature);
      arm.owners.add(owner);
      if (node.kind === 'feature') waiting.push(node.absent);
      else if (node.kind === 'instruction') for (const next of [node.next, node.target]) if (next !== null) waiting.push(next);
      if (node.kind === 'feature') walk(node.present, node.feature, owner);
    }
  };
  for (const node of nodes) {
    if (node.kind !== 'feature' || node.symbol === '') continue;
    walk(node.present, node.feature, node.symbol);
    walk(node.absent, `!${node.feature}`, node.symbol);
    for (const at of originalOf(nodes, node)) arms.set(at, { features: new Set([`!${node.feature}`]), owners: new Set([node.symbol]) });
  }
  return arms;
}

/** The instructions that a replacement takes the place of, where both go on at the same one. */
function originalOf(nodes: readonly CodeNode[], feature: FeatureNode): readonly NodeId[] {
  const behind = (at: NodeId): NodeId | null => {
    const node = nodes[at];
    return node?.kind === 'instruction' ? node.next : node?.kind === 'feature' ? node.absent : null;
  };
  let join: NodeId | null = feature.present;
  while (join !== null && nodes[join]?.symbol === '') join = behind(join);
  const found: NodeId[] = [];
  for (let at: NodeId | null = feature.absent; at !== join; at = behind(at)) {
    if (at === null || nodes[at]?.symbol !== feature.symbol || found.length > 64) return [];
    found.push(at);
  }
  return found;
}
