// Every row's examples, executed on the machine as the front end reads them.
import assert from 'node:assert/strict';
import { given, machineOf, step, valueOf } from '../../../testing/machine.ts';
import { INSTRUCTION_ROWS } from './index.ts';
import { RETURN_MNEMONICS } from './returns.ts';

describe('instruction rows', () => {
  it('have each one mnemonic, and an example', () => {
    assert.deepEqual(INSTRUCTION_ROWS.map(({ mnemonic }) => mnemonic).filter((name, at, all) => all.indexOf(name) !== at), []);
    // An event return needs a frame in memory: the tests of delivery run them.
    assert.deepEqual(INSTRUCTION_ROWS.filter(({ mnemonic, examples }) => examples.length === 0 && !RETURN_MNEMONICS.has(mnemonic)).map(({ mnemonic }) => mnemonic), []);
  });

  const examples = INSTRUCTION_ROWS.flatMap((row) => row.examples.map((example) => ({ row, ...example })));
  it('do what their examples say', async function () {
    this.timeout(30_000);
    const machine = await machineOf(examples.map(({ code }, at) => `SYM_INNER_LABEL(example${at})\n\t${code}\n\tnop\n9:\tnop`).join('\n'));
    const wrong: string[] = [];
    examples.forEach(({ code, given: before, then }, at) => {
      const state = given(machine.at('kernel', `example${at}`), before);
      const { state: after, effects } = step(machine, state);
      if (effects.some((effect) => effect.kind === 'unknown' && effect.what.includes('not modelled'))) wrong.push(`${code}: not modelled`);
      const taken = after.node === state.node + 2 ? 1n : 0n;
      const seen = Object.fromEntries(Object.keys(then).map((name) => [name, name === 'taken' ? taken : valueOf(after, name)]));
      for (const [name, value] of Object.entries(then)) if (seen[name] !== value) wrong.push(`${code}: ${name} is ${seen[name]}, not ${value}`);
    });
    assert.deepEqual(wrong, []);
  });
});
