// A trace as a sequence chart that Mermaid draws: one lifeline for what was interrupted and one for each event nested in it,
// by depth, so that an event inside one of its own kind has its own.
import type { RunReport, TraceStep } from '../rules/finding.ts';
import { shortest } from './mail.ts';
import type { Locate } from './places.ts';
import { changeText } from './steps.ts';
import { hang } from './wrap.ts';

/** Columns of a line of text: Mermaid makes room for the longest. */
const WIDTH = 44;

/** Empty for a run without a trace. */
export function mermaidRun(report: RunReport, locate: Locate): readonly string[] {
  const trace = shortest(report.findings)?.trace ?? report.trace;
  if (trace === null) return [];
  const lanes = [...new Map(trace.steps.flatMap(({ lane }) => lane.map((_, depth) => [lifeline(lane, depth), { title: titleOf(lane, depth), depth }] as const))).entries()].sort(([, a], [, b]) => a.depth - b.depth);
  const first = trace.steps[0]?.lane.slice(0, 1) ?? [];
  const lines: string[] = [];
  let depth = Math.max(0, first.length - 1);
  let lane: readonly string[] = first;
  for (const [at, step] of trace.steps.entries()) {
    const now = step.lane.length - 1;
    const text = stepText(at + 1, step, locate);
    if (now > depth) lines.push(`  ${lifeline(step.lane, now - 1)}->>${lifeline(step.lane, now)}: ${text}`);
    else if (now < depth && now >= 0) lines.push(`  ${lifeline(lane, depth)}-->>${lifeline(step.lane, now)}: ${text}`);
    else lines.push(`  Note over ${lifeline(step.lane, Math.max(0, now))}: ${text}`);
    depth = Math.max(0, now);
    lane = step.lane;
  }
  return [
    'sequenceDiagram',
    `  accTitle: ${escaped(`${report.design}: ${report.scenario} from ${report.start}: ${report.verdict}`)}`,
    ...lanes.map(([id, { title }]) => `  participant ${id} as ${escaped(title)}`),
    ...lines,
  ];
}

function lifeline(lane: readonly string[], depth: number): string {
  return `f${depth}_${(lane[depth] ?? '').replaceAll(/\W+/g, '_')}`;
}

/** `#VE (2)` is a #VE inside another one. */
function titleOf(lane: readonly string[], depth: number): string {
  const before = lane.slice(0, depth).filter((event) => event === lane[depth]).length;
  return `${lane[depth] ?? ''}${before === 0 ? '' : ` (${before + 1})`}`;
}

function stepText(number: number, { title, place, changed }: TraceStep, locate: Locate): string {
  const where = place === null ? '' : ` (${shortPlace(locate(place))})`;
  // Which frames are live is what the lifelines show.
  const changes = changed.filter(({ field }) => field !== 'live frames').map(changeText);
  return [`${number}. ${title}${where}`, ...changes].flatMap((text) => hang('', '', text, WIDTH)).map(escaped).join('<br/>');
}

function shortPlace({ file, line }: { readonly file: string; readonly line: number }): string {
  return `${file.slice(file.lastIndexOf('/') + 1)}:${line}`;
}

/** Characters that end a statement, begin a comment, or are markup, by their codes. */
function escaped(text: string): string {
  return text.replaceAll(/[#;<>&"{}%]/g, (character) => `#${character.codePointAt(0) ?? 0};`);
}
