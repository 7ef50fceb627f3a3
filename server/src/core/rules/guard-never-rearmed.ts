// XR-VE03: everything is quiet and the guard is still set: its event never comes again. Reported at the return that
// leaves the handler without a re-arm, or at the handler where none has one.
import type { Place } from '../base/span.ts';
import type { CodeNode, NodeId } from '../machine/code.ts';
import { IRQ_WORK_VECTOR, PRIMITIVE_BY_NAME } from '../kernel/primitives.ts';
import { vectorTitle } from '../machine/vectors.ts';
import type { Guard, Handler, Program } from '../program/program.ts';
import { SKETCH_VECTOR } from '../program/deferrals.ts';
import { armsDeferral, clears, handlerTree, nodesOf, reachedFrom } from './call-tree.ts';
import { guardedWord, rearmInterrupt } from './example-text.ts';
import type { Fix } from './finding.ts';
import type { Inspection, Judgement, Observation, Rule } from './rule.ts';
import { indentAt, linesAround, statementAround } from './text-edits.ts';
import { guardPremises, handlerName, handlerOf, handlerPlace, placeOf } from './vocabulary.ts';

/** Where a sketch leaves code out (`...`), it may be done. */
function leavesOut(node: CodeNode): boolean {
  return node.kind === 'operation' && node.operation.kind === 'opaque' && node.operation.name === '...';
}

/**
 * Whether a deferral runs a function that is not known to be the one in view: of a sketch several may be queued, and the
 * vector of a constant that is not in view is whichever handler's the sketch does not show.
 */
function runsUnknown(program: Program, node: CodeNode): boolean {
  if (program.sketch && node.kind === 'operation' && node.operation.kind === 'opaque' && QUEUES.test(node.operation.name)) return true;
  if (!program.sketch || !armsDeferral(node) || node.kind !== 'operation' || node.operation.kind !== 'primitive') return false;
  const { name, arguments: given } = node.operation;
  if (program.directives.some((directive) => directive.kind === 'defers-to')) return false;
  const effect = PRIMITIVE_BY_NAME.get(name)?.effect;
  if (effect === 'task-work') return program.taskWorkEntry === null;
  if (effect === 'irq-work') return !program.handlers.some(({ vector }) => vector === IRQ_WORK_VECTOR);
  const vector = given.at(-1);
  return effect === 'self-ipi' && (vector?.kind !== 'constant' || vector.value === BigInt(SKETCH_VECTOR) || !program.handlers.some((handler) => BigInt(handler.vector) === vector.value));
}

/** Hands a function over to code that is not modelled, which runs it some time on some CPU. */
const QUEUES = /^(?:(?:schedule|queue)_(?:delayed_)?work(?:_on)?|tasklet_(?:hi_)?schedule|raise_softirq(?:_irqoff)?|call_rcu|mod_timer|wake_up_process)$/;

function rearms(program: Program, node: CodeNode, guard: Guard): boolean {
  if (clears(node, guard) || armsDeferral(node)) return true;
  if (node.kind !== 'operation' || node.operation.kind !== 'call') return false;
  const callee = program.code.nodes[node.operation.callee]?.symbol;
  if (callee === undefined || callee === node.symbol) return false;
  return [...reachedFrom(program, callee)].some((symbol) => nodesOf(program, symbol).some((one) => clears(one, guard) || armsDeferral(one)));
}

function following(node: CodeNode): readonly NodeId[] {
  if (node.kind !== 'operation') return [];
  const { operation } = node;
  if (operation.kind === 'branch') return [operation.then, operation.otherwise];
  return operation.kind === 'return' ? [] : [operation.next];
}

interface Exits {
  /** Returns that no re-arm comes before. */
  readonly bare: readonly CodeNode[];
  readonly anyRearm: boolean;
}

function exitsOf(program: Program, handler: Handler, guard: Guard): Exits {
  const first = handler.function === null ? undefined : program.functions.get(handler.function)?.first;
  const bare: CodeNode[] = [];
  const seen = new Set<NodeId>(first === undefined ? [] : [first]);
  for (const id of seen) {
    const node = program.code.nodes[id];
    if (node === undefined || rearms(program, node, guard)) continue;
    if (node.kind === 'operation' && node.operation.kind === 'return') bare.push(node);
    for (const next of following(node)) seen.add(next);
  }
  const anyRearm = handler.function !== null && nodesOf(program, handler.function).some((node) => rearms(program, node, guard));
  return { bare, anyRearm };
}

function callsOutOfView(program: Program, handler: Handler): boolean {
  return [...handlerTree(program, handler)].some((symbol) =>
    nodesOf(program, symbol).some((node) => (node.kind === 'operation' && node.operation.kind === 'opaque') || (node.kind === 'instruction' && node.mnemonic.startsWith('call') && node.target === null)),
  );
}

function judge(observation: Observation): readonly Judgement[] {
  const { program } = observation;
  const out: Judgement[] = [];
  for (const effect of observation.effects) {
    if (effect.kind !== 'guard-busy-at-quiescence') continue;
    const guard = program.guards[effect.guard];
    const handler = guard === undefined ? null : handlerOf(program, guard.vector);
    if (guard === undefined || handler === null) continue;
    // What hardware guards and nobody declared is cleared by C code, which may not be in view.
    const { bare, anyRearm } = exitsOf(program, handler, guard);
    // What is left out may arm one, and one that is armed may do it where nobody sees.
    if ([...handlerTree(program, handler)].some((symbol) => nodesOf(program, symbol).some((one) => leavesOut(one) || runsUnknown(program, one)))) continue;
    // A deferral that is declared and nowhere in view may be armed there too.
    const elsewhere = guard.implicit || (!anyRearm && program.directives.some((directive) => directive.kind === 'defers-to'));
    if ((guard.implicit && handler.byName) || (elsewhere && callsOutOfView(program, handler))) continue;
    const early = anyRearm ? bare.find((node) => node.text.startsWith('return')) : undefined;
    const place = early === undefined ? handlerPlace(program, handler) : placeOf(early);
    if (place === null) continue;
    const where = early === undefined ? `${handlerName(handler)} returns with ${guard.name} set and nothing left that clears it` : `${handlerName(handler)} returns here with ${guard.name} set and no deferral armed`;
    const premises = guardPremises(program, guard);
    const grave = guard.fallback === 'df' || guard.fallback === 'shutdown';
    const after = grave ? `the next ${vectorTitle(guard.vector)} is a ${guard.fallback === 'df' ? 'double fault' : 'shutdown'}` : `${vectorTitle(guard.vector)} never comes again on this CPU`;
    const mend = early === undefined ? 'arm a deferral that clears it before the first return' : 'arm the deferral before this return';
    out.push({ place, message: `${where}: ${after}; ${mend}`, premises, ...(grave ? { severity: 'error' as const } : {}) });
  }
  return out;
}

/**
 * Without an access in view that can be fixed up no run takes the branch behind fixup_exception(): there a return that no
 * re-arm comes before is read off the handler.
 */
function inspect({ program }: Inspection): readonly Judgement[] {
  if (program.code.extable.length > 0) return [];
  return program.guards.flatMap((guard): readonly Judgement[] => {
    const handler = handlerOf(program, guard.vector);
    if (guard.implicit || handler === null || handler.function === null) return [];
    if (!nodesOf(program, handler.function).some((node) => node.kind === 'operation' && node.operation.kind === 'call' && program.code.nodes[node.operation.callee]?.symbol === 'fixup_exception')) return [];
    const { bare, anyRearm } = exitsOf(program, handler, guard);
    const early = anyRearm ? bare.find((node) => node.text.startsWith('return')) : undefined;
    if (early === undefined) return [];
    return [{ place: placeOf(early), message: `${handlerName(handler)} returns here with ${guard.name} set and no deferral armed: ${vectorTitle(guard.vector)} never comes again on this CPU; arm the deferral before this return`, premises: guardPremises(program, guard) }];
  });
}

/** Moves the first deferral of the handler to its beginning. */
function fix(place: Place, inspection: Inspection): Fix | null {
  const { program } = inspection;
  const text = inspection.text(place.file);
  const handler = program.handlers.find((one) => one.function !== null && within(program, one.function, place));
  if (text === null || handler === undefined || handler.function === null) return null;
  const nodes = nodesOf(program, handler.function);
  const arming = nodes.find(armsDeferral);
  const first = nodes.find((node) => node.kind === 'operation' && node.operation.kind !== 'enter' && !/^(struct|u\d+|unsigned|int|bool)\b/.test(textOfStatement(text, placeOf(node))));
  if (arming === undefined || first === undefined) return null;
  const statement = statementAround(text, placeOf(arming).span.start);
  const target = statementAround(text, placeOf(first).span.start).start;
  if (target >= statement.start) return null;
  const written = text.slice(statement.start, statement.end);
  return {
    title: `Arm ${/^\w+/.exec(written)?.[0] ?? 'the deferral'}() before the first return`,
    edits: [
      { place: { file: place.file, span: { start: target, end: target } }, newText: `${written}\n${indentAt(text, target)}` },
      { place: { file: place.file, span: linesAround(text, statement) }, newText: '' },
    ],
  };
}

function textOfStatement(text: string, place: Place): string {
  const span = statementAround(text, place.span.start);
  return text.slice(span.start, span.end);
}

function within(program: Program, name: string, place: Place): boolean {
  const source = program.functions.get(name)?.source ?? null;
  return source !== null && source.file === place.file && source.span.start <= place.span.start && place.span.end <= source.span.end;
}

export const guardNeverRearmed: Rule = {
  name: 'guard-never-rearmed',
  id: 'XR-VE03',
  group: 'Re-entrancy and #VE',
  severity: 'warning',
  summary: 'a path through the handler leaves the guard set for good',
  why: 'While the word is set the event does not come: an EPT violation is a VM exit again, a second #MC is a shutdown. Hardware never clears it. A handler that returns on one path without a re-arm works in every test that does not take that path, and then the event is off for ever on that CPU.',
  instead: 'Arm the deferral before the first return, or leave through one exit that re-arms. Where the fallback is a double fault or a shutdown, this is an error.',
  falsePositives: ['Paths that end in panic() or another function that does not return.', 'An interrupt that is pending counts as a re-arm to come.'],
  references: ['SDM vol. 3C, "Virtualization Exceptions"', 'semantics VE-02, VE-03'],
  bad: [
    {
      title: 'An early return in front of the deferral',
      files: {
        'design.c': `${guardedWord('deferred')}
/*
 * xctx: handler vector=VE ist=VE
 * xctx: defers-to ve_rearm via=self-ipi
 * xctx: fallback-ok vmexit -- the host stops the virtual CPU until the page is back
 */
void demo_ve(struct pt_regs *regs)
{
	if (user_mode(regs))
		return; //~ guard-never-rearmed
	apic_self_ipi(0xf3);
}
${rearmInterrupt}`,
      },
    },
    {
      title: 'No path re-arms',
      files: {
        'design.c': `${guardedWord('deferred')}
/* xctx: handler vector=VE ist=VE */
void demo_ve(struct pt_regs *regs) //~ guard-never-rearmed
{
}
`,
      },
    },
  ],
  good: [
    {
      title: 'The deferral comes first',
      files: {
        'design.c': `${guardedWord('deferred')}
/*
 * xctx: handler vector=VE ist=VE
 * xctx: defers-to ve_rearm via=self-ipi
 * xctx: fallback-ok vmexit -- the host stops the virtual CPU until the page is back
 */
void demo_ve(struct pt_regs *regs)
{
	apic_self_ipi(0xf3);
	if (user_mode(regs))
		return;
}
${rearmInterrupt}`,
      },
    },
  ],
  judge,
  inspect,
  fix,
};
