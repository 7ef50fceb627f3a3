// XR-VE14: the deferral is armed, but nothing will run it: task work in a context that never returns to user mode, or an
// interrupt whose vector has no gate.
import type { Place } from '../base/span.ts';
import { subjectOf } from '../program/gates.ts';
import { clears, nodesOf, reachedFrom } from './call-tree.ts';
import { armingOf, callInPlace } from './deferral-fix.ts';
import type { DefersTo } from './deferral-fix.ts';
import { guardedWord } from './example-text.ts';
import type { Fix } from './finding.ts';
import type { Inspection, Judgement, Observation, Rule } from './rule.ts';
import { guardPremises, handlerName, handlerOf, placeOf } from './vocabulary.ts';

function judge(observation: Observation): readonly Judgement[] {
  const { program, setup, before, node } = observation;
  const out: Judgement[] = [];
  for (const effect of observation.effects) {
    if (effect.kind !== 'pending') continue;
    const guard = program.guards.find((one) => before.frames.some((frame) => frame.vector === one.vector));
    const handler = guard === undefined ? null : handlerOf(program, guard.vector);
    if (guard === undefined || handler === null) continue;
    const premises = guardPremises(program, guard);
    if (effect.vector >= 0) {
      const tables = program.sources.some((source) => source.idtRows.length > 0);
      if (!tables || program.delivery === 'fred' || setup.gates.has(effect.vector)) continue;
      out.push({ place: placeOf(node), message: `${effect.via}() sends vector ${effect.vector}, which has no gate in the IDT in view: nothing clears ${guard.name}; add the row, or send the vector of the handler that clears it`, premises });
      continue;
    }
    const deferrals = program.directives.filter((one) => one.kind === 'defers-to' && subjectOf(one, program)?.name === handler.function);
    const target = deferrals.length === 0 || deferrals.some((one) => one.kind === 'defers-to' && one.via === 'task-work') ? program.taskWork : null;
    if (target === null || deferrals.length > 1 || before.frames[0]?.cpl !== 0) continue;
    if (![...reachedFrom(program, target)].some((symbol) => nodesOf(program, symbol).some((one) => clears(one, guard)))) continue;
    out.push({
      place: placeOf(node),
      message: `${handlerName(handler)} leaves clearing ${guard.name} to task work, but it interrupted kernel mode: a kernel thread never returns to user mode, and a task may take long to; queue irq_work instead`,
      premises,
    });
  }
  return out;
}

/** Queues the irq_work that is in view instead of task work. */
function fix(place: Place, inspection: Inspection): Fix | null {
  const { program } = inspection;
  const text = inspection.text(place.file);
  const node = program.code.nodes.find((one) => one.kind === 'operation' && one.operation.kind === 'primitive' && one.operation.name === 'task_work_add' && placeOf(one).file === place.file && placeOf(one).span.start === place.span.start);
  const deferral = program.directives.find((one): one is DefersTo => one.kind === 'defers-to' && one.via === 'task-work' && subjectOf(one, program)?.name === node?.symbol);
  const arming = deferral === undefined ? null : armingOf({ ...deferral, via: 'irq-work' }, program);
  const via = deferral?.annotation.arguments.find((one) => one.key?.text === 'via');
  if (text === null || deferral === undefined || arming === null || via === undefined) return null;
  return { title: 'Queue irq_work instead', edits: [{ place, newText: callInPlace(text, place, arming) }, { place: { file: deferral.place.file, span: via.value.span }, newText: 'irq-work' }] };
}

function design(arm: string, via: string, mark: string): string {
  return `${guardedWord('deferred')}
/* xctx: clears ve_page.busy */
static void ve_rearm_fn(void *work)
{
	this_cpu_write(ve_page.busy, 0);
}
static struct callback_head ve_rearm_task;
static DEFINE_PER_CPU(struct irq_work, ve_rearm_irq);

/*
 * xctx: handler vector=VE ist=VE
 * xctx: defers-to ve_rearm_fn via=${via}
 * xctx: fallback-ok vmexit -- the host stops the virtual CPU until the page is back
 */
void demo_ve(struct pt_regs *regs)
{
	${arm};${mark}
}
`;
}

export const deferralCannotRun: Rule = {
  name: 'deferral-cannot-run',
  id: 'XR-VE14',
  group: 'Re-entrancy and #VE',
  severity: 'warning',
  summary: 'a deferral that shall clear the guard cannot run in the context that armed it',
  why: 'A guard is per CPU and is set in every context: tasks, kernel threads, idle, interrupts, NMIs. A deferral that only runs on the way to user mode never runs in a kernel thread; an interrupt to a vector without a gate is lost, and one to another CPU clears that CPU\'s word.',
  instead: 'Use irq_work or a self-IPI to a vector whose handler clears this CPU\'s word; they run as soon as IF is 1.',
  falsePositives: ['Task work for something else than the guard, as a signal.', 'Where no IDT table is in view, whether a vector has a gate is not known.'],
  references: ['Linux, kernel/task_work.c', 'semantics IF-01', 'semantics, deferral mechanisms'],
  bad: [
    { title: 'Task work as the only re-arm', files: { 'design.c': design('task_work_add(current, &ve_rearm_task, TWA_RESUME)', 'task-work', ' //~ deferral-cannot-run') } },
    {
      title: 'A self-IPI that nobody receives',
      files: {
        'design.c': `${guardedWord('deferred')}
/* xctx: fallback-ok vmexit -- the host stops the virtual CPU until the page is back */
void demo_ve(struct pt_regs *regs)
{
	apic_self_ipi(0xf3); //~ deferral-cannot-run
}

static const struct idt_data idt[] = {
	ISTG(X86_TRAP_VE,	asm_demo_ve,	IST_INDEX_VE),
};
`,
        'entry.S': `.globl asm_demo_ve
asm_demo_ve:
	pushq	%rdi
	testb	$3, 2*8(%rsp)
	jnz	.Lfrom_user
	call	demo_ve
	popq	%rdi
	iretq
.Lfrom_user:
	popq	%rdi
	jmp	panic_stub
panic_stub:
	hlt
	jmp	panic_stub
`,
      },
    },
  ],
  good: [{ title: 'irq_work', files: { 'design.c': design('irq_work_queue(this_cpu_ptr(&ve_rearm_irq))', 'irq-work', '') } }],
  judge,
  inspect: null,
  fix,
};
