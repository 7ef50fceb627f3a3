// Findings as a SARIF 2.1.0 log, the form that code scanning reads. Pure: where files lie, what a finding is known by and
// who asks are the caller's.
import type { CodeFlow, Location, Log, Notification, PhysicalLocation, ReportingDescriptor, Result, ThreadFlowLocation } from 'sarif';
import type { Place } from '../base/span.ts';
import type { AcceptedFinding, RulePage } from '../review-types.ts';
import type { Finding, Severity, Trace, TraceStep } from '../rules/finding.ts';
import { plain } from './paint.ts';
import type { Locate } from './places.ts';
import { rulePageText } from './rule-page.ts';
import { changeText, gapText, laneText, shownSteps } from './steps.ts';
import { seenIn, traceHead } from './text.ts';

export interface SarifRun {
  readonly version: string;
  readonly rules: readonly RulePage[];
  readonly findings: readonly Finding[];
  readonly accepted: readonly AcceptedFinding[];
  /** Of a finding: where its lines move it stays. */
  readonly fingerprint: (finding: Finding) => string;
  readonly symbolAt: (place: Place) => string | null;
  /** Whether findings were compared with a baseline, so that those listed are new. */
  readonly compared: boolean;
  readonly notes: readonly SarifNote[];
}

export interface SarifNote {
  readonly id: string;
  /** `error` where nothing was judged for it. */
  readonly level: 'note' | 'warning' | 'error';
  readonly text: string;
}

/** Where the paths of the findings count from. */
export interface SarifBase {
  /** URI of a folder, with its final `/`. */
  readonly folder: string;
  /** URI of a path that is shown, and whether it counts from the folder. */
  readonly uriOf: (file: string) => { readonly uri: string; readonly relative: boolean };
}

/** Code scanning keeps as many of one flow. */
const mostLocations = 1000;
const baseId = '%SRCROOT%';
const LEVELS = { error: 'error', warning: 'warning', info: 'note', hint: 'note' } as const satisfies Readonly<Record<Severity, string>>;
const PROBLEMS = { error: 'error', warning: 'warning', info: 'recommendation', hint: 'recommendation' } as const satisfies Readonly<Record<Severity, string>>;

export function sarifLog(run: SarifRun, base: SarifBase, locate: Locate): Log {
  const rules = descriptorsOf(run);
  const indices = new Map(rules.map(({ id }, index) => [id, index]));
  const occurrences = new Map<string, number>();
  const resultOf = (finding: Finding): Result => {
    const key = run.fingerprint(finding);
    const number = (occurrences.get(key) ?? 0) + 1;
    occurrences.set(key, number);
    return { ...result(finding), ruleIndex: indices.get(finding.rule) ?? -1, partialFingerprints: { 'entrycheck/v1': `${key}:${number}` }, ...(run.compared ? { baselineState: 'new' as const } : {}) };
  };

  function result(finding: Finding): Result {
    const symbol = run.symbolAt(finding.place);
    const related = [
      ...finding.related,
      ...finding.premises.flatMap(({ fact, place, assumed }) => (place === null ? [] : [{ place, message: `${assumed ? 'assumed' : 'premise'}: ${fact}` }])),
    ];
    return {
      ruleId: finding.rule,
      level: LEVELS[finding.severity],
      message: { text: [finding.message, ...finding.premises.filter(({ assumed }) => assumed).map(({ fact }) => `assumed: ${fact}`)].join('\n') },
      locations: [{ physicalLocation: physical(finding.place), ...(symbol === null ? {} : { logicalLocations: [{ name: symbol, kind: 'function' }] }) }],
      ...(related.length === 0 ? {} : { relatedLocations: related.map(({ place, message }, index) => ({ id: index + 1, physicalLocation: physical(place), message: { text: message } })) }),
      ...(finding.trace === null || finding.trace.steps.length === 0 ? {} : { codeFlows: [flow(finding.trace, finding.place)] }),
      properties: { premises: finding.premises.map(({ fact, assumed }) => ({ fact, assumed })), ...(seenIn(finding).length === 0 ? {} : { seenIn: seenIn(finding) }) },
    };
  }

  function physical(place: Place): PhysicalLocation {
    const { file, line, column, endLine, endColumn } = locate(place);
    const { uri, relative } = base.uriOf(file);
    return { artifactLocation: { uri, ...(relative ? { uriBaseId: baseId } : {}) }, region: { startLine: line, startColumn: column, endLine, endColumn } };
  }

  /** A step of the hardware is shown at the code that runs then: the one before it, or the first there is. */
  function flow(trace: Trace, fallback: Place): CodeFlow {
    const shown = new Set(shownSteps(trace).flatMap((item) => (item.kind === 'step' ? [item.number] : [])));
    let at = trace.steps.find(({ place }) => place !== null)?.place ?? fallback;
    const all = trace.steps.map((step, index): ThreadFlowLocation => {
      at = step.place ?? at;
      return {
        location: stepLocation(step, at),
        executionOrder: index + 1,
        nestingLevel: Math.max(0, step.lane.length - 1),
        importance: shown.has(index + 1) ? 'essential' : 'unimportant',
        ...(step.changed.length === 0 ? {} : { state: Object.fromEntries(step.changed.map(({ field, to }) => [field, { text: to }])) }),
      };
    });
    return { message: { text: traceHead(trace) }, threadFlows: [{ locations: [...atMost(all)] }] };
  }

  function stepLocation(step: TraceStep, place: Place): Location {
    const lane = step.lane.length === 0 ? '' : `[${laneText(step.lane)}] `;
    const changes = step.changed.length === 0 ? '' : ` (${step.changed.map(changeText).join('; ')})`;
    return { physicalLocation: physical(place), message: { text: `${lane}${step.title}${changes}` }, ...(step.symbol === '' ? {} : { logicalLocations: [{ name: step.symbol }] }) };
  }

  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'entrycheck', version: run.version, semanticVersion: run.version, rules: [...rules] } },
        columnKind: 'utf16CodeUnits',
        originalUriBaseIds: { [baseId]: { uri: base.folder } },
        invocations: [{ executionSuccessful: run.notes.every(({ level }) => level !== 'error'), toolExecutionNotifications: run.notes.map(notificationOf) }],
        results: [
          ...run.findings.map(resultOf),
          ...run.accepted.map(({ finding, place, reason }): Result => ({
            ...resultOf(finding),
            suppressions: [{ kind: place.file === finding.place.file ? 'inSource' : 'external', status: 'accepted', location: { physicalLocation: physical(place) }, ...(reason === null ? {} : { justification: reason }) }],
          })),
        ],
      },
    ],
  };
}

/** The beginning and the end of a flow that is too long, and how much is between. */
function atMost(locations: readonly ThreadFlowLocation[]): readonly ThreadFlowLocation[] {
  if (locations.length <= mostLocations) return locations;
  const head = locations.slice(0, mostLocations / 2 - 1);
  const tail = locations.slice(-mostLocations / 2);
  const gap = head.at(-1);
  const { message: _, ...place } = gap?.location ?? {};
  return [...head, { location: { ...place, message: { text: gapText(locations.length - head.length - tail.length) } }, executionOrder: head.length + 1, importance: 'unimportant' }, ...tail];
}

/** Every rule with what its page says beside its examples; findings of no rule have an entry of their own. */
function descriptorsOf({ rules, findings, accepted }: SarifRun): readonly ReportingDescriptor[] {
  const known = new Set(rules.map(({ name }) => name));
  const others = new Set([...findings, ...accepted.map(({ finding }) => finding)].flatMap(({ rule }) => (known.has(rule) ? [] : [rule])));
  return [...rules.map(descriptorOf), ...[...others].map((id) => ({ id }))];
}

function descriptorOf(page: RulePage): ReportingDescriptor {
  const references = page.markdown.lastIndexOf('\n## References');
  const markdown = `${page.markdown.split('\n## Speaks on')[0]?.trim() ?? ''}\n${references === -1 ? '' : page.markdown.slice(references)}`.trim();
  return {
    id: page.name,
    name: page.id,
    shortDescription: { text: page.summary },
    fullDescription: { text: page.summary },
    help: { text: rulePageText({ ...page, markdown }, 80, plain).join('\n'), markdown },
    defaultConfiguration: { level: LEVELS[page.severity] },
    properties: { tags: ['correctness', page.group], 'problem.severity': PROBLEMS[page.severity] },
  };
}

function notificationOf({ id, level, text }: SarifNote): Notification {
  return { descriptor: { id }, level, message: { text } };
}
