// XR-VE06: the event information is read when the guard is already clear, and may belong to a newer event.
import type { Place } from '../base/span.ts';
import { vectorTitle } from '../machine/vectors.ts';
import { clears, handlerTree, nodesOf } from './call-tree.ts';
import type { Guard, Program } from '../program/program.ts';
import { guardedWord } from './example-text.ts';
import type { Fix } from './finding.ts';
import type { Inspection, Judgement, Observation, Rule } from './rule.ts';
import { indentAt, linesAround, statementAround } from './text-edits.ts';
import { spokenName, guardPremises, handlerOf, placeOf } from './vocabulary.ts';

function judge(observation: Observation): readonly Judgement[] {
  const { program, node } = observation;
  const out: Judgement[] = [];
  for (const effect of observation.effects) {
    if (effect.kind !== 'info-read' || !effect.afterClear) continue;
    const guard = program.guards[effect.guard];
    if (guard === undefined || node.kind === 'interrupted' || !rearmsItself(program, guard)) continue;
    out.push({
      place: placeOf(node),
      message: `${spokenName(node)} reads the event information after ${guard.name} was cleared: a ${vectorTitle(guard.vector)} in between has overwritten it; copy it before the re-arm`,
      premises: guardPremises(program, guard),
    });
  }
  return out;
}

/** Where only an interrupt clears the word, it was taken too early: XR-VE04. */
function rearmsItself(program: Program, guard: Guard): boolean {
  const handler = handlerOf(program, guard.vector);
  if (handler === null) return false;
  return [...handlerTree(program, handler)].some((symbol) => nodesOf(program, symbol).some((node) => clears(node, guard)));
}

/** Moves the statement that clears the word behind the one that reads. */
function fix(place: Place, inspection: Inspection): Fix | null {
  const { program } = inspection;
  const text = inspection.text(place.file);
  const read = program.code.nodes.find((node) => node.kind === 'operation' && placeOf(node).file === place.file && placeOf(node).span.start === place.span.start);
  if (text === null || read === undefined) return null;
  const store = nodesOf(program, read.symbol).find((node) => node.id < read.id && program.guards.some((guard) => clears(node, guard)));
  if (store === undefined) return null;
  const cleared = statementAround(text, placeOf(store).span.start);
  const reading = statementAround(text, place.span.start);
  if (cleared.end > reading.start) return null;
  return {
    title: 'Read the information before the re-arm',
    edits: [
      { place: { file: place.file, span: linesAround(text, cleared) }, newText: '' },
      { place: { file: place.file, span: { start: reading.end, end: reading.end } }, newText: `\n${indentAt(text, reading.start)}${text.slice(cleared.start, cleared.end)}` },
    ],
  };
}

function reading(...statements: readonly string[]): string {
  return `${guardedWord('immediate', 'info')}
/*
 * xctx: handler vector=VE ist=none
 * xctx: never-in gap vectors=VE -- the host never takes entry text or stacks away
 */
void demo_ve(struct pt_regs *regs)
{
	struct ve_page *ve = this_cpu_ptr(&ve_page);
	u64 gpa;

${statements.map((statement) => `\t${statement}\n`).join('')}	regs->ax = gpa;
}
`;
}

export const infoReadAfterRearm: Rule = {
  name: 'info-read-after-rearm',
  id: 'XR-VE06',
  group: 'Re-entrancy and #VE',
  severity: 'error',
  summary: 'event information is read after the guard that protects it was cleared',
  why: 'The information area has room for one event. From the store that clears its word on, the next event writes there: after an NMI whose handler fails too, the address that the handler reads is that of another page, and the wrong one is brought back.',
  instead: 'Copy what is needed, then clear the word.',
  falsePositives: ['The word itself may be read at any time.'],
  references: ['SDM vol. 3C, "Virtualization-Exception Information"', 'semantics VE-05, APF-06'],
  bad: [{ title: 'Re-armed first, read second', files: { 'design.c': reading('ve->busy = 0;', 'gpa = ve->gpa; //~ info-read-after-rearm') } }],
  good: [{ title: 'Read first', files: { 'design.c': reading('gpa = ve->gpa;', 've->busy = 0;') } }],
  judge,
  inspect: null,
  fix,
};
