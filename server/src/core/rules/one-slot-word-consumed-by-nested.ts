// XR-VE15: a word that was written for one event is consumed by the handler of another, nested one.
import { vectorTitle } from '../machine/vectors.ts';
import type { Tree, TreeFunction } from '../tree/tree.ts';
import { targetsOf } from '../tree/watch.ts';
import { clearOf, handOverAreas, readOf } from './hand-over-word.ts';
import type { Judgement, Observation, Rule } from './rule.ts';
import { entriesOf, factsOf, findings, isCall } from './tree-entries.ts';
import { watchProofs } from './tree-proofs.ts';
import type { Proof } from './tree-proofs.ts';
import { spokenName, guardPremises, placeOf } from './vocabulary.ts';

function judge(observation: Observation): readonly Judgement[] {
  const { program, before, node } = observation;
  const out: Judgement[] = [];
  for (const effect of observation.effects) {
    if (effect.kind !== 'guard-stolen') continue;
    const guard = program.guards[effect.guard];
    if (guard === undefined || !guard.protects.includes('info')) continue;
    const outer = before.frames.filter((frame) => frame.vector !== guard.vector).at(-1);
    const event = vectorTitle(guard.vector);
    out.push({
      place: placeOf(node),
      message: `${spokenName(node)} consumes ${guard.name}, which was written for an outer ${event}: this ${event} came in ${outer === undefined ? 'its handler' : `an ${vectorTitle(outer.vector)} that interrupted its handler`} and is not the host's; ask where the event came from before the word is cleared`,
      premises: guardPremises(program, guard),
    });
  }
  return out;
}

function design(consume: string, mark: string): string {
  return `/*
 * xctx: guard apf_reason.flags set=host clear=store clears=immediate fallback=host-queues protects=info
 * xctx: why https://lore.kernel.org/r/msgid -- let the task wait for a page that the host swapped out
 */
struct apf_reason { u32 flags, token; };
DEFINE_PER_CPU(struct apf_reason, apf_reason);

static bool consume_flags(void)
{
	if (!this_cpu_read(apf_reason.flags))
		return false;
	this_cpu_write(apf_reason.flags, 0);${mark}
	return true;
}

/* xctx: handler vector=PF ist=none err=yes */
void demo_pf(struct pt_regs *regs)
{
	${consume}
	if (from_kernel(regs) && !fixup_exception(regs, 14, 0, 0))
		panic("page fault in the kernel");
}

/* xctx: handler vector=NMI */
void demo_nmi(struct pt_regs *regs)
{
	u64 value;

	__get_user(value, (u64 __user *)regs->bp);
}

struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
};

static bool from_kernel(struct pt_regs *regs)
{
	return !(regs->cs & 3);
}
`;
}

/** Functions that read or clear a word, and those through which they are called. */
function consumers(tree: Tree, areas: ReadonlySet<string>): ReadonlySet<TreeFunction> {
  const found = new Set(tree.functions.filter((one) => one.graph().steps.some((step) => readOf(step, areas) !== null || clearOf(step, areas) !== null)));
  for (let before = 0; before < found.size; ) {
    before = found.size;
    for (const one of tree.functions) if (!found.has(one) && one.graph().steps.some((step) => step.kind === 'call' && targetsOf(tree, step, one).some((callee) => found.has(callee)))) found.add(one);
  }
  return found;
}

/** In a tree: the page fault handler takes a word of the host although the fault may be one inside an NMI. */
function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  const areas = handOverAreas(tree);
  if (areas.size === 0) return [];
  const outer: Proof = { key: 'o', what: '', test: (text, holds) => (holds ? text.startsWith('user_mode(') : text.startsWith('in_nmi()')) };
  const pending: Proof = { key: 'p', what: '', does: (step) => readOf(step, areas) !== null };
  const concerned = consumers(tree, areas);
  for (const entry of entriesOf(tree)) {
    if (entry.vector !== 'PF') continue;
    watchProofs(tree, entry.function, [outer, pending], {
      facts: factsOf(entry),
      follow: (callee) => concerned.has(callee),
      at: (step, missing, where) => {
        const nested = missing.includes(outer);
        const word = clearOf(step, areas);
        const caller = where.calls.at(-1);
        if (word !== null && nested) {
          // A function that does not know the frame is a part of the one that calls it.
          const own = caller === undefined || where.function.parameters.includes('regs');
          const at = own ? step : caller.step;
          found.at(at, own ? where : { function: caller.function, calls: where.calls.slice(0, -1) }, `${word} is taken by any page fault, also by one inside an NMI that arrived before the handler of the host's event had read it: that event is lost; leave the word alone where the fault is from kernel mode in an NMI`, { severity: 'error' });
          return true;
        }
        if (isCall(step, /^panic$/) && nested && !missing.includes(pending) && where.calls.length > 0) {
          found.at(step, where, 'a pending word of the host makes every kernel page fault fatal, also one inside an NMI that arrived before the handler of the host\'s event: ask in_nmi() first and leave the word to that handler', { severity: 'error' });
          return true;
        }
        return false;
      },
    });
  }
  return found.all();
}

export const oneSlotWordConsumedByNested: Rule = {
  name: 'one-slot-word-consumed-by-nested',
  id: 'XR-VE15',
  group: 'Re-entrancy and #VE',
  severity: 'error',
  summary: 'a one-slot word is consumed by the handler of another event than the one it was written for',
  why: 'The host writes a flag and injects a #PF. Before the handler reads the flag an NMI arrives, its own user access takes a real #PF, and that handler reads and clears the same flag. The outer handler then finds nothing and takes the token in CR2 for an address.',
  instead: 'Ask for the origin first: a #PF from kernel mode is never the host\'s, so it must leave the word alone. A sequence number in the word does the same.',
  falsePositives: ['Words that carry an owner or a sequence number.'],
  references: ['semantics APF-02, APF-05', 'Linux, arch/x86/kernel/kvm.c'],
  bad: [{ title: 'The flag first, the origin second', files: { 'design.c': design('if (consume_flags() && !from_kernel(regs))\n\t\treturn;', ' //~ one-slot-word-consumed-by-nested') } }],
  good: [{ title: 'The origin first', files: { 'design.c': design('if (!from_kernel(regs) && consume_flags())\n\t\treturn;', '') } }],
  judge,
  inspect: null,
  examine,
  fix: null,
};
