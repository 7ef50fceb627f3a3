import assert from 'node:assert/strict';
import { builtInScenarios } from './built-in.ts';
import { eventNamed, eventNames, eventWords } from './event-names.ts';
import { parseProperty, ruleForm } from './expectations.ts';

describe('built-in scenarios', () => {
  it('have names of their own', () => {
    const names = builtInScenarios.map((scenario) => scenario.name);
    assert.equal(new Set(names).size, names.length);
    for (const name of names) assert.match(name, /^[a-z]+(-[a-z0-9]+)+$/);
  });

  for (const scenario of builtInScenarios) {
    it(`${scenario.name} forbids something, requires something to be seen, and can cause what it speaks of`, () => {
      assert.ok(scenario.expect.some((expectation) => expectation.kind === 'never'));
      assert.ok(scenario.expect.some((expectation) => expectation.kind === 'reachable'));
      assert.match(scenario.why, /^[A-Z#].*[^.]$/);
      const caused = scenario.budgets.filter((budget) => budget.count > 0).map((budget) => budget.event);
      for (const event of [...caused, ...scenario.needs]) assert.ok(eventNames.includes(event), event);
      if (scenario.first !== null) assert.ok(caused.includes(scenario.first));
      for (const { raises } of scenario.memory) for (const event of raises) assert.ok(caused.includes(event), event);
      for (const expectation of scenario.expect) {
        if (expectation.kind === 'at-end') continue;
        assert.deepEqual(parseProperty(expectation.what), expectation.property);
        if (expectation.kind === 'never' && expectation.rule !== null) assert.match(expectation.rule, ruleForm);
        const { property } = expectation;
        // A self-IPI is caused by the handler, not by the environment.
        if (expectation.kind === 'reachable' && property.kind === 'event') assert.ok([...caused, 'IRQ'].includes(property.event));
        if (property.kind === 'event' && property.during !== null) assert.ok(scenario.needs.includes(property.during));
      }
    });
  }
});

describe('event names', () => {
  it('are read in either case and by vector', () => {
    for (const word of eventWords) assert.ok(eventNames.includes(eventNamed(word) ?? ''), word);
    const cases: [string | number, string | null][] = [[20, 'VE'], [2, 'NMI'], [18, 'MC'], [9, '9'], [32, 'IRQ'], [255, 'IRQ'], [256, null], [1.5, null], ['Ve', null], ['page-fault', null]];
    for (const [word, event] of cases) assert.equal(eventNamed(word), event, String(word));
  });
});

describe('properties', () => {
  it('are read with their parts, and anything else is none', () => {
    assert.deepEqual(parseProperty('guard(ve.busy)=busy at quiescence'), { kind: 'guard', guard: 've.busy', state: 'busy', at: 'quiescence' });
    assert.deepEqual(parseProperty('event(ve) in nmi at second'), { kind: 'event', event: 'VE', during: 'NMI', at: 'second' });
    assert.deepEqual(parseProperty('fallback(vmexit)'), { kind: 'fallback', fallback: 'vmexit', at: null });
    for (const text of ['', 'shutdwon', 'event(ZZ)', 'event(VE) in ZZ', 'event(VE) at', 'guard(a)=set', 'fallback(nothing)', 'shutdown at gap']) assert.equal(parseProperty(text), null, text);
  });
});
