// What the front end could not read, as findings. In a kernel tree that says more about the front end than about the
// kernel, so that C which it does not understand is no finding there but counts as unknown.
import type { Place } from '../base/span.ts';
import { instructionDoors } from '../contexts/entry-doors.ts';
import { is32Bit, originOfName } from '../program/conventional-gates.ts';
import { intelAt } from '../syntax/asm-intel.ts';
import type { Unknown } from '../review-types.ts';
import type { Finding } from '../rules/finding.ts';
import { belongsToEntry } from '../tree/files.ts';
import type { ChosenConfiguration } from './streams.ts';
import { plainFinding } from './findings.ts';
import type { LinkedUnit } from './unit.ts';
import { assemblerProblems, frontEndProblems, isAssembler, isC } from './unit.ts';

export function readingFindings(linked: LinkedUnit, file: string, { problem }: ChosenConfiguration): readonly Finding[] {
  const out: Finding[] = [];
  const intel = linked.root === null && isAssembler(file) ? intelAt(linked.reads.get(file) ?? '') : null;
  if (problem !== null) out.push(plainFinding('configuration', 'info', { file, span: { start: 0, end: 0 } }, problem));
  // In a sketch code is not followed behind a macro that nobody defines, which is told. In a kernel tree such a macro belongs to the file that includes this one.
  if (linked.root !== null) for (const one of assemblerProblems(linked, file)) out.push(plainFinding('preprocessor', one.message.endsWith('is no known macro') ? 'hint' : 'warning', one.place, one.message));
  else if (intel !== null) out.push(plainFinding('preprocessor', 'warning', { file, span: intel }, 'this is Intel syntax, which is not read: only AT&T syntax is'));
  else for (const one of withoutMissing(frontEndProblems(linked, file)).filter(({ message }) => !message.endsWith('is no known macro'))) out.push(one.language === 'gas' ? plainFinding('preprocessor', 'warning', one.place, one.message) : plainFinding('syntax', 'info', one.place, one.message));
  const missing = missingHeaders(linked, file);
  const [first] = missing;
  if (first !== undefined) {
    const names = missing.map((each) => each.name);
    const others = names.length === 1 ? '' : ` and ${names.length - 1} more`;
    out.push(plainFinding('generated-headers', 'hint', first.place, `the build makes ${first.name}${others}: what they define is unknown in this tree`));
  }
  return out;
}

const MISSING = 'cannot find include file ';

/** The headers that are not in view as one problem, at the first. */
function withoutMissing<T extends { readonly message: string }>(problems: readonly T[]): readonly T[] {
  const missing = problems.filter(({ message }) => message.startsWith(MISSING));
  const [first, ...others] = missing;
  if (first === undefined || others.length === 0) return problems;
  const told = { ...first, message: `${first.message} and ${others.length} more` };
  return problems.flatMap((one) => (one === first ? [told] : missing.includes(one) ? [] : [one]));
}

/** Headers of a kernel's build that are not there, at the includes of one file. */
function missingHeaders(linked: LinkedUnit, file: string): readonly { readonly name: string; readonly place: Place }[] {
  if (linked.root === null) return [];
  return linked.streams.flatMap((stream) => stream.includes).filter((include) => include.resolved === null && include.place.file === file);
}

/** What was not understood in a unit: calls that are not in view, and text that could not be read. Of a kernel tree only
 * its entry code: nothing is judged of the rest. */
export function unknownOf(linked: LinkedUnit): readonly Unknown[] {
  const { root } = linked;
  if (root !== null && !linked.unit.files.some((file) => belongsToEntry(file.slice(root.length)))) return [];
  const unread = root === null ? [] : linked.unit.files.filter(isC).flatMap((file) => frontEndProblems(linked, file).flatMap(({ language, place, message }) => (language === 'c' ? [{ kind: 'unread', place, message } as const] : [])));
  return [...(root === null ? notJudged(linked) : []), ...linked.program.unknown, ...unread];
}

/** FRED's: what their arms call is judged, whatever the event. */
const DISPATCHER = /^fred_/;

/** Entry code that nothing ties to an event: silence about it means nothing. */
function notJudged({ program, scenarioFiles }: LinkedUnit): readonly Unknown[] {
  if (program.handlers.length > 0 || program.syscallEntries.length > 0 || program.syscallExit !== null || program.gap !== null || program.fred !== null || instructionDoors(program).length > 0 || scenarioFiles.size > 0) return [];
  const returning = new Set(program.code.nodes.flatMap((node) => (node.kind === 'instruction' && (/^(?:iret|eret|sysret)/.test(node.mnemonic) || (node.mnemonic === 'jmp' && node.target === null && node.targetName !== null)) ? [node.symbol] : [])));
  // That of a 32-bit kernel is followed by a machine of its own.
  const other = new Set(program.streams.filter(is32Bit).map(({ file }) => file));
  const stubs = [...program.functions.values()].filter((info) => info.language === 'asm' && returning.has(info.name) && !other.has(info.place.file)).map(({ name }) => name);
  const handlers = program.sources.flatMap((source) => source.functions).filter((one) => one.definedBy === null && /\bpt_regs\b/.test(one.parameters[0]?.type ?? '') && !DISPATCHER.test(one.name) && originOfName(one.name) === null).map(({ name }) => `${name}()`);
  const [first] = [...stubs, ...handlers];
  if (first === undefined) return [];
  return [{ kind: 'not-judged', first, others: stubs.length + handlers.length - 1 }];
}
