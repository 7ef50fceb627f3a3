// XR-STK06: a gate has an IST stack that the way its vector is raised, or the stub behind it, does not allow.
import { userReachableRows } from './ist-on-user-reachable-trap.ts';
import type { Tree, TreeEntry } from '../tree/tree.ts';
import type { Judgement } from './rule.ts';
import { findings, treeRule } from './tree-entries.ts';

/** Faults that IRET to user mode raises with the user's GS base loaded; their handlers return, signal and schedule. */
const ofIret = new Set(['X86_TRAP_GP', 'X86_TRAP_NP', 'X86_TRAP_SS', 'X86_TRAP_PF', 'X86_TRAP_AC']);
/** May arrive at any kernel instruction, also where there is no kernel stack. */
const anywhere = new Set(['X86_TRAP_NMI', 'X86_TRAP_DF', 'X86_TRAP_MC', 'X86_TRAP_DB', 'X86_TRAP_VC']);
/** Stubs that save GS base and CR3 as they find them. */
const paranoid = /^DECLARE_IDTENTRY_(?:DF|NMI|MCE|DEBUG|VC|IST)$/;

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  const stubs = new Map<string, TreeEntry>(tree.entries.map((entry) => [`asm_${entry.function}`, entry]));
  for (const gate of tree.gates) {
    if (gate.ist === null) continue;
    if (ofIret.has(gate.vector)) {
      found.place(gate.place, `${gate.vector} has the IST stack ${gate.ist}: IRET to user mode raises it with the user's GS base, and its handler may return there or schedule, which no IST stack and no paranoid stub allows; use INTG`);
    } else if (gate.dpl3 && !anywhere.has(gate.vector) && !tree.gates.some((other) => other.ist === gate.ist && userReachableRows(gate, other)?.trap === gate)) {
      found.place(gate.place, `${gate.vector} may be raised by an instruction anywhere and has the IST stack ${gate.ist}: the same instruction in its own handler starts the stack over, and the path from user mode may signal and schedule; use SYSG, which has no IST stack`);
    }
    const declared = stubs.get(gate.stub);
    if (declared !== undefined && !paranoid.test(declared.macro) && anywhere.has(gate.vector)) {
      found.place(declared.place, `${gate.vector} has the IST stack ${gate.ist}, and ${declared.macro} gives it a stub that decides about SWAPGS by the saved CS: it may arrive in kernel mode with the user's GS base; declare it with the variant for IST`, { related: [{ place: gate.place, message: 'its row' }] });
    }
  }
  for (const entry of tree.entries) {
    if (paranoid.test(entry.macro) && ofIret.has(entry.vector)) {
      found.place(entry.place, `${entry.macro} gives ${entry.vector} a paranoid stub: IRET to user mode raises it with the user's GS base, which that stub takes for the state to go back to; use DECLARE_IDTENTRY_ERRORCODE`);
    }
  }
  return found.all();
}

const table = (row: string, mark: string): string => `static const struct idt_data demo_idts[] = {
	ISTG(X86_TRAP_NMI, asm_exc_nmi, IST_INDEX_NMI),
	${row}${mark}
};
`;

export const istGateUnfit = treeRule({
  name: 'ist-gate-unfit',
  id: 'XR-STK06',
  group: 'Stacks and frames',
  severity: 'error',
  summary: 'a vector has an IST stack that it must not have, or one that its stub does not fit',
  why: 'IRET to user mode faults in kernel mode with the user\'s GS base: only the ordinary stub of #GP, #NP and #SS knows that place and makes an entry from user mode of it. On an IST stack the fault is handled as one of the kernel and leaves with one SWAPGS too many (CVE-2014-9322). A gate for user code on an IST stack meets its own instruction again.',
  instead: 'INTG with DECLARE_IDTENTRY_ERRORCODE for faults of IRET, SYSG for what user code may raise, ISTG with the stub for IST for NMI, #DB, #MC, #DF and #VC.',
  falsePositives: ['A gate for user code that shares its stack with #DB, an NMI or #MC: ist-on-user-reachable-trap speaks of it.'],
  references: ['semantics IRET-03, IRET-05, IDT-05', 'CVE-2014-9322'],
  bad: [
    { title: 'A fault of IRET', files: { 'idt.c': table('ISTG(X86_TRAP_SS, asm_exc_stack_segment, IST_INDEX_DF),', ' //~ ist-gate-unfit') } },
    { title: 'A gate for user code on a stack of its own', files: { 'idt.c': table('G(X86_TRAP_BP, asm_exc_int3, IST_INDEX_BP + 1, GATE_INTERRUPT, DPL3, __KERNEL_CS),', ' //~ ist-gate-unfit') } },
  ],
  good: [{ title: 'Each as it needs', files: { 'idt.c': table('INTG(X86_TRAP_SS, asm_exc_stack_segment),', '') } }],
  examine,
  only64: true,
});
