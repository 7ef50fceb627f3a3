// A trace in the Informal Trace Format (ITF, Apalache's ADR 015): what viewers and differs of model checkers read. One state
// a key step; a variable is a field of the machine as the trace tells it.
import type { RunReport, Trace } from '../rules/finding.ts';
import { shortest } from './mail.ts';
import type { Locate } from './places.ts';

type ItfValue = string | readonly string[] | { readonly '#bigint': string };

export interface ItfTrace {
  readonly '#meta': {
    readonly format: 'ITF';
    readonly 'format-description': 'https://apalache-mc.org/docs/adr/015adr-trace.html';
    readonly source: string;
    readonly description: string;
    readonly status: RunReport['verdict'];
  };
  readonly vars: readonly string[];
  readonly states: readonly { readonly '#meta': { readonly index: number }; readonly [variable: string]: ItfValue | { readonly index: number } }[];
}

/** Null for a run without a trace. */
export function itfRun(report: RunReport, locate: Locate): ItfTrace | null {
  const trace = shortest(report.findings)?.trace ?? report.trace;
  if (trace === null) return null;
  const fields = fieldsOf(trace);
  const names = variableNames([...fields.keys()]);
  const values = new Map(fields);
  const state = (index: number, action: string, place: string, lane: readonly string[], machineSteps: number): ItfTrace['states'][number] => ({
    '#meta': { index },
    action,
    place,
    frames: lane,
    machine_steps: { '#bigint': String(machineSteps) },
    ...Object.fromEntries([...values].map(([field, value]) => [names.get(field) ?? field, value])),
  });
  const states = [state(0, 'start', '', [trace.start], 0)];
  trace.steps.forEach(({ title, place, lane, changed, steps }, at) => {
    for (const { field, to } of changed) values.set(field, to);
    const where = place === null ? '' : `${locate(place).file}:${locate(place).line}`;
    states.push(state(at + 1, title, where, lane, steps));
  });
  return {
    '#meta': {
      format: 'ITF',
      'format-description': 'https://apalache-mc.org/docs/adr/015adr-trace.html',
      source: `${report.design}: ${report.scenario} from ${report.start}`,
      description: [...report.remarks, ...report.bounds].join('; '),
      status: report.verdict,
    },
    vars: ['action', 'place', 'frames', 'machine_steps', ...names.values()],
    states,
  };
}

/** Fields that the trace changes, each with what it is at the start. */
function fieldsOf({ steps }: Trace): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const { field, from } of steps.flatMap(({ changed }) => changed)) if (!fields.has(field)) fields.set(field, from);
  return fields;
}

/** Names that readers take: letters, digits and `_`; those that would be one are numbered. */
function variableNames(fields: readonly string[]): ReadonlyMap<string, string> {
  const taken = new Set(['action', 'place', 'frames', 'machine_steps']);
  return new Map(
    fields.map((field) => {
      const base = field.replaceAll(/\W+/g, '_').replace(/^(?=\d)/, '_');
      let name = base;
      for (let number = 2; taken.has(name); number += 1) name = `${base}_${number}`;
      taken.add(name);
      return [field, name];
    }),
  );
}
