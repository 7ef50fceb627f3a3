// XR-VE07: code leaves an IST stack for the interrupted RSP without asking whether that is a kernel stack. Judged where
// the interrupted RSP is one that user space chose.
import { vectorTitle } from '../machine/vectors.ts';
import { isConstant } from '../machine/word.ts';
import { placeIn } from '../tree/tree.ts';
import type { Step, Tree, TreeFunction } from '../tree/tree.ts';
import { guardedWord, rearmInterrupt } from './example-text.ts';
import { aliases, inRange, knownStack, mentions, notEntryStack, notInGap, registersOf } from './interrupted-rsp.ts';
import type { Judgement, Observation, Rule } from './rule.ts';
import { entriesOf, findings } from './tree-entries.ts';
import type { Findings } from './tree-entries.ts';
import { watchProofs, whats } from './tree-proofs.ts';
import type { Proof } from './tree-proofs.ts';
import { placeOf, stackName } from './vocabulary.ts';

function judge(observation: Observation): readonly Judgement[] {
  const { program, before, node } = observation;
  const frame = before.frames.at(-1);
  if (frame === undefined || frame.cpl === 3 || isConstant(frame.rsp)) return [];
  return observation.effects
    .filter((effect) => effect.kind === 'stack-switch' && effect.userChosen)
    .map(() => ({
      place: placeOf(node),
      message: `${node.symbol} leaves the ${stackName(program, frame)} stack for the interrupted RSP: between SYSCALL and the load of the kernel's RSP that is the user's, and there might not be a kernel stack; check RIP and RSP first and use a stack of its own otherwise`,
      premises: [{ fact: `${vectorTitle(frame.vector)} interrupted kernel mode on a stack pointer that user space chose`, place: null, assumed: false }],
    }));
}

/** In a tree: a function that copies the frame to the interrupted stack pointer, for its stub to switch to. */
function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  for (const one of tree.functions) {
    const regs = registersOf(one);
    if (regs === undefined) continue;
    const pointers = aliases(one, `${regs}->sp`);
    const takes = (step: Step): boolean => step.kind === 'store' && step.value === `${regs}->sp`;
    const moves = (step: Step): boolean => (step.kind === 'store' && /^\*\w+$/.test(step.target) && step.value === `*${regs}`) || (step.kind === 'call' && /^(?:__)?mem(?:cpy|move)$/.test(step.name) && step.arguments[1] === regs);
    const { steps } = one.graph();
    if (!steps.some(moves) || !steps.some(takes)) continue;
    const taken: Proof = { key: 't', what: '', does: takes, undoes: (step) => step.kind === 'store' && pointers.includes(step.target) && !pointers.some((name) => mentions(step.value, name)) };
    watchProofs(tree, one, [taken, notInGap, knownStack, notEntryStack, inRange], {
      at: (step, missing, where) => {
        if (!moves(step) || missing.includes(taken)) return false;
        if (missing.length > 0) found.at(step, where, `the frame is moved to the interrupted stack pointer before ${whats(missing)}: the user, or a stack that is being rewound, chooses where the kernel writes; use the fall-back stack there`);
        return true;
      },
    });
  }
  fallback(tree, found);
  return found.all();
}

/**
 * Where the stack is not safe the frame goes to a stack of last resort, from which nothing may be done that ends in a
 * return: the handler has to find out that it is there.
 */
function fallback(tree: Tree, found: Findings): void {
  const uses = (one: TreeFunction): boolean => one.graph().steps.some((step) => step.text.includes('(VC2)') || step.text.includes('is_vc2_stack('));
  if (!tree.functions.some((one) => one.name === 'vc_switch_off_ist' && uses(one))) return;
  for (const entry of entriesOf(tree)) {
    if (entry.vector !== 'VC' || entry.origin === 'user' || entry.delivery !== 'idt') continue;
    const one = forKernel(tree, entry.function);
    const asks = one.graph().steps.some((step) => {
      const callee = step.kind === 'call' && !step.indirect ? tree.resolve(step.name, one.file) : null;
      return step.text.includes('(VC2)') || (callee !== null && uses(callee));
    });
    if (!asks) found.place(placeIn(tree, one.file, one.nameSpan), `${one.name}() does not ask whether it runs on the stack of last resort, to which vc_switch_off_ist() goes from a stack that is not safe: it then returns into code whose stack it cannot trust; panic there`);
  }
}

/** The part of a handler for both modes that is for kernel mode, since Linux 6.15 a function of its own. */
function forKernel(tree: Tree, one: TreeFunction): TreeFunction {
  const { steps } = one.graph();
  const part = steps.flatMap((step) => {
    const no = step.kind === 'test' && step.text.startsWith('user_mode(') ? steps[step.no] : undefined;
    return no?.kind === 'call' && !no.indirect ? (tree.resolve(no.name, one.file) ?? []) : [];
  })[0];
  return part ?? one;
}

/** A stub; `leave` is what it does on the IST stack in kernel mode. */
function stub(leave: string): string {
  return `.macro save
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%rcx
	pushq	%rax
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
.endm
.macro restore
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
.endm
/* Copies the nine registers and the frame below RAX, and goes there. */
.macro move_to_rax
	subq	$14*8, %rax
	movq	%rax, %rdi
	movq	%rsp, %rsi
	movl	$14, %ecx
	rep movsq
	movq	%rax, %rsp
.endm

/* xctx: handler vector=VE ist=VE */
.globl asm_demo_ve
asm_demo_ve:
	cld
	save
	testb	$3, 10*8(%rsp)		/* CS */
	jnz	.Lfrom_user
${leave}	restore
	iretq
.Lfrom_user:
	swapgs
	movq	%gs:top_of_stack(%rip), %rax
	move_to_rax
	call	demo_ve_moved
	restore
	swapgs
	iretq
`;
}

const handlers = `${guardedWord('after-frame-move', 'stack')}DECLARE_PER_CPU(unsigned long, top_of_stack);

void demo_ve_moved(void)
{
	this_cpu_write(ve_page.busy, 0);
}

/* xctx: defers-to ve_rearm via=self-ipi */
/* xctx: fallback-ok vmexit -- the host stops the virtual CPU until the page is back */
void demo_ve_on_ist(void)
{
	apic_self_ipi(0xf3);
}
${rearmInterrupt}`;

const chooser = (gap: string, mark: string): string => `struct pt_regs *demo_leave_ist(struct pt_regs *regs)
{
	unsigned long sp = regs->sp;
	struct stack_info info;
	struct pt_regs *copy;

	if (${gap}!get_stack_info_noinstr((unsigned long *)sp, current, &info) || info.type == STACK_TYPE_ENTRY ||
	    info.type > STACK_TYPE_EXCEPTION_LAST)
		sp = fallback_top();
	copy = (struct pt_regs *)sp - 1;
	*copy = *regs;${mark}
	return copy;
}
`;

export const unsafeSwitchOffIst: Rule = {
  name: 'unsafe-switch-off-ist',
  id: 'XR-VE07',
  group: 'Re-entrancy and #VE',
  severity: 'error',
  summary: 'an IST stack is left for the interrupted RSP, which may be one that user space chose',
  why: 'SYSCALL switches no stack. For two instructions the CPU is in kernel mode on the RSP that user mode left in the register. A handler that copies its frame to the interrupted stack writes kernel data, at CPL 0, wherever that points.',
  instead: 'Have a checker return the stack pointer to go to: reject the SYSCALL gap by RIP, accept an RSP only within a known kernel stack and with room to spare, and use a stack of its own otherwise.',
  falsePositives: ['A switch to the top of the task stack, as from user mode.', 'A switch to a per-CPU stack that does not come from the frame.'],
  references: ['SDM vol. 2, "SYSCALL - Fast System Call"', 'Linux 545ac14c16b5', 'semantics VE-20, VC-02, SYS-03'],
  bad: [
    {
      title: 'Copies the frame to wherever the interrupted RSP points',
      files: {
        'entry.S': stub('\tmovq\t12*8(%rsp), %rax\t\t/* interrupted RSP */\n\tandq\t$-16, %rax\n\tmove_to_rax #~ unsafe-switch-off-ist\n\tcall\tdemo_ve_moved\n'),
        'design.c': handlers,
      },
    },
    { title: 'The choice in C, without the gap', files: { 'leave.c': chooser('', ' //~ unsafe-switch-off-ist') } },
  ],
  good: [
    { title: 'Stays on the IST stack in kernel mode, and re-arms by an interrupt', files: { 'entry.S': stub('\tcall\tdemo_ve_on_ist\n'), 'design.c': handlers } },
    { title: 'The choice in C, with every refusal', files: { 'leave.c': chooser('ip_within_syscall_gap(regs) || ', '') } },
  ],
  judge,
  inspect: null,
  examine,
  fix: null,
};
