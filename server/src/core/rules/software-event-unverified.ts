// XR-SYS06: an event that only an instruction should raise is acted on before it was verified that one did.
import type { Step, Tree, TreeFunction } from '../tree/tree.ts';
import { forPrograms } from './gate-row-unfit.ts';
import type { Judgement } from './rule.ts';
import { entriesOf, findings, isCall, treeRule } from './tree-entries.ts';
import type { Findings } from './tree-entries.ts';
import { watchProofs } from './tree-proofs.ts';
import type { Proof } from './tree-proofs.ts';

const external = /^int80_is_external$/;
const opcode = /^vc_check_opcode_bytes$/;

function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  const inView = (name: RegExp): boolean => tree.functions.some((one) => name.test(one.name));
  if (inView(external)) {
    for (const entry of entriesOf(tree)) {
      if (entry.delivery !== 'syscall' || !/int80/.test(entry.function.name)) continue;
      const fromUser: Proof = { key: 'u', what: '', test: (text, holds) => holds && text.startsWith('user_mode(') };
      watchProofs(tree, entry.function, [fromUser], {
        at: (step, missing, where) => {
          const helper = step.kind === 'call' && /^(?:syscall_)?enter_from_user_mode/.test(step.name);
          if (helper && missing.length > 0) found.at(step, where, `${step.name}() runs before it was asked where vector 0x80 came from: the kernel does not use it, but a hypervisor may inject it in kernel mode, and the state of a system call is then set up over that of the kernel; refuse what user_mode() denies first`);
          return helper;
        },
      });
      watchProofs(tree, entry.function, [{ key: 'v', what: '', test: (text, holds) => !holds && text.startsWith('int80_is_external(') }], {
        at: (step, missing, where) => {
          const acts = isCall(step, /^(?:(?:raw_)?local_irq_enable|syscall_enter_from_user_mode\w*|do_syscall_32_irqs_on)$/) && step.name !== 'syscall_enter_from_user_mode_prepare';
          if (acts && missing.length > 0) found.at(step, where, `${step.name}() runs before it was asked whether vector 0x80 is an external interrupt: ${step.name.endsWith('local_irq_enable') ? 'with interrupts on, the in-service bit that tells may belong to another interrupt' : 'a hypervisor injects a system call that no program made'}; ask int80_is_external() first, with interrupts off`);
          return acts;
        },
      });
    }
  }
  // What a program raises by INT n pushes no error code and is no event of hardware (IDT-02, DEL-07).
  for (const gate of tree.gates) {
    if (!gate.dpl3 || !/^X86_TRAP_|_VECTOR$/.test(gate.vector) || forPrograms.test(gate.vector)) continue;
    found.place(gate.place, `a program may raise ${gate.vector} by INT n, for its gate has DPL 3: ${withErrorCode.test(gate.vector) ? 'INT pushes no error code, and the stub takes the saved RIP for one' : 'the handler takes that for an event of the hardware'}; give it DPL 0`);
  }
  for (const { name, arguments: fields, place } of tree.gateMacros) {
    if (name !== 'SYSG' && fields[4] === 'DPL3') found.place(place, `${name} makes gates of DPL 3: a program may raise every vector by INT n, and with no error code where the stub takes one; use DPL0`);
  }
  for (const one of tree.functions) longMode(tree, one, found);
  const verifies = inView(opcode);
  for (const one of tree.functions) {
    if (external.test(one.name) && one.whole && !one.graph().steps.some((step) => /APIC_ISR/.test(step.text))) {
      found.at(one.graph().steps[one.graph().entry] ?? none, { function: one, calls: [] }, `${one.name}() does not look at the in-service register of the APIC: it cannot tell an interrupt from an instruction`);
    }
    if (!verifies || opcode.test(one.name) || !one.parameters.includes('ghcb') || !one.graph().steps.some(dispatches)) continue;
    watchProofs(tree, one, [{ key: 'v', what: '', does: (step) => isCall(step, opcode) }], {
      at: (step, missing, where) => {
        if (dispatches(step) && missing.length > 0) found.at(step, where, 'the exit code of #VC is acted on without vc_check_opcode_bytes(): the hypervisor may inject #VC with a code of its choice at any instruction; compare it with the instruction first');
        return dispatches(step);
      },
    });
  }
  return found.all();
}

/** FRED says of SYSCALL and SYSENTER whether the program was in 64-bit mode: each function has the numbers of one mode. */
function longMode(tree: Tree, one: TreeFunction, found: Findings): void {
  const { steps } = one.graph();
  if (!steps.some((step) => /\bfred_ss\.vector\b/.test(step.text))) return;
  for (const [name, long] of [['do_syscall_64', true], ['do_fast_syscall_32', false]] as const) {
    watchProofs(tree, one, [{ key: 'l', what: '', test: (text, holds) => holds === long && /\bfred_ss\.lm?$/.test(text) }], {
      at: (step, missing, where) => {
        if (step.kind === 'call' && step.name === name && missing.length > 0) found.at(step, where, `${name}() is called before it was asked whether the program is in 64-bit mode: a number and arguments of the other mode are then taken for those of this one; ask fred_ss first`);
        return false;
      },
    });
  }
}

const withErrorCode = /^X86_TRAP_(?:DF|TS|NP|SS|GP|PF|AC|CP|VC)$/;

const none: Step = { kind: 'end', span: { start: 0, end: 0 }, text: '' };

function dispatches(step: Step): boolean {
  return step.kind === 'switch' && step.arms.filter((arm) => arm.value !== null && arm.value.startsWith('SVM_EXIT_')).length > 4;
}

const REFUSE = '\tif (!user_mode(regs))\n\t\tpanic("external");\n';
const handler = (lines: string, refuse = REFUSE, mark = ''): string => `static bool int80_is_external(void)
{
	return apic_read(APIC_ISR + 0x40) & 1;
}

__visible noinstr void do_int80_emulation(struct pt_regs *regs)
{
${refuse}	enter_from_user_mode(regs);${mark}
	instrumentation_begin();
${lines}	syscall_enter_from_user_mode_work(regs, regs->orig_ax);
	instrumentation_end();
	syscall_exit_to_user_mode(regs);
}
`;

const gates = (row: string, mark: string): string => `static const struct idt_data demo_idts[] = {
	SYSG(X86_TRAP_BP, asm_exc_int3),
	${row}${mark}
};
`;

const dispatcher = (mode: string, mark: string): string => `static void fred_other(struct pt_regs *regs)
{
	if (regs->fred_ss.vector == FRED_SYSCALL${mode}) {
		regs->orig_ax = regs->ax;
		regs->ax = -ENOSYS;
		do_syscall_64(regs, regs->orig_ax);${mark}
		return;
	}
	exc_invalid_op(regs);
}
`;

export const softwareEventUnverified = treeRule({
  name: 'software-event-unverified',
  id: 'XR-SYS06',
  group: 'SYSCALL, SYSRET, IRET',
  severity: 'error',
  summary: 'a handler takes INT 0x80 or #VC for an instruction before it has verified it',
  why: 'A hypervisor that a confidential guest does not trust can inject vector 0x80 as an interrupt, or #VC with any exit code. The handler then makes a system call with whatever is in the registers, or reads and writes registers for an instruction that is not there.',
  instead: 'Refuse vector 0x80 from kernel mode. Ask the in-service register of the APIC with interrupts still off, and compare the exit code with the bytes at the saved RIP, before anything else is done.',
  falsePositives: ['Trees that have no such check anywhere.', 'FRED, which tells INT n from interrupts by the event type.'],
  references: ['CVE-2024-25742, CVE-2024-25743, CVE-2024-25744', 'semantics VC-06, SYS-09', 'Linux be5341eb0d43'],
  bad: [{ title: 'SYSCALL of either mode', files: { 'fred.c': dispatcher('', ' //~ software-event-unverified') } }, { title: 'A gate that programs may use', files: { 'idt.c': gates('SYSG(X86_TRAP_PF, asm_exc_page_fault),', ' //~ software-event-unverified') } }, { title: 'Interrupts first', files: { 'common.c': handler('\tlocal_irq_enable(); //~ software-event-unverified\n\tif (int80_is_external())\n\t\tpanic("external");\n') } }, { title: 'From kernel mode', files: { 'common.c': handler('\tif (int80_is_external())\n\t\tpanic("external");\n\tlocal_irq_enable();\n', '', ' //~ software-event-unverified') } }],
  good: [{ title: 'SYSCALL of 64-bit mode', files: { 'fred.c': dispatcher(' && regs->fred_ss.l', '') } }, { title: 'Gates for programs', files: { 'idt.c': gates('INTG(X86_TRAP_PF, asm_exc_page_fault),', '') } }, { title: 'Asked first', files: { 'common.c': handler('\tif (int80_is_external())\n\t\tpanic("external");\n\tlocal_irq_enable();\n') } }],
  examine,
});
