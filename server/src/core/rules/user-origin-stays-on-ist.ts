// XR-VE13: an event from user mode is handled on the IST stack to the end, or enables interrupts there. From user mode
// there is always an empty task stack to go to.
import type { PathStep } from '../contexts/entry-paths.ts';
import { vectorOf } from '../contexts/entry-start.ts';
import { entryCall } from '../kernel/entry-calls.ts';
import type { CodeNode } from '../machine/code.ts';
import { stackOf } from '../machine/layout.ts';
import { RSP } from '../machine/registers.ts';
import { vectorTitle } from '../machine/vectors.ts';
import { isConstant, UNKNOWN } from '../machine/word.ts';
import type { Handler, Program } from '../program/program.ts';
import { handlerTree, nodesOf } from './call-tree.ts';
import { guardedWord, rearmInterrupt } from './example-text.ts';
import { cFunctionCalled, isInstruction, pathPlace, pathPremises, rspOf, stackNameOf } from './path-vocabulary.ts';
import type { Judgement, Observation, Rule } from './rule.ts';
import { handlerOf, placeOf, stubPlace } from './vocabulary.ts';

const DOUBLE_FAULT = 8;
/** Where `vc_switch_off_ist()` goes from a stack that it does not trust. */
const FALLBACK = 'VC2';

function judge(observation: Observation): readonly Judgement[] {
  const { program, before, node } = observation;
  const frame = before.frames.at(-1);
  if (frame === undefined || frame.cpl === 0 || frame.vector === DOUBLE_FAULT) return [];
  const handler = handlerOf(program, frame.vector);
  const rsp = before.registers[RSP] ?? UNKNOWN;
  if (handler === null || handler.ist.value === null || !isConstant(rsp) || stackOf(program.layout, rsp.value)?.name !== handler.ist.value) return [];
  const event = vectorTitle(frame.vector);
  const out: Judgement[] = [];
  for (const effect of observation.effects) {
    if (effect.kind === 'irqs-enabled') {
      out.push({
        place: placeOf(node),
        message: `${node.symbol}() enables interrupts for a ${event} from user mode while its frame is still on the ${handler.ist.value} stack; switch to the task stack first`,
        premises: [],
      });
    }
    if (effect.kind !== 'return' || !effect.toUser) continue;
    const place = stubPlace(program, handler);
    const call = callThatNeedsTaskStack(program, handler);
    if (place === null || call === null) continue;
    out.push({
      place,
      message: `${event} from user mode is handled on the ${handler.ist.value} stack to the end, and ${call.symbol}() calls ${calledName(call)}(), which needs the task stack; test CS in the stub and switch`,
      premises: [],
      related: [{ place: placeOf(call), message: 'the call that needs the task stack' }],
    });
  }
  return out;
}

/** In a kernel tree the C code is not in view: its functions for user origin need the task stack. */
function judgePath(step: PathStep): readonly Judgement[] {
  const { node, before, start, program } = step;
  const vector = vectorOf(start.door);
  if (!isInstruction(node) || !start.user || vector === null || vector === DOUBLE_FAULT) return [];
  if (!program.contexts.has('inside C')) return inSketch(step, vector);
  const name = cFunctionCalled(step);
  const stack = program.handlers.find((handler) => handler.vector === vector)?.ist.value ?? null;
  const current = stackNameOf(step.setup, rspOf(before));
  if (name === null || stack === null || entryCall(name).anyStack || (current !== stack && current !== FALLBACK)) return [];
  return [{ place: pathPlace(node), message: `${name}() runs on the ${current} stack for a ${vectorTitle(vector)} from user mode: a fault of its return to user mode, and every later event of the vector, starts over at the top of that stack; switch to the task stack first`, premises: pathPremises(step) }];
}

/** A stub alone: it enables interrupts, or calls the work of the way to user mode. */
function inSketch(step: PathStep, vector: number): readonly Judgement[] {
  const { node, before, program } = step;
  const stack = program.handlers.find((handler) => handler.vector === vector)?.ist.value ?? null;
  if (stack === null || stackNameOf(step.setup, rspOf(before)) !== stack || !isInstruction(node)) return [];
  const name = cFunctionCalled(step);
  const message = node.mnemonic === 'sti' ? `${node.symbol}() enables interrupts for a ${vectorTitle(vector)} from user mode while its frame is still on the ${stack} stack; switch to the task stack first` : name !== null && (NEEDS_TASK_STACK.test(name) || /^exit_\w*work|^prepare_exit/.test(name)) ? `${name}() needs the task stack and is called on the ${stack} stack for a ${vectorTitle(vector)} from user mode; test CS in the stub and switch` : null;
  return message === null ? [] : [{ place: pathPlace(node), message, premises: pathPremises(step) }];
}

const NEEDS_TASK_STACK = /^(force_sig\w*|send_sig\w*|schedule\w*|cond_resched|mutex_lock\w*|task_work_add|irqentry_exit_to_user_mode|exit_to_user_mode\w*)$/;

function calledName(node: CodeNode): string {
  return node.kind === 'operation' && 'name' in node.operation ? node.operation.name : '';
}

/** The first call in view that signals, sleeps or does the work on the way to user mode. */
function callThatNeedsTaskStack(program: Program, handler: Handler): CodeNode | null {
  for (const symbol of handlerTree(program, handler)) {
    const found = nodesOf(program, symbol).find((node) => NEEDS_TASK_STACK.test(calledName(node)));
    if (found !== undefined) return found;
  }
  return null;
}

/** A stub that keeps all registers that a call may change; `test` comes before the call. */
function stub(test: string, mark: string): string {
  return `.globl asm_demo_ve
asm_demo_ve:${mark}
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%rcx
	pushq	%rax
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
${test}	call	demo_ve
.Lleave:
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
	iretq
`;
}

const toTask = `	testb	$3, 10*8(%rsp)		/* CS */
	jz	1f
	swapgs
	movq	%gs:top_of_stack(%rip), %rax
	subq	$14*8, %rax
	movq	%rax, %rdi
	movq	%rsp, %rsi
	movl	$14, %ecx
	cld
	rep movsq
	movq	%rax, %rsp
	call	demo_ve
	swapgs
	jmp	.Lleave
1:
`;

const handlers = `${guardedWord('deferred', 'stack')}DECLARE_PER_CPU(unsigned long, top_of_stack);

/*
 * xctx: handler vector=VE ist=VE
 * xctx: defers-to ve_rearm via=self-ipi
 * xctx: fallback-ok vmexit -- the host stops the virtual CPU until the page is back
 */
void demo_ve(void)
{
	apic_self_ipi(0xf3);
	force_sig(SIGBUS);
}
${rearmInterrupt}`;

export const userOriginStaysOnIst: Rule = {
  name: 'user-origin-stays-on-ist',
  id: 'XR-VE13',
  group: 'Re-entrancy and #VE',
  severity: 'warning',
  summary: 'an event from user mode is handled on the IST stack',
  why: 'What a handler does for user mode, such as sending a signal, sleeping or running the work on the way out, needs a stack that stays. On the IST stack the next event of the same vector starts over at the top. From user mode the task stack is empty and known, so there is no reason to stay.',
  instead: 'Test the saved CS first thing in the stub and copy the frame to the task stack, as Linux does for #DB and #MC.',
  falsePositives: ['#DF, which never switches, by design.'],
  references: ['Linux, Documentation/arch/x86/kernel-stacks.rst', 'semantics VE-22, DEL-01'],
  bad: [{ title: 'A stub that does not ask where the event came from', files: { 'entry.S': stub('', ' #~ user-origin-stays-on-ist'), 'design.c': handlers } }],
  good: [{ title: 'To the task stack from user mode', files: { 'entry.S': stub(toTask, ''), 'design.c': handlers } }],
  judge,
  path: { at: ['call', 'flags'], monitor: null, rank: 2, judge: judgePath },
  inspect: null,
  fix: null,
};
