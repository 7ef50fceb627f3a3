// XR-VE01: the word that keeps a vector from coming again is cleared while the vector's frame is live on a stack that
// rewinds. Judged at the delivery that uses it, and reported at the store.
import type { Place } from '../base/span.ts';
import { vectorTitle } from '../machine/vectors.ts';
import { deferralFor, skeletonFor } from './deferral-fix.ts';
import { exposedBy, lossesOf, UNSEEN_NMI } from './overwritten.ts';
import type { Judgement, Observation, Rule } from './rule.ts';
import { spokenName, guardPremises, placeOf, stackName } from './vocabulary.ts';

function judge(observation: Observation): readonly Judgement[] {
  const { program } = observation;
  const out: Judgement[] = [];
  for (const { lost, byVector, cause } of lossesOf(observation)) {
    if (cause.kind !== 'cleared') continue;
    const { guard, store } = cause;
    const by = byVector === null ? vectorTitle(lost.vector) : vectorTitle(byVector);
    out.push({
      place: placeOf(store),
      message: `reentrancy word cleared on IST stack: ${spokenName(store)} clears ${guard.name} while the ${vectorTitle(lost.vector)} frame on the ${stackName(program, lost)} stack is live; the next ${by} before IRET rewinds the stack and overwrites it; re-arm after the frame is dead`,
      premises: guardPremises(program, guard),
    });
  }
  for (const cause of exposedBy(observation)) {
    if (cause.kind !== 'cleared') continue;
    const { guard, store } = cause;
    out.push({
      place: placeOf(store),
      message: `reentrancy word cleared on IST stack: ${spokenName(store)} clears ${guard.name} while its ${vectorTitle(guard.vector)} frame is live; an NMI before IRET that touches memory which can fail brings the next ${vectorTitle(guard.vector)}, which overwrites it; re-arm after the frame is dead`,
      premises: [...guardPremises(program, guard), UNSEEN_NMI],
    });
  }
  return out;
}

const sketch = (clear: string, mark = ''): string => `name: sketch
handlers:
  ve:
    ist: VE
    ops:
      - read-info
      - fixup
      - ${clear}${mark}
      - iret
`;

export const guardClearedOnRewindingStack: Rule = {
  name: 'guard-cleared-on-rewinding-stack',
  id: 'XR-VE01',
  group: 'Re-entrancy and #VE',
  severity: 'error',
  summary: 'a re-entrancy word is cleared while the frame it protects is live on an IST stack',
  why: 'An IST stack starts over at its top at every delivery: there is no nesting counter. The word is all that keeps a second event from landing on the frame of the first. Once it is zero, any access that fails before IRET, or an NMI or #MC whose handler makes one, rewinds the stack and overwrites the saved RIP and RSP.',
  instead: 'Arm a deferral (irq_work, self-IPI) that clears the word when the frame is dead, clear it at the landing pad of the exception table, or move the frame off the IST stack first.',
  falsePositives: [
    'A vector without IST only nests on a growing stack; nothing is overwritten.',
    'A handler that has moved its frame to another stack, as from user mode, may clear the word.',
    'The machine-check handler clears MCIP on its IST stack because the hardware offers nothing better; it is judged only where a guard annotation puts it under review.',
  ],
  references: ['SDM vol. 3C, "Virtualization Exceptions"', 'SDM vol. 3A, "Interrupt Stack Table"', 'semantics VE-21, VE-22, IDT-04'],
  bad: [
    {
      title: 'The handler re-arms #VE and then touches memory that can fail',
      files: {
        'design.c': `/*
 * xctx: guard ve_page.busy set=hw clear=store fallback=vmexit protects=stack,info
 * xctx: why https://lore.kernel.org/r/msgid -- report failed host memory as a fault
 */
struct ve_page { u32 reason, busy; u64 qual, gla, gpa; };
DEFINE_PER_CPU(struct ve_page, ve_page);
static u64 count;

/* xctx: handler vector=VE ist=VE */
void demo_ve(struct pt_regs *regs)
{
	struct ve_page *ve = this_cpu_ptr(&ve_page);

	WRITE_ONCE(ve->busy, 0); //~ guard-cleared-on-rewinding-stack
	count++;
}
`,
      },
    },
    { title: 'The same as a sketch: the window is the way from the store to IRET', files: { 'sketch.xctx-scenario.yaml': `${sketch('{clear: ve.busy}', ' #~ guard-cleared-on-rewinding-stack')}  nmi:\n    ist: NMI\n    ops: [{access: user_frame}, iret]\n` } },
  ],
  good: [
    {
      title: 'irq_work clears the word when the frame is dead',
      files: {
        'design.c': `/*
 * xctx: guard ve_page.busy set=hw clear=store clears=deferred fallback=vmexit protects=stack,info
 * xctx: why https://lore.kernel.org/r/msgid -- report failed host memory as a fault
 */
struct ve_page { u32 reason, busy; u64 qual, gla, gpa; };
DEFINE_PER_CPU(struct ve_page, ve_page);

/* xctx: clears ve_page.busy */
static void ve_rearm_fn(struct irq_work *work)
{
	this_cpu_write(ve_page.busy, 0);
}
static DEFINE_PER_CPU(struct irq_work, ve_rearm);

/*
 * xctx: handler vector=VE ist=VE
 * xctx: defers-to ve_rearm_fn via=irq-work
 * xctx: fallback-ok vmexit -- the host stops the virtual CPU until the page is back
 */
void demo_ve(struct pt_regs *regs)
{
	irq_work_queue(this_cpu_ptr(&ve_rearm));
}
`,
      },
    },
    {
      title: 'Without IST a second #VE adds a frame below the first',
      files: {
        'design.c': `/*
 * xctx: guard ve_page.busy set=hw clear=store clears=immediate fallback=vmexit protects=info
 * xctx: why https://lore.kernel.org/r/msgid -- report failed host memory as a fault
 */
struct ve_page { u32 reason, busy; u64 qual, gla, gpa; };
DEFINE_PER_CPU(struct ve_page, ve_page);
static u64 count;

/*
 * xctx: handler vector=VE ist=none
 * xctx: never-in gap vectors=VE -- the host never takes entry text or stacks away
 */
void demo_ve(struct pt_regs *regs)
{
	this_cpu_write(ve_page.busy, 0);
	count++;
}
`,
      },
    },
    { title: 'The sketch with a self-IPI', files: { 'sketch.xctx-scenario.yaml': sketch('{defer: self-ipi, clears: ve.busy}') } },
  ],
  judge,
  inspect: null,
  fix: (place: Place, inspection) => deferralFor(place, inspection) ?? skeletonFor(place, inspection),
};
