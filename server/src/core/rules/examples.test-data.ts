// Reviews a small unit given as files by name, as the examples of the rules are, and reads the marks in them.
import type { Place } from '../base/span.ts';
import { preprocess } from '../preprocess/preprocess.ts';
import { buildProgram } from '../program/build.ts';
import { cSource } from '../program/c-lower.ts';
import type { Program } from '../program/program.ts';
import { applies, createRun, excludes } from '../review/run.ts';
import { builtInScenarios } from '../scenarios/built-in.ts';
import { isScenarioFile, parseScenarios } from '../scenarios/scenario-file.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import { createCParser } from '../syntax/c.ts';
import { parseAnnotations } from '../syntax/annotations.ts';
import { scanComments } from '../syntax/comments.ts';
import { testParsers } from '../syntax/parsers.test-data.ts';
import type { Finding, Severity } from './finding.ts';
import { RULES } from './index.ts';
import type { Inspection, Rule } from './rule.ts';
import { severityOf } from './severity.ts';
import { unusedSuppressionFindings } from './unused-suppression.ts';
import { suppressed } from './suppressions.ts';

export interface UnitFinding {
  readonly rule: string;
  readonly severity: Severity;
  readonly place: Place;
  readonly message: string;
}

export interface ReviewedUnit {
  readonly inspection: Inspection;
  readonly findings: readonly UnitFinding[];
  readonly problems: readonly string[];
}

export interface UnitSource {
  readonly files: readonly string[];
  readonly read: (file: string) => string | null;
}

const assembler = { name: 'examples', defines: new Map([['__ASSEMBLY__', '1']]), includePaths: [] };
const compiler = { name: 'examples', defines: new Map<string, string>(), includePaths: [] };

export function unitOf(files: Readonly<Record<string, string>>): UnitSource {
  return { files: Object.keys(files), read: (file) => files[file] ?? null };
}

/** Everything that the rules say of a unit, by inspection and by all scenarios that apply. */
export async function reviewUnit(unit: UnitSource, rules: readonly Rule[] = RULES, maxStates = 60_000): Promise<ReviewedUnit> {
  const parse = createCParser(await testParsers());
  const streams = unit.files.filter((file) => file.endsWith('.S')).map((file) => preprocess(file, unit, assembler));
  const sources = unit.files.filter((file) => file.endsWith('.c')).map((file) => cSource(file, unit, parse, compiler));
  const sets = unit.files.filter((file) => /\.[Sc]$/.test(file)).map((file) => {
    const text = unit.read(file) ?? '';
    return parseAnnotations(file, text, scanComments(text, file.endsWith('.c') ? 'c' : 'gas'));
  });
  const directives = sets.flatMap((set) => set.directives);
  const program = buildProgram({ streams, sources, directives, design: null });
  const inspection: Inspection = { program, text: unit.read, annotations: sets.flatMap((set) => set.annotations), annotationProblems: sets.flatMap((set) => set.problems) };
  const found: UnitFinding[] = [];
  for (const rule of rules) {
    for (const judgement of rule.inspect?.(inspection) ?? []) found.push({ rule: rule.name, severity: severityOf(rule, judgement), place: judgement.place, message: judgement.message });
  }
  for (const { scenario, design } of scenariosOf(unit, program)) {
    for (const start of scenario.start) {
      if (excludes(design, scenario, start) !== null) continue;
      const run = createRun(design, scenario, start, 'unit', rules, { maxStates, reference: false });
      while (!run.advance(20_000).done) continue;
      found.push(...run.report().findings);
    }
  }
  const problems = [...sources, ...streams].flatMap((one) => one.problems.map((problem) => `${problem.place.file}: ${problem.message}`));
  const { kept, unused } = suppressed(withoutRepeats(found), inspection);
  return { inspection, findings: [...kept, ...(rules === RULES ? unusedSuppressionFindings(unused) : [])], problems };
}

function scenariosOf(unit: UnitSource, program: Program): readonly { readonly scenario: Scenario; readonly design: Program }[] {
  const own = unit.files.filter(isScenarioFile).flatMap((file) => parseScenarios(file, unit.read(file) ?? '').scenarios);
  return [
    ...builtInScenarios.filter((scenario) => applies(program, scenario)).map((scenario) => ({ scenario, design: program })),
    ...own.map((scenario) => ({ scenario, design: buildProgram({ streams: [], sources: [], directives: [], design: { handlers: scenario.handlers, guards: scenario.guards } }) })),
  ];
}

/** One finding for each rule and place. */
function withoutRepeats(found: readonly UnitFinding[]): readonly UnitFinding[] {
  const kept = new Map<string, UnitFinding>();
  for (const one of found) {
    const key = `${one.rule}@${one.place.file}:${one.place.span.start}`;
    if (!kept.has(key)) kept.set(key, one);
  }
  return [...kept.values()];
}

export function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** `file:line rule` for each mark; several names on one line are separated by blanks. */
export function marksOf(files: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(files).flatMap(([file, text]) =>
    text.split('\n').flatMap((line, index) => {
      const names = /(?:\/\/|#)~ ([a-z-]+(?: [a-z-]+)*)/.exec(line)?.[1] ?? '';
      return names === '' ? [] : names.split(' ').map((name) => `${file}:${index + 1} ${name}`);
    }),
  );
}

export function spokenOf(findings: readonly Pick<Finding, 'rule' | 'place'>[], files: Readonly<Record<string, string>>): readonly string[] {
  return findings.map(({ rule, place }) => `${place.file}:${lineOf(files[place.file] ?? '', place.span.start)} ${rule}`).sort();
}
