// Why an instruction of the entry files has no context: the reasons that count, each a fact about the instruction. What
// has neither a context nor a reason is a fault of the analysis.

/** Kernel routines whose C callers are not entry code: KVM's file is linked for the stubs that it calls. */
const KVM = /\/kvm\//;

export const reasons = [
  { reason: 'entry by the IDT, SYSCALL or SYSENTER, which a CPU with FRED does not use', holds: ({ file, fred }) => fred && !file.endsWith('_fred.S') },
  { reason: 'Xen PV, whose paths break the native contract by design', holds: ({ owners, features }) => owners.some((name) => /xen/i.test(name)) || features.has('X86_FEATURE_XENPV') },
  { reason: 'call through a table of paravirt operations, which boot replaces', holds: ({ text }) => /\bpv_ops\b|\bBUG_func$/.test(text) },
  { reason: "KVM's own code, linked for the stubs that it calls", holds: ({ file }) => KVM.test(file) },
  { reason: 'int3 behind an instruction that never goes on to it: stops speculation', holds: ({ text }) => text === 'int3' },
  { reason: 'ud2 of an assertion that holds', holds: ({ text }) => text === 'ud2' },
  { reason: 'filling that code jumps over', holds: ({ text }) => text === 'nop' },
  { reason: 'row of a vector whose gate names another stub', holds: ({ owners }) => owners.some((name) => /^(irq|spurious)_entries_start$/.test(name)) },
  { reason: 'repair of the truncated RIP of an old CPU, which is not modelled', holds: ({ text, owners }) => owners.includes('error_entry') && /^movq %rcx, .*\(%rsp\)$/.test(text) },
  { reason: 'repair of a safe return, which lies in arch/x86/lib and is not linked', holds: ({ features }) => features.has('X86_FEATURE_SRSO') || features.has('X86_FEATURE_SRSO_ALIAS') },
  { reason: 'alternative for a CPU that there is none of', holds: ({ features }) => features.has('!X86_FEATURE_ALWAYS') },
  { reason: 'FRED, which has a program of its own', holds: ({ features, fred }) => !fred && features.has('X86_FEATURE_FRED') },
];

/** Instructions of a program, those without a context, and those of them without a reason, by the file they are written in. */
export function coverage(core, kernel, analysis) {
  const { nodes } = kernel.program.code;
  const arms = armsOf(nodes);
  const files = new Map();
  const byReason = new Map();
  const unexplained = [];
  for (const node of nodes) {
    if (node.kind !== 'instruction') continue;
    const { file } = core.pathPlace(node);
    const count = files.get(file) ?? { reached: 0, all: 0 };
    files.set(file, count);
    count.all += 1;
    if (analysis.reached(node.id).length > 0) {
      count.reached += 1;
      continue;
    }
    const arm = arms.get(node.id);
    const facts = { text: node.text, file, owners: node.symbol === '' ? [...(arm?.owners ?? [])] : [node.symbol], features: arm?.features ?? new Set(), fred: kernel.program.fred !== null };
    const why = reasons.find(({ holds }) => holds(facts))?.reason ?? null;
    if (why === null) unexplained.push({ node, facts });
    else byReason.set(why, (byReason.get(why) ?? 0) + 1);
  }
  return { files, byReason, unexplained };
}

/** For each instruction of a replacement: the features it is patched in for, and the symbols it is patched into. */
function armsOf(nodes) {
  const arms = new Map();
  const walk = (start, feature, owner) => {
    const seen = new Set();
    const waiting = [start];
    while (waiting.length > 0) {
      const at = waiting.pop();
      const node = nodes[at];
      if (node === undefined || seen.has(at) || node.symbol !== '') continue;
      seen.add(at);
      const arm = arms.get(at) ?? { features: new Set(), owners: new Set() };
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
  }
  return arms;
}
