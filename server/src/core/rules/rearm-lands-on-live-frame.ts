// XR-VE04: interrupts are enabled while a guarded frame is live on a rewinding stack, so the interrupt that re-arms is
// taken above that frame, and the next event overwrites it.
import type { Place } from '../base/span.ts';
import type { CodeNode } from '../machine/code.ts';
import { vectorTitle } from '../machine/vectors.ts';
import type { Guard, Program } from '../program/program.ts';
import { handlerTree, nodesOf } from './call-tree.ts';
import { guardedWord, rearmInterrupt } from './example-text.ts';
import type { Fix } from './finding.ts';
import { exposedBy, lossesOf, UNSEEN_NMI } from './overwritten.ts';
import type { Inspection, Judgement, Observation, Rule } from './rule.ts';
import { linesAround, statementAround } from './text-edits.ts';
import { spokenName, guardPremises, handlerOf, placeOf, stackName } from './vocabulary.ts';

const ENABLING = /(^|_)irq_enable$|^asm:sti$|^local_irq_restore$/;
const DISABLING = /(^|_)irq_disable$|^asm:cli$/;

function named(node: CodeNode, names: RegExp, mnemonic: string): boolean {
  if (node.kind === 'instruction') return node.mnemonic === mnemonic;
  return node.kind === 'operation' && node.operation.kind === 'primitive' && names.test(node.operation.name);
}

function enabledIn(program: Program, guard: Guard): CodeNode | null {
  const handler = handlerOf(program, guard.vector);
  if (handler === null) return null;
  for (const symbol of handlerTree(program, handler)) {
    const found = nodesOf(program, symbol).find((node) => named(node, ENABLING, 'sti'));
    if (found !== undefined) return found;
  }
  return null;
}

function judge(observation: Observation): readonly Judgement[] {
  const { program } = observation;
  const out: Judgement[] = [];
  for (const { lost, cause } of lossesOf(observation)) {
    if (cause.kind !== 'cleared-above') continue;
    const { guard, store } = cause;
    const enabling = enabledIn(program, guard) ?? store;
    out.push({
      place: placeOf(enabling),
      message: `interrupts are enabled while the ${vectorTitle(lost.vector)} frame on the ${stackName(program, lost)} stack is live: ${spokenName(store)} is taken above it and clears ${guard.name}, and the next ${vectorTitle(lost.vector)} overwrites the frame; keep IF at 0 until IRET`,
      premises: guardPremises(program, guard),
      related: enabling === store ? [] : [{ place: placeOf(store), message: `${guard.name} is cleared here` }],
    });
  }
  for (const cause of exposedBy(observation)) {
    if (cause.kind !== 'cleared-above') continue;
    const { guard, store } = cause;
    const enabling = enabledIn(program, guard) ?? store;
    out.push({
      place: placeOf(enabling),
      message: `interrupts are enabled while a ${vectorTitle(guard.vector)} frame on an IST stack is live: ${spokenName(store)} is taken above it and clears ${guard.name}, and an NMI that touches memory which can fail brings the next ${vectorTitle(guard.vector)}, which overwrites the frame; keep IF at 0 until IRET`,
      premises: [...guardPremises(program, guard), UNSEEN_NMI],
      related: enabling === store ? [] : [{ place: placeOf(store), message: `${guard.name} is cleared here` }],
    });
  }
  return out;
}

/** Deletes the statement that enables interrupts and the one of the same function that disables them again. */
function fix(place: Place, inspection: Inspection): Fix | null {
  const { program } = inspection;
  const text = inspection.text(place.file);
  const enabling = program.code.nodes.find((node) => node.kind === 'operation' && named(node, ENABLING, 'sti') && placeOf(node).file === place.file && placeOf(node).span.start === place.span.start);
  if (text === null || enabling === undefined) return null;
  const after = nodesOf(program, enabling.symbol).find((node) => node.id > enabling.id && named(node, DISABLING, 'cli'));
  const edits = [enabling, after].filter((node) => node !== undefined).map((node) => ({ place: { file: place.file, span: linesAround(text, statementAround(text, placeOf(node).span.start)) }, newText: '' }));
  return { title: 'Leave interrupts off until IRET', edits };
}

function slowPart(before: string, after: string): string {
  return `${guardedWord('deferred')}
/*
 * xctx: handler vector=VE ist=VE
 * xctx: defers-to ve_rearm via=self-ipi
 * xctx: fallback-ok vmexit -- the host stops the virtual CPU until the page is back
 */
void demo_ve(struct pt_regs *regs)
{
	apic_self_ipi(0xf3);
${before}	slow_part(regs);
${after}}

static u64 count;

static void slow_part(struct pt_regs *regs)
{
	count++;
}
${rearmInterrupt}`;
}

export const rearmLandsOnLiveFrame: Rule = {
  name: 'rearm-lands-on-live-frame',
  id: 'XR-VE04',
  group: 'Re-entrancy and #VE',
  severity: 'error',
  summary: 'interrupts are enabled on an IST stack, and the deferral that re-arms runs above the live frame',
  why: 'A self-IPI waits in the APIC while IF is 0, which is from delivery to IRET. With IF set it is accepted at the next instruction boundary, and as its gate has no IST stack its frame goes onto the IST stack, below the frame of the event that it re-arms. Then the word is 0 and that frame is live.',
  instead: 'Do not enable interrupts on an IST stack. Leave slow work to task work, or do it after the stub has moved to the task stack.',
  falsePositives: ['Enabling interrupts on a path that does not return, as a panic loop does.', 'Vectors without IST, where enabling interrupts by the interrupted IF is the rule.'],
  references: ['SDM vol. 3A, "Masking Maskable Hardware Interrupts"', 'semantics IF-01'],
  bad: [{ title: 'Interrupts on around the slow part', files: { 'design.c': slowPart('\tlocal_irq_enable(); //~ rearm-lands-on-live-frame\n', '\tlocal_irq_disable();\n') } }],
  good: [{ title: 'Interrupts stay off', files: { 'design.c': slowPart('', '') } }],
  judge,
  inspect: null,
  fix,
};
