// XR-VE05: the handler itself does something that raises its vector while the guard is set, and the fallback is not
// said to be acceptable.
import { RSP } from '../machine/registers.ts';
import { vectorTitle } from '../machine/vectors.ts';
import { isConstant, UNKNOWN } from '../machine/word.ts';
import type { Step, Tree } from '../tree/tree.ts';
import { guardedWord, rearmInterrupt } from './example-text.ts';
import type { Judgement, Observation, Rule } from './rule.ts';
import { entriesOf, findings } from './tree-entries.ts';
import { watchProofs } from './tree-proofs.ts';
import { spokenName, fallbackAccepted, guardPremises, handlerOf, placeOf } from './vocabulary.ts';

const CONSEQUENCE: Readonly<Record<string, string>> = { vmexit: 'a VM exit that only the host can resolve', df: 'a double fault', shutdown: 'a shutdown' };

function judge(observation: Observation): readonly Judgement[] {
  const { program, before, node } = observation;
  const out: Judgement[] = [];
  for (const effect of observation.effects) {
    if (effect.kind !== 'fallback') continue;
    const guard = program.guards[effect.guard];
    const consequence = CONSEQUENCE[effect.fallback];
    // A machine check is no access's doing, and what a call out of view does is not known.
    if (guard === undefined || consequence === undefined || guard.machineBit !== null || before.frames.at(-1)?.vector !== guard.vector) continue;
    if (node.kind === 'interrupted' || (node.kind === 'operation' && node.operation.kind === 'opaque')) continue;
    // On a stack that user space chose everything is user memory: XR-VE07.
    if (!isConstant(before.registers[RSP] ?? UNKNOWN)) continue;
    if (fallbackAccepted(program, effect.fallback)) continue;
    const immediate = handlerOf(program, guard.vector)?.ist.value === null;
    out.push({
      place: placeOf(node),
      message: `${spokenName(node)} touches memory that can raise ${vectorTitle(guard.vector)} while ${guard.name} is set: the fallback is ${consequence}; ${immediate ? 'read the information and re-arm first' : `do it after the re-arm, or say fallback-ok ${effect.fallback} with a reason`}`,
      premises: guardPremises(program, guard),
      ...(effect.fallback === 'vmexit' ? { severity: 'warning' as const } : {}),
    });
  }
  return out;
}

function counting(first: string, second: string): string {
  return `${guardedWord('immediate', 'info', 'df')}
static u64 count;

/*
 * xctx: handler vector=VE ist=none
 * xctx: never-in gap vectors=VE -- private memory is accepted before it is used
 */
void demo_ve(struct pt_regs *regs)
{
${first}${second}}
`;
}

const readsInfo = (step: Step): boolean => step.kind === 'call' && (step.name === 'tdx_get_ve_info' || /VEINFO/.test(step.arguments[0] ?? ''));
const silent = /^(?:barrier|memset|instrumentation_begin|user_mode)$/;

/** In a tree: what runs in the #VE handler of a TDX guest before the information, and with it the guard, is taken. */
function examine(tree: Tree): readonly Judgement[] {
  const found = findings(tree);
  const handlers = new Set(entriesOf(tree).flatMap((entry) => (entry.vector === 'VE' ? [entry.function] : [])));
  for (const one of tree.functions) {
    const owes = handlers.has(one) && tree.functions.some((other) => other.name === 'tdx_get_ve_info');
    if (!owes && !one.graph().steps.some(readsInfo)) continue;
    watchProofs(tree, one, [{ key: 'i', what: '', does: readsInfo }], {
      at: (step, missing, where) => {
        if (missing.length === 0) return true;
        if (step.kind === 'call' && !readsInfo(step) && !silent.test(step.name)) {
          found.at(step, where, `${step.name}() runs before the #VE information is read: an event that it lets in, or a #VE of its own, finds the information still valid and becomes a double fault; read it first`, { severity: 'error' });
          return true;
        }
        if (step.kind === 'return' && owes) found.at(step, where, 'the #VE handler returns without having read the #VE information: the next #VE becomes a double fault; read it first', { severity: 'error' });
        return false;
      },
    });
  }
  return found.all();
}

export const raisableAccessInsideWindow: Rule = {
  name: 'raisable-access-inside-window',
  id: 'XR-VE05',
  group: 'Re-entrancy and #VE',
  severity: 'error',
  summary: 'the handler can raise its own vector while the guard is set, and the fallback is not accepted',
  why: 'Between delivery and re-arm a second event takes the fallback: a VM exit for hardware #VE, a double fault in a TDX guest. Whatever the handler does in that window and can itself raise the event is decided by the fallback, not by the handler.',
  instead: 'Read the event information and re-arm before anything that can raise the event. Where the fallback is harmless, say so: fallback-ok vmexit -- why.',
  falsePositives: ['Stacks, per-CPU data and entry text are taken to be pinned.', 'Calls that are not in view are listed as unknown, not reported.', 'A guard whose fallback is latched, queued by the host or a mere recursion.'],
  references: ['SDM vol. 3C, "Virtualization Exceptions"', 'semantics VE-02, TDX-03'],
  bad: [
    { title: 'A counter before the information is read, where the fallback is a double fault', files: { 'design.c': counting('\tcount++; //~ raisable-access-inside-window\n', '\tthis_cpu_write(ve_page.busy, 0);\n') } },
    {
      title: 'A counter in a handler that re-arms later, and nothing said about the VM exit',
      files: {
        'design.c': `${guardedWord('deferred')}
static u64 count;

/*
 * xctx: handler vector=VE ist=VE
 * xctx: defers-to ve_rearm via=self-ipi
 */
void demo_ve(struct pt_regs *regs)
{
	apic_self_ipi(0xf3);
	count++; //~ raisable-access-inside-window
}
${rearmInterrupt}`,
      },
    },
  ],
  good: [{ title: 'The re-arm first', files: { 'design.c': counting('\tthis_cpu_write(ve_page.busy, 0);\n', '\tcount++;\n') } }],
  judge,
  inspect: null,
  examine,
  saidOnce: true,
  fix: null,
};
