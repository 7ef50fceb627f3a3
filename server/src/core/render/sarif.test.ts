import assert from 'node:assert/strict';
import type { Log, Result } from 'sarif';
import { locator } from './places.ts';
import { sarifLog } from './sarif.ts';
import type { SarifBase, SarifRun } from './sarif.ts';
import { placeOf, sampleFinding, sampleText, sampleTrace, sampleWarning } from '../../testing/samples.ts';
import { sarifErrors } from '../../testing/sarif-schema.ts';

const locate = locator((file) => sampleText.get(file) ?? null);
const base: SarifBase = { folder: 'file:///src/', uriOf: (file) => ({ uri: file, relative: !file.startsWith('file:') }) };
const page = { name: 'guard-cleared-on-rewinding-stack', id: 'XR-VE01', group: 'Re-entrancy', severity: 'error', summary: 'a word is cleared', markdown: '# guard\n\n## Why\n\nIt **is** so.\n\n## Speaks on\n\n```c\nexample();\n```\n\n## References\n\n- the manual' } as const;
const run: SarifRun = { version: '0.1.0', rules: [page], findings: [sampleFinding, sampleWarning], accepted: [], fingerprint: ({ rule }) => rule, symbolAt: () => 'exc_demo_ve', compared: false, notes: [] };

function resultsOf(log: Log): readonly Result[] {
  return log.runs[0]?.results ?? [];
}

describe('SARIF', () => {
  it('is as its schema says, whatever a run has', () => {
    const place = { file: 'file:///elsewhere/a.c', span: { start: 0, end: 0 } };
    const accepted = [{ finding: { ...sampleFinding, place: sampleWarning.place }, place: sampleWarning.place, reason: 'looked at' }, { finding: sampleWarning, place, reason: null }];
    const notes = [{ id: 'unread', level: 'note', text: 'a.c:2: cannot read this statement' }, { id: 'unfinished', level: 'warning', text: 'not explored' }] as const;
    for (const one of [run, { ...run, findings: [], rules: [] }, { ...run, compared: true, accepted, notes }]) assert.deepEqual(sarifErrors(sarifLog(one, base, locate)), []);
    assert.notDeepEqual(sarifErrors({ ...sarifLog(run, base, locate), version: '2.0.0' }), []);
    assert.notDeepEqual(sarifErrors({ ...sarifLog(run, base, locate), extra: 1 }), []);
    assert.notDeepEqual(sarifErrors(sarifLog(run, { ...base, uriOf: () => ({ uri: 'a file', relative: true }) }, locate)), []);
  });

  it('has the place of a finding, what it rests on and how it comes about', () => {
    const [warning, first] = [...resultsOf(sarifLog(run, base, locate))].reverse();
    assert.ok(first !== undefined && warning !== undefined);
    assert.deepEqual([first.level, warning.level, first.ruleIndex, warning.ruleIndex], ['error', 'warning', 0, 1]);
    assert.deepEqual(first.locations?.[0], { physicalLocation: { artifactLocation: { uri: 'designs/early/handler.c', uriBaseId: '%SRCROOT%' }, region: { startLine: 7, startColumn: 2, endLine: 7, endColumn: 28 } }, logicalLocations: [{ name: 'exc_demo_ve', kind: 'function' }] });
    assert.equal(first.message.text, `${sampleFinding.message}\nassumed: vector VE uses IST VE`);
    assert.deepEqual(first.relatedLocations?.map(({ message }) => message?.text), ['the frame is live from here', 'assumed: vector VE uses IST VE']);
    const locations = first.codeFlows?.[0]?.threadFlows[0]?.locations ?? [];
    assert.equal(locations.length, sampleTrace.steps.length);
    assert.deepEqual(locations.map(({ nestingLevel }) => nestingLevel), [1, 1, 2, 3]);
    assert.deepEqual(locations[0]?.state, { stack: { text: 'IST VE' }, 'guard ve_page.busy': { text: 'busy' } });
    // What the hardware does is shown where the step before it is.
    assert.deepEqual(locations[3]?.location?.physicalLocation, locations[2]?.location?.physicalLocation);
    assert.equal(warning.codeFlows, undefined);
  });

  it('tells of a rule what its page says but for the examples', () => {
    const [rule, other] = sarifLog(run, base, locate).runs[0]?.tool.driver.rules ?? [];
    assert.equal(rule?.help?.markdown, '# guard\n\n## Why\n\nIt **is** so.\n\n## References\n\n- the manual');
    assert.match(rule?.help?.text ?? '', /It is so\./);
    assert.deepEqual(other, { id: 'annotation-unused' });
  });

  it('has at most 1,000 locations of a flow, and says what is left out', () => {
    const [step] = sampleTrace.steps;
    assert.ok(step !== undefined);
    const steps = Array.from({ length: 2500 }, (_, at) => ({ ...step, title: `step ${at}` }));
    const log = sarifLog({ ...run, findings: [{ ...sampleFinding, trace: { ...sampleTrace, steps } }] }, base, locate);
    const locations = resultsOf(log)[0]?.codeFlows?.[0]?.threadFlows[0]?.locations ?? [];
    assert.equal(locations.length, 1000);
    assert.equal(locations[499]?.location?.message?.text, '... 1501 steps not shown');
    assert.match(locations.at(-1)?.location?.message?.text ?? '', /step 2499/);
    assert.deepEqual(sarifErrors(log), []);
  });

  it('numbers findings that are known by the same, and tells accepted ones from others', () => {
    const accepted = [{ finding: sampleFinding, place: placeOf('designs/early/handler.c', 'ist=VE'), reason: 'looked at' }];
    const results = resultsOf(sarifLog({ ...run, findings: [sampleFinding, sampleFinding], accepted }, base, locate));
    assert.deepEqual(results.map(({ partialFingerprints }) => partialFingerprints?.['entrycheck/v1']), [1, 2, 3].map((number) => `${sampleFinding.rule}:${number}`));
    assert.deepEqual(results.map(({ suppressions }) => suppressions?.map(({ kind, justification }) => [kind, justification])), [undefined, undefined, [['inSource', 'looked at']]]);
  });
});
