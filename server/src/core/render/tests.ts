// Scenarios as tests in the forms that test runners read: TAP 14, and JUnit's XML. Pure text; no times, so that the same
// tree gives the same text.
import { unreachable } from '../base/unreachable.ts';
import type { RunReport } from '../rules/finding.ts';
import type { AwaitedVerdict } from '../scenarios/scenario.ts';
import type { TestOutcome } from '../review/tests.ts';
import { plain } from './paint.ts';
import type { Locate } from './places.ts';
import { runText } from './text.ts';

export interface TestCase {
  readonly design: string;
  readonly scenario: string;
  readonly awaited: AwaitedVerdict;
  readonly outcome: TestOutcome;
  readonly reports: readonly RunReport[];
}

export const TAP_HEAD = 'TAP version 14';

export function tapPlan(tests: number): string {
  return `1..${tests}`;
}

/** A test's line, and what is to be known of it in the YAML block behind it unless it passed. */
export function tapTest({ design, scenario, awaited, outcome, reports }: TestCase, number: number, locate: Locate): readonly string[] {
  const line = `${outcome.kind === 'passed' ? 'ok' : 'not ok'} ${number} - ${escaped(`${design}: ${scenario}`)}`;
  if (outcome.kind === 'passed') return [awaited === 'violated' ? `${line} (known bug: ${outcome.message})` : line];
  return [
    line,
    '  ---',
    `  message: ${JSON.stringify(outcome.message)}`,
    `  severity: ${outcome.kind === 'failed' ? 'fail' : 'todo'}`,
    `  awaited: ${awaited}`,
    '  runs: |',
    ...shown(reports, locate).map((text) => `    ${text}`),
    '  ...',
  ];
}

/** `#` begins a directive in TAP. */
function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('#', '\\#');
}

/** One test suite a design, in the order of the tests. */
export function junitText(tests: readonly TestCase[], locate: Locate): readonly string[] {
  const suites = [...new Set(tests.map(({ design }) => design))];
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="entrycheck" ${counts(tests)}>`,
    ...suites.flatMap((design) => {
      const own = tests.filter((test) => test.design === design);
      return [`  <testsuite name=${attribute(design)} ${counts(own)}>`, ...own.flatMap((test) => junitTest(test, locate)), '  </testsuite>'];
    }),
    '</testsuites>',
  ];
}

function counts(tests: readonly TestCase[]): string {
  const of = (kind: TestOutcome['kind']): number => tests.filter(({ outcome }) => outcome.kind === kind).length;
  return `tests="${tests.length}" failures="${of('failed')}" errors="${of('undecided')}" skipped="0"`;
}

function junitTest({ design, scenario, outcome, reports }: TestCase, locate: Locate): readonly string[] {
  const head = `    <testcase classname=${attribute(design)} name=${attribute(scenario)}`;
  switch (outcome.kind) {
    case 'passed':
      return [`${head}/>`];
    case 'failed':
    case 'undecided': {
      const element = outcome.kind === 'failed' ? 'failure' : 'error';
      return [`${head}>`, `      <${element} message=${attribute(outcome.message)} type="${outcome.kind}">${xml(shown(reports, locate).join('\n'))}</${element}>`, '    </testcase>'];
    }
    default:
      return unreachable(outcome.kind);
  }
}

/** Verdicts of all runs, and the first that decides whole: the others mostly show the same. */
function shown(reports: readonly RunReport[], locate: Locate): readonly string[] {
  const deciding = reports.find(({ verdict }) => verdict === 'violated') ?? reports.find(({ verdict }) => verdict !== 'holds');
  return reports.flatMap((report) => (report === deciding ? runText(report, locate, plain) : runText(report, locate, plain).slice(0, 1)));
}

function attribute(text: string): string {
  return `"${xml(text).replaceAll('"', '&quot;').replaceAll('\n', '&#10;')}"`;
}

/** Characters that XML has no form for are left out. */
function xml(text: string): string {
  const kept = [...text].filter((character) => /[\t\n\r\u0020-\ud7ff\ue000-\ufffd]|[\u{10000}-\u{10ffff}]/u.test(character)).join('');
  return kept.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
