// Two designs side by side: what a change of one into the other fixes and breaks, and where the way of a counterexample
// parts. Pure text and values.
import { unreachable } from '../base/unreachable.ts';
import type { ComparedRun } from '../review/compared.ts';
import type { Divergence } from '../review/divergence.ts';
import type { Change } from '../rules/finding.ts';
import type { Paint } from './paint.ts';
import { point } from './places.ts';
import type { Locate } from './places.ts';
import { laneText } from './steps.ts';
import { runText } from './text.ts';

const indent = '    ';

interface Names {
  readonly base: string;
  readonly other: string;
}

/** The runs of one scenario; starts that tell the same are told once. `names`: what the two designs are called. */
export function comparedText(runs: readonly ComparedRun[], names: Names, locate: Locate, paint: Paint): readonly string[] {
  const groups = new Map<string, ComparedRun[]>();
  for (const run of runs) {
    const key = [run.base.verdict, run.other.verdict, ...divergenceOf(run, names, locate)].join('\n').replaceAll(/\[[^[\]]*\] /g, '');
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return [...groups.values()].flatMap((group) => groupText(group, names, locate, paint));
}

function groupText(group: readonly ComparedRun[], names: Names, locate: Locate, paint: Paint): readonly string[] {
  const [first] = group;
  if (first === undefined) return [];
  const { base, other, change } = first;
  const painted = change === 'fixed' || change === 'holds in both' ? paint.good(change) : change === 'undecided' ? paint.doubtful(change) : paint.bad(change);
  const head = `${base.scenario} from ${group.map((run) => run.base.start).join(', ')}: ${painted}${change === 'holds in both' ? '' : ` (${base.verdict} -> ${other.verdict})`}`;
  const parts = divergenceOf(first, names, locate);
  switch (change) {
    case 'holds in both':
      return [head];
    case 'fixed':
      return [head, ...parts];
    case 'still broken':
    case 'newly broken':
      return [head, ...parts, ...indented(runText(other, locate, paint))];
    case 'undecided':
      return [head, ...indented([...base.remarks, ...base.boundsHit].map((text) => `note: ${names.base}: ${text}`)), ...indented([...other.remarks, ...other.boundsHit].map((text) => `note: ${names.other}: ${text}`))];
    default:
      return unreachable(change);
  }
}

/** What is newly broken is a way of the other design, followed in the base. */
function divergenceOf({ change, divergence }: ComparedRun, names: Names, locate: Locate): readonly string[] {
  if (change === 'holds in both' || change === 'undecided') return [];
  const [leads, follows] = change === 'newly broken' ? [names.other, names.base] : [names.base, names.other];
  const way = `the counterexample of ${leads}`;
  return divergence === null ? [`${indent}note: ${way} is one of ${follows} too, step by step`] : [`${indent}note: ${way}, followed in ${follows}, parts at step ${divergence.step}`, ...divergenceText(divergence, follows, locate)];
}

function indented(lines: readonly string[]): readonly string[] {
  return lines.map((line) => indent + line);
}

/** The step at which they part, and where the other one is then. */
export function divergenceText(divergence: Divergence, follower: string, locate: Locate): readonly string[] {
  const { step, title, place, lane, then } = divergence;
  const at = place === null ? '' : `${point(locate(place))}: `;
  const path = lane.length === 0 ? '' : `[${laneText(lane)}] `;
  return [`${indent}${at}note: ${step}. ${path}${title}`, ...partsText(divergence, follower, locate), ...(then === null ? [] : divergenceText(then, follower, locate))];
}

function partsText({ what, otherPlace }: Divergence, follower: string, locate: Locate): readonly string[] {
  const at = otherPlace === null ? '' : `${point(locate(otherPlace))}: `;
  return [`${indent}${at}note: ${follower}: ${whatText(what)}`];
}

/** What the other one does at the step, after its name. */
export function whatText(what: Divergence['what']): string {
  const instead = (fields: readonly Change[]): string => fields.map(({ field, from, to }) => `${field} ${to} instead of ${from}`).join('; ');
  switch (what.kind) {
    case 'not-reached':
      return 'does not come to it';
    case 'other-code':
      return `runs ${what.text} first`;
    case 'differs':
      return `comes to it with ${instead(what.fields)}`;
    case 'no-event':
      return `${what.event} does not arrive there`;
    case 'ends-otherwise':
      return [what.title ?? (what.fields.length === 0 ? 'the step does nothing of it' : 'the step ends otherwise'), ...(what.fields.length === 0 ? [] : [instead(what.fields)])].join('; ');
    default:
      return unreachable(what);
  }
}

/** `2 fixed, 1 still broken, 3 hold in both`. */
export function summaryText(runs: readonly ComparedRun[]): string {
  const of = (change: ComparedRun['change']): number => runs.filter((run) => run.change === change).length;
  const both = of('holds in both');
  const counts = [
    `${of('newly broken')} newly broken`,
    `${of('still broken')} still broken`,
    `${of('fixed')} fixed`,
    ...(of('undecided') === 0 ? [] : [`${of('undecided')} undecided`]),
    `${both} ${both === 1 ? 'holds' : 'hold'} in both`,
  ];
  return counts.join(', ');
}

export interface JsonCompared {
  readonly version: 1;
  readonly base: string;
  readonly other: string;
  readonly runs: readonly {
    readonly scenario: string;
    readonly start: string;
    readonly change: ComparedRun['change'];
    readonly verdicts: { readonly base: string; readonly other: string };
    readonly divergence: JsonDivergence | null;
  }[];
}

export interface JsonDivergence {
  readonly step: number;
  readonly title: string;
  readonly file: string | null;
  readonly line: number | null;
  readonly lane: readonly string[];
  readonly kind: Divergence['what']['kind'];
  readonly event: string | null;
  readonly text: string | null;
  readonly fields: readonly { readonly field: string; readonly from: string; readonly to: string }[];
  readonly otherFile: string | null;
  readonly otherLine: number | null;
  readonly then: JsonDivergence | null;
}

export function comparedJson(runs: readonly ComparedRun[], names: { readonly base: string; readonly other: string }, locate: Locate): JsonCompared {
  return {
    version: 1,
    base: names.base,
    other: names.other,
    runs: runs.map(({ base, other, change, divergence }) => ({
      scenario: base.scenario,
      start: base.start,
      change,
      verdicts: { base: base.verdict, other: other.verdict },
      divergence: divergence === null ? null : divergenceJson(divergence, locate),
    })),
  };
}

export function divergenceJson({ step, title, place, lane, what, otherPlace, then }: Divergence, locate: Locate): JsonDivergence {
  const here = place === null ? null : locate(place);
  const there = otherPlace === null ? null : locate(otherPlace);
  return {
    step,
    title,
    file: here?.file ?? null,
    line: here?.line ?? null,
    lane,
    kind: what.kind,
    event: what.kind === 'no-event' ? what.event : null,
    text: what.kind === 'other-code' ? what.text : null,
    fields: what.kind === 'differs' || what.kind === 'ends-otherwise' ? what.fields : [],
    otherFile: there?.file ?? null,
    otherLine: there?.line ?? null,
    then: then === null ? null : divergenceJson(then, locate),
  };
}
