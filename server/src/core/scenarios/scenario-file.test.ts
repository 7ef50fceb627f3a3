import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import Ajv2020 from 'ajv/dist/2020';
import fc from 'fast-check';
import { parse as parseYaml } from 'yaml';
import { eventWords, propertyNames } from './event-names.ts';
import { isScenarioFile, parseScenarios } from './scenario-file.ts';

const complete = `xctx-scenario: 1
name: perf-nmi-ve-ve
title: Two failures in one NMI
why: The mail asks what happens then
machine: {vendor: intel, delivery: idt, guest: vmx, cpus: 1, features: [smap, fsgsbase, x2apic]}
handlers:
  ve: {vector: 20, ist: VE, from: "arch/x86/kernel/demo_ve.c#exc_demo_ve"}
  nmi:
    vector: NMI
    ist: NMI
    ops:
      - read-info
      - {access: user_frame}
      - {clear: ve.busy, at: landing-pad}
      - {defer: self-ipi, clears: ve.busy}
      - {switch-stack: checked}
      - {work: counting}
      - enable-irqs
      - iret
guards:
  ve.busy: {set: hw, address: "ve_page+4", clear: "store 0", fallback: vmexit, protects: [stack, info], initial: armed}
  MCIP:
memory:
  user_frame: {mapped: user, ept: violation-convertible, resolves: never}
initial: {context: user, if: 1, gs: user, cr3: user, regs: {rbp: user_frame}}
steps:
  - {event: nmi, label: perf-overflow}
  - {access: user_frame, accessor: __get_user, expect-event: ve, note: counter A callchain}
  - {run: ve, until: return}
  - {access: user_frame, accessor: __get_user, label: second, note: "counter B callchain; still the same NMI"}
explore: {nmi: 1, faults: 3, depth: 8, where: ["ve.*", "nmi.*"]}
expect:
  - {never: "live-frame-overwritten", rule: XR-VE01}
  - {never: "guard(ve.busy)=busy at quiescence", rule: XR-VE03}
  - {reachable: "event(ve) in nmi at second", because: "recovery is possible twice in one NMI"}
  - {never: "fallback(vmexit) at second", rule: XR-VE08}
  - {at-end: {nmi_block: 0, ve.busy: armed, live_frames: 0}}
`;

const file = 'a.xctx-scenario.yaml';
const schema: unknown = JSON.parse(readFileSync('docs/schema/scenario.schema.json', 'utf8'));
const fitsSchema = new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true }).compile(schema as object);

function messages(text: string): readonly string[] {
  return parseScenarios(file, text).problems.map(({ place, message, suggestion }) => `${text.slice(place.span.start, place.span.end)}: ${message}${suggestion === null ? '' : ` [${suggestion}]`}`);
}

/** Whether the parser finds the form right; undeclared names are beyond what a schema can say. */
function fitsParser(text: string): boolean {
  return parseScenarios(file, text).problems.every((problem) => /^no \w+ `.*` is declared/.test(problem.message));
}

describe('scenario files', () => {
  it('reads the complete example of the catalogue', () => {
    const { scenarios, problems } = parseScenarios(file, complete);
    assert.deepEqual(problems, []);
    const [scenario] = scenarios;
    assert.ok(scenario !== undefined);
    assert.deepEqual([scenario.name, scenario.delivery, scenario.first, scenario.depth], ['perf-nmi-ve-ve', 'idt', 'NMI', 8]);
    assert.deepEqual(scenario.start, ['user']);
    assert.deepEqual(scenario.budgets, [{ event: 'NMI', count: 1 }, { event: 'VE', count: 3 }]);
    assert.deepEqual(scenario.memory, [{ name: 'user_frame', raises: ['VE'], resolves: 'never', mapped: 'user' }]);
    assert.deepEqual(scenario.handlers.map((handler) => [handler.name, handler.vector, handler.ist, handler.from]), [
      ['ve', 'VE', 'VE', 'arch/x86/kernel/demo_ve.c#exc_demo_ve'],
      ['nmi', 'NMI', 'NMI', null],
    ]);
    assert.deepEqual(scenario.handlers[1]?.ops.map(({ op }) => op.kind), ['read-info', 'access', 'clear', 'defer', 'switch-stack', 'work', 'enable-irqs', 'iret']);
    assert.deepEqual(scenario.guards.map((guard) => [guard.name, guard.vector, guard.address]), [['ve.busy', 'VE', 've_page+4'], ['MCIP', null, null]]);
    assert.deepEqual(scenario.steps.map((step) => [step.kind, step.label]), [['event', 'perf-overflow'], ['access', null], ['run', null], ['access', 'second']]);
    assert.deepEqual(scenario.expect[2], { kind: 'reachable', what: 'event(ve) in nmi at second', property: { kind: 'event', event: 'VE', during: 'NMI', at: 'second' }, because: 'recovery is possible twice in one NMI' });
    assert.deepEqual(scenario.expect[4], { kind: 'at-end', nmiBlocked: false, liveFrames: 0, guards: new Map([['ve.busy', 'armed']]) });
  });

  it('gives each operation the place where it is written', () => {
    const ops = parseScenarios(file, complete).scenarios[0]?.handlers[1]?.ops ?? [];
    assert.deepEqual(ops.map(({ place }) => complete.slice(place.span.start, place.span.end)), [
      'read-info', '{access: user_frame}', '{clear: ve.busy, at: landing-pad}', '{defer: self-ipi, clears: ve.busy}', '{switch-stack: checked}', '{work: counting}', 'enable-irqs', 'iret',
    ]);
  });

  it('needs no more than a name and handlers', () => {
    const { scenarios, problems } = parseScenarios(file, 'name: sketch\nhandlers:\n  ve: {ist: VE, ops: [{clear: ve.busy}, iret]}\n  nmi: {ist: NMI, ops: [{access: user_frame}, iret]}\n');
    assert.deepEqual(problems, []);
    const [scenario] = scenarios;
    assert.ok(scenario !== undefined);
    assert.deepEqual(scenario.start, ['user', 'kernel', 'kernel-irqs-off']);
    assert.deepEqual(scenario.budgets, [{ event: 'NMI', count: 1 }, { event: 'VE', count: 3 }]);
    assert.deepEqual(scenario.memory, [{ name: 'user_frame', raises: ['VE'], resolves: 'never', mapped: 'user' }]);
    assert.deepEqual(scenario.guards, [{ name: 've.busy', set: 'hw', clear: 'store 0', fallback: 'vmexit', protects: ['stack', 'info'], vector: 'VE', address: null, initial: 'armed' }]);
    assert.deepEqual(scenario.expect.map((expectation) => (expectation.kind === 'at-end' ? '' : expectation.what)), ['live-frame-overwritten', 'guard-busy-at-quiescence', 'shutdown', 'event(VE)', 'event(NMI)']);
  });

  it('reads JSON and several documents', () => {
    const json = JSON.stringify({ name: 'j', handlers: { nmi: { ops: ['iret'] } } }, null, 2);
    assert.deepEqual(parseScenarios('a.xctx-scenario.json', json).scenarios.map((scenario) => scenario.name), ['j']);
    assert.deepEqual(parseScenarios(file, 'name: a\nhandlers: {nmi: {ops: [iret]}}\n---\nname: b\nhandlers: {nmi: {ops: [iret]}}\n').scenarios.map((scenario) => scenario.name), ['a', 'b']);
  });

  it('says where and what is wrong and how to mend it', () => {
    const base = 'name: s\nhandlers:\n  nmi: {ist: NMI, ops: [iret]}\n';
    const cases: [string, readonly string[]][] = [
      ['', [': the file holds no scenario, write at least `name` and `handlers`']],
      ['name: s\n', ['n: a scenario lacks `handlers`']],
      ['nmae: s\nhandlers: {nmi: {ops: [iret]}}\n', ['nmae: a scenario has no key `nmae`, write `name` [name]', 'n: a scenario lacks `name`']],
      [`${base}expcet: []\n`, ['expcet: a scenario has no key `expcet`, write `expect` [expect]']],
      [`${base}expect: [{nevr: shutdown}]\n`, ['nevr: an expectation has no key `nevr`, write `never` [never]']],
      [`${base}expect: [{never: shutdwon}]\n`, ['shutdwon: `never` cannot be `shutdwon`, write `shutdown` [shutdown]']],
      [`${base}expect: [{never: event(VE) at secnd}]\nsteps: [{event: nmi, label: second}]\n`, ['event(VE) at secnd: no step `secnd` is declared, write `second`']],
      [`${base}expect: [{at-end: {nmi_block: 0, ve.bsy: armed}}]\nguards: {ve.busy: {}}\n`, ['ve.bsy: no guard `ve.bsy` is declared, write `ve.busy` [ve.busy]']],
      [`${base}explore: {nmi: many}\n`, ['many: `nmi` is a whole number from 0 to 16, not `many`']],
      [`${base}initial: {context: usr}\n`, ['usr: `context` cannot be `usr`, write `user` [user]']],
      [`${base}steps: [{evnt: nmi}]\n`, ['evnt: a step has no key `evnt`, write `event` [event]']],
      [`${base}name: again\n`, ['name: `name` is given twice, remove one of them']],
      ['name: s\nhandlers: {foo: {ops: [iret]}}\n', ["foo: handler `foo` needs `vector`, because its name is no event's"]],
      ['name: s\nhandlers: {nmi: {ops: [irte]}}\n', ['irte: unknown operation `irte`, write `iret` [iret]']],
      ['name: s\nhandlers: {nmi: {ops: [{claer: a}]}}\n', ['claer: unknown operation `claer`, write `clear` [clear]']],
      ['name: s\nhandlers: {nmi: {ops: [{clear: a, att: here}]}}\n', ['att: operation `clear` has no key `att`, write `at` [at]']],
      ['name: s\nhandlers: {nmi: {ops: [{access: user_frme}]}}\n', ['user_frme: no memory `user_frme` is declared, write `user_frame` [user_frame]']],
      ['name: s\nhandlers: {nmi: {ist: NMI}}\n', ['nmi: handler `nmi` needs `ops` or `from`']],
      ['{"name": "s", "handlers": {"nmi": {"opps": ["iret"], "ops": ["iret"]}}}', ['opps: handler `nmi` has no key `opps`, write `ops` [ops]']],
      ['name: &a s\nhandlers: *a\n', ['*a: aliases are not read here, write the value out', '*a: `handlers` is a map of keys, not nothing']],
      ['just a text', ['just a text: a scenario is a map of keys, not `just a text`']],
    ];
    for (const [text, expected] of cases) {
      assert.deepEqual(messages(text), expected, text);
      assert.deepEqual(parseScenarios(file, text).scenarios, [], text);
    }
  });

  it('refuses what nobody writes by hand instead of hanging on it', () => {
    for (const text of ['['.repeat(100_000), '- '.repeat(100_000), 'a: '.repeat(5_000), 'x'.repeat(5_000_000), '\u0000\u0001\uFFFD'.repeat(1000)]) {
      const { scenarios, problems } = parseScenarios(file, text);
      assert.equal(scenarios.length, 0);
      assert.ok(problems.length > 0);
    }
  });

  it('never throws on a mutation of a good file, and keeps spans inside it', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(complete.length), fc.nat(8), fc.string({ maxLength: 5 })), { minLength: 1, maxLength: 6 }), (edits) => {
        let text = complete;
        for (const [at, removed, inserted] of edits) text = text.slice(0, at) + inserted + text.slice(at + removed);
        for (const { place } of parseScenarios(file, text).problems) assert.ok(0 <= place.span.start && place.span.start <= place.span.end && place.span.end <= text.length);
      }),
    );
  });

  it('accepts the sketches, each about ten lines', () => {
    const folder = 'test-fixtures/scenarios';
    const names = readdirSync(folder).filter(isScenarioFile);
    assert.ok(names.length >= 3);
    for (const name of names) {
      const text = readFileSync(`${folder}/${name}`, 'utf8');
      assert.deepEqual(parseScenarios(name, text).problems, [], name);
      assert.ok(fitsSchema(parseYaml(text)), name);
      if (name.startsWith('sketch-')) assert.ok(text.trimEnd().split('\n').length <= 12, name);
    }
  });
});

describe('the user guide of scenario files', () => {
  const guide = readFileSync('docs/scenarios.md', 'utf8');

  it('shows a file that can be run', () => {
    const blocks = [...guide.matchAll(/```yaml\n([^]*?)```/g)].map((match) => match[1] ?? '');
    assert.equal(blocks.length, 1);
    for (const block of blocks) assert.deepEqual(messages(block), []);
  });

  it('names every key, operation and property', () => {
    const words = (node: unknown): readonly string[] => (typeof node !== 'object' || node === null ? [] : Object.entries(node).flatMap(([key, value]) => [...(key === 'properties' ? Object.keys(value as object) : key === 'enum' ? (value as readonly unknown[]).map(String) : []), ...words(value)]));
    const said = new Set(words(schema).filter((word) => !eventWords.includes(word)));
    for (const word of [...said, ...propertyNames]) assert.match(guide, new RegExp(`(?<![\\w-])${word}(?![\\w-])`), word);
  });
});

describe('the published schema of scenario files', () => {
  it('accepts the complete example', () => {
    assert.ok(fitsSchema(parseYaml(complete)), JSON.stringify(fitsSchema.errors));
    assert.ok(fitsParser(complete));
  });

  it('accepts and refuses what the parser does, for any one value replaced, added or removed', () => {
    const start: unknown = parseYaml(complete);
    const paths: (readonly (string | number)[])[] = [];
    const walk = (node: unknown, path: readonly (string | number)[]): void => {
      paths.push(path);
      if (Array.isArray(node)) node.forEach((item, index) => walk(item, [...path, index]));
      else if (typeof node === 'object' && node !== null) for (const [key, value] of Object.entries(node)) walk(value, [...path, key]);
    };
    walk(start, []);
    const keys = ['label', 'at', 'ops', 'from', 'rule', 'because', 'until', 'never', 'reachable', 'at-end', 'event', 'run', 'clears', 'nmi_block', 'ist', 'vector', 'faults', 'raises', 'x y', 've'];
    const values: readonly unknown[] = [null, true, 0, 1, 2, 65, 1.5, -1, '', 've', 'VE', 'Ve', 'user', 'iret', 'armed', 'a b', 'file#fn', 'XR-VE01', 'shutdown', 'event(pf)', 'event(zz)', 've.*', [], {}, ['iret'], ['user'], ['ve'], { ops: ['iret'] }, { clear: 'g' }, { event: 'nmi' }, { never: 'shutdown' }];
    const replaced = (node: unknown, path: readonly (string | number)[], change: (inner: unknown) => unknown): unknown => {
      const [head, ...rest] = path;
      if (head === undefined) return change(node);
      if (Array.isArray(node)) return node.flatMap((item: unknown, index) => (index === head ? (rest.length === 0 && change(item) === undefined ? [] : [replaced(item, rest, change)]) : [item]));
      return Object.fromEntries(Object.entries(node as object).map(([key, value]): [string, unknown] => [key, key === head ? replaced(value, rest, change) : value]));
    };
    fc.assert(
      fc.property(fc.constantFrom(...paths.filter((path) => path.length > 0)), fc.constantFrom('value', 'key', 'remove'), fc.constantFrom(...keys), fc.constantFrom(...values), (path, how, key, value) => {
        const change = (inner: unknown): unknown => (how === 'remove' ? undefined : how === 'value' ? value : typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? { ...inner, [key]: value } : value);
        const text = JSON.stringify(replaced(start, path, change), null, 1);
        const parsed: unknown = JSON.parse(text);
        assert.equal(fitsParser(text), fitsSchema(parsed), `${text}\n${JSON.stringify(fitsSchema.errors)}\n${messages(text).join('\n')}`);
      }),
      { numRuns: 500 },
    );
  });
});
