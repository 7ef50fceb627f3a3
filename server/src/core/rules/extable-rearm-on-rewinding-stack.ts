// XR-VE09: an exception-table handler re-arms. It is called by fixup_exception(), which is called by the event's handler,
// so the frame on the IST stack is live.
import { vectorTitle } from '../machine/vectors.ts';
import { guardedWord, nmiReadsUser } from './example-text.ts';
import { lossesOf } from './overwritten.ts';
import type { Judgement, Observation, Rule } from './rule.ts';
import { spokenName, guardPremises, placeOf, stackName } from './vocabulary.ts';

function judge(observation: Observation): readonly Judgement[] {
  const { program } = observation;
  const out: Judgement[] = [];
  for (const { lost, cause } of lossesOf(observation)) {
    if (cause.kind !== 'cleared-by-extable-handler') continue;
    const { guard, store } = cause;
    const event = vectorTitle(lost.vector);
    out.push({
      place: placeOf(store),
      message: `${spokenName(store)} clears ${guard.name} inside fixup_exception(), while the ${event} frame on the ${stackName(program, lost)} stack is live: the next ${event} before IRET overwrites it; clear it at the landing pad, which runs after the event return`,
      premises: guardPremises(program, guard),
    });
  }
  return out;
}

function design(inHandler: string, mark: string, after: string): string {
  return `${guardedWord('immediate')}
static u64 count;

static void rearm(void)
{
	this_cpu_write(ve_page.busy, 0);${mark}
}

bool ex_handler_uaccess(const struct exception_table_entry *entry, struct pt_regs *regs, int trapnr, unsigned long address)
{
${inHandler}	return ex_handler_default(entry, regs);
}

/*
 * xctx: handler vector=VE ist=VE
 * xctx: fallback-ok vmexit -- the host stops the virtual CPU until the page is back
 */
void demo_ve(struct pt_regs *regs)
{
	if (user_mode(regs) || !fixup_exception(regs, 20, 0, 0))
		panic("memory failure");
	count++;
}

/*
 * xctx: handler vector=NMI
 * xctx: never-in gap vectors=NMI,VE -- not what this is about
 */
void demo_nmi(struct pt_regs *regs)
{
	u64 value;

	if (get_user(value, (u64 __user *)regs->bp))
		${after};
}
`;
}

export const extableRearmOnRewindingStack: Rule = {
  name: 'extable-rearm-on-rewinding-stack',
  id: 'XR-VE09',
  group: 'Re-entrancy and #VE',
  severity: 'error',
  summary: 'an exception-table handler clears the guard while the frame of its event is live on an IST stack',
  why: 'The exception table names a landing pad and a handler. The handler runs inside fixup_exception(), inside the event; only the landing pad runs after the event return. "Have the extable code do the re-enabling" is safe at the one and an overwritten frame at the other.',
  instead: 'Point the saved RIP at a trampoline that clears the word and goes on to the landing pad, or clear it where the accessor sees -EFAULT.',
  falsePositives: ['Vectors without IST, and frames that were moved off the IST stack before fixup_exception() runs.'],
  references: ['semantics VE-24, EXT-01, EXT-02'],
  bad: [
    { title: 'The handler of the entry type re-arms', files: { 'design.c': design('\trearm();\n', ' //~ extable-rearm-on-rewinding-stack', 'return') } },
    {
      title: 'The same as a sketch',
      files: {
        'sketch.xctx-scenario.yaml': `name: sketch
handlers:
  ve:
    ist: VE
    ops:
      - read-info
      - {clear: ve.busy, at: extable-handler} #~ extable-rearm-on-rewinding-stack
      - fixup
      - iret
${nmiReadsUser}`,
      },
    },
  ],
  good: [{ title: 'The accessor re-arms behind the landing pad', files: { 'design.c': design('', '', 'rearm()') } }],
  judge,
  inspect: null,
  fix: null,
};
