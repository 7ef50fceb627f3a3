import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { eventRunJson, surveyJson } from './event-json.ts';
import { checkJson, contextJson, nothingChecked, runJson } from './json.ts';
import { locator } from './places.ts';
import { sampleContext, sampleFinding, sampleRun, sampleText, sampleWarning } from '../../testing/samples.ts';

const locate = locator((file) => sampleText.get(file) ?? null);

const coverage = {
  subject: 'tree',
  c: [{ configuration: '6.12', files: 3, functions: 9, unreadable: ['a.c:f'], calls: { inView: 4, known: 5, unresolved: 1 }, cap: null }],
  paths: [{ configuration: '6.12', instructions: 10, reached: 8, unreached: [{ reason: 'filling that code jumps over', instructions: 1 }, { reason: null, instructions: 1 }], cpus: ['PTI'] }],
};
const baseline = { file: 'known.json', known: 2, stale: [{ rule: 'cr2-read-late', path: 'a.c', symbol: null, line: 'x();', message: 'late', count: 1 }] };

const change = { rule: 'cr2-read-late', path: 'a.c', symbol: null, line: 'x();', message: 'late' };
const patches = { subjects: ['One', ''], known: 3, changes: [{ ...change, broughtBy: 1, takenAwayBy: 2 }, { ...change, broughtBy: null, takenAwayBy: 1 }, { ...change, symbol: 'f', broughtBy: 2, takenAwayBy: null }] };

/** The errors of `value` by the published schema of that name. */
function errors(schema: string, value: unknown): unknown {
  const validate = new Ajv2020({ allErrors: true, strict: true }).compile(JSON.parse(readFileSync(`docs/schema/${schema}.schema.json`, 'utf8')) as object);
  return validate(JSON.parse(JSON.stringify(value))) ? [] : validate.errors;
}

describe('JSON', () => {
  it('check, run and context are as their schemas say', () => {
    assert.deepEqual(errors('check', checkJson({ findings: [sampleFinding, sampleWarning], unknown: ['call of resolve() not in view'], coverage: [coverage], baseline, patches }, locate)), []);
    assert.deepEqual(errors('check', checkJson(nothingChecked([]), locate)), []);
    assert.deepEqual(errors('run', runJson(sampleRun, locate)), []);
    assert.deepEqual(errors('run', runJson({ ...sampleRun, verdict: 'holds', trace: null }, locate)), []);
    for (const verdict of ['holds', 'violated', 'open'] as const) assert.deepEqual(errors('run', runJson({ ...sampleRun, verdict: 'holds', trace: null, anyNumber: { verdict, bound: 'any number of NMI', states: 3, why: null } }, locate)), []);
    assert.deepEqual(errors('context', contextJson(sampleContext, locate)), []);
    assert.deepEqual(errors('context', contextJson({ ...sampleContext, rows: [], silence: 'not reached from any entry point of this unit' }, locate)), []);
  });

  it('events raised at an instruction, and everywhere, are as their schemas say', () => {
    const row = { context: sampleContext.rows[0] ?? assert.fail('the sample has no context'), reason: null, notes: ['NMI waits'], cpus: null, steps: 12 };
    const run = { symbol: 'asm_demo', text: 'cld', place: sampleContext.place, configuration: '6.12', events: ['NMI', '#VE'], silence: null };
    const rows = [{ ...row, answer: 'violated' as const, findings: [sampleFinding], trace: sampleFinding.trace }, { ...row, answer: 'cannot' as const, reason: 'blocked', findings: [], trace: null }];
    assert.deepEqual(errors('event', eventRunJson({ ...run, rows }, locate)), []);
    assert.notDeepEqual(errors('event', { ...eventRunJson({ ...run, rows }, locate), extra: 1 }), []);
    const count = { events: 'NMI', contexts: 3, holds: 1, violated: 1, inconclusive: 0, cannot: 1, reasons: [{ reason: 'blocked', contexts: 1 }] };
    const survey = { configurations: ['6.12'], instructions: 4, done: 4, unreached: [{ symbol: 'asm_xen', instructions: 1 }], counts: [count], findings: [sampleFinding] };
    assert.deepEqual(errors('survey', surveyJson('entry.S', survey, locate)), []);
    assert.notDeepEqual(errors('survey', { ...surveyJson('entry.S', survey, locate), extra: 1 }), []);
  });

  it('the schemas allow no other keys', () => {
    assert.notDeepEqual(errors('check', { ...checkJson(nothingChecked([]), locate), extra: 1 }), []);
    assert.notDeepEqual(errors('run', { ...runJson(sampleRun, locate), extra: 1 }), []);
    assert.notDeepEqual(errors('context', { ...contextJson(sampleContext, locate), extra: 1 }), []);
  });

  it('a finding carries its place, its rule and its steps with what they changed', () => {
    const [finding] = checkJson({ ...nothingChecked([]), findings: [sampleFinding] }, locate).findings;
    assert.deepEqual(
      { ...finding, message: '', trace: finding?.trace.slice(1, 2) },
      {
        rule: 'guard-cleared-on-rewinding-stack',
        severity: 'error',
        file: 'designs/early/handler.c',
        line: 7,
        column: 2,
        endLine: 7,
        endColumn: 28,
        message: '',
        trace: [
          {
            title: 'store re-arms ve_page.busy while the frame at IST VE top-0x28 is live',
            file: 'designs/early/handler.c',
            line: 7,
            changed: [{ field: 'guard ve_page.busy', from: 'busy', to: 'armed' }],
          },
        ],
      },
    );
  });

  it('a step without a place says so', () => {
    const last = runJson(sampleRun, locate).trace.at(-1);
    assert.deepEqual([last?.file, last?.line], [null, null]);
  });
});
