// A fix is offered only after a run of the finding's scenario on the edited texts, from all its starts, no longer shows
// the finding and shows no error; of the entry paths, where it shows one finding less and no other error.
import type { Configuration, FileSource } from '../preprocess/stream.ts';
import type { Finding, Fix } from '../rules/finding.ts';
import type { Rule } from '../rules/rule.ts';
import type { CTranslationUnit } from '../syntax/c-syntax.ts';
import { createStreams } from './streams.ts';
import { createRun, excludes } from './run.ts';
import { createKernelRun } from './kernel-run.ts';
import { unitVariants } from './kernel-review.ts';
import { ENTRY_PATHS } from './path-scenarios.ts';
import { frontEndProblems, linkUnit, programFor, scenariosOf } from './unit.ts';
import type { LinkedUnit } from './unit.ts';

/** States of one verifying run; a fix that is not settled by then is not offered. */
const MOST_STATES = 150_000;

/** The texts with the edits of a fix applied, last edit first, so that the offsets of the others stay. */
export function edited(source: FileSource, fix: Fix): FileSource {
  return {
    read: (path) => {
      const text = source.read(path);
      const edits = fix.edits.filter((edit) => edit.place.file === path).sort((a, b) => b.place.span.start - a.place.span.start);
      if (text === null || edits.length === 0) return text;
      return edits.reduce((now, edit) => now.slice(0, edit.place.span.start) + edit.newText + now.slice(edit.place.span.end), text);
    },
  };
}

/** Of the rule's findings there are fewer, and of no error more: a stub may lack several things. */
function mendsPaths(rule: string, before: LinkedUnit, after: LinkedUnit, rules: readonly Rule[]): boolean {
  const [was, is] = [pathFindings(before, rules), pathFindings(after, rules)];
  if (was === null || is === null) return false;
  const count = (findings: readonly Finding[], of: string): number => findings.filter((one) => one.rule === of).length;
  return count(is, rule) < count(was, rule) && is.every((one) => one.severity !== 'error' || count(is, one.rule) <= count(was, one.rule));
}

/** What is found on the entry paths of a unit; null where they are too many to tell. */
function pathFindings({ program, unit }: LinkedUnit, rules: readonly Rule[]): readonly Finding[] | null {
  const run = createKernelRun({ program, configuration: unit.name, variants: unitVariants(program), beside: false }, rules);
  return run.advance(MOST_STATES) ? run.reports().flatMap((report) => report.findings) : null;
}

export function mends(fix: Fix, finding: Finding, linked: LinkedUnit, source: FileSource, configuration: Configuration, parse: (text: string) => CTranslationUnit, rules: readonly Rule[]): boolean {
  const mended = edited(source, fix);
  const after = linkUnit(linked.unit, mended, createStreams(mended, configuration, parse));
  const problems = (unit: LinkedUnit): number => unit.unit.files.reduce((sum, file) => sum + frontEndProblems(unit, file).length, 0);
  if (problems(after) > problems(linked)) return false;
  const wanted = finding.trace?.scenario ?? finding.variants[0]?.split(' from ')[0];
  if (wanted === ENTRY_PATHS) return mendsPaths(finding.rule, linked, after, rules);
  for (const scenario of scenariosOf(after)) {
    if (scenario.name !== wanted) continue;
    const program = programFor(after, scenario);
    for (const start of scenario.start) {
      if (excludes(program, scenario, start) !== null) continue;
      const run = createRun(program, scenario, start, linked.unit.name, rules, { maxStates: MOST_STATES, reference: false });
      while (!run.advance(MOST_STATES).done) continue;
      const report = run.report();
      if (report.verdict === 'inconclusive') return false;
      if (report.findings.some((other) => other.rule === finding.rule || other.severity === 'error')) return false;
    }
  }
  return true;
}
