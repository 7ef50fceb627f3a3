// Paths through 32-bit entry code, by what is in force at their calls and returns.
import assert from 'node:assert/strict';
import { configurationOf } from '../preprocess/configurations.ts';
import { preprocess } from '../preprocess/preprocess.ts';
import { walk32 } from './walk-32.ts';
import type { Walk32 } from './walk-32.ts';

function walked(body: string, name = 'entry_INT80_32'): Walk32 {
  const text = `\t.section .entry.text, "ax"\n${name}:\n${body}\t.size ${name}, .-${name}\n`;
  return walk32(preprocess('/e.S', { read: (path) => (path === '/e.S' ? text : null) }, configurationOf('32-bit', new Map())));
}

const seen = ({ observed }: Walk32, kind: string) => observed.filter((one) => one.kind === kind);

describe('paths of 32-bit entry code', () => {
  it('lead to calls with the flags, segments and page table of their start, as far as nothing changed them', () => {
    const [call] = seen(walked('\tcld\n\tmovl\t$0xd8, %eax\n\tmovl\t%eax, %fs\n\tcall\tdemo\n\tiret\n'), 'call');
    assert.ok(call !== undefined);
    assert.deepEqual([call.state.df, call.state.ac, call.state.fs, call.state.ds, call.state.cr3], [true, false, 'kernel', 'user', 'user']);
  });

  it('part where a jump is not decided, and are one again where nothing differs', () => {
    const body = (first: string): string => `\ttestl\t%ecx, %ecx\n\tjz\t1f\n${first}1:\n\tcall\tdemo\n\tiret\n`;
    assert.deepEqual(seen(walked(body('\tcld\n')), 'call').map(({ state }) => state.df).sort(), [false, true]);
    assert.equal(seen(walked(body('\tnop\n')), 'call').length, 1);
  });

  it('begin in each mode and on each stack that an event may find', () => {
    const starts = seen(walked('\tcall\tdemo\n\tiret\n', 'asm_exc_nmi'), 'call').map(({ start }) => start.name);
    assert.deepEqual(starts.sort(), ['kernel mode', 'kernel mode on the ESPFIX stack', 'kernel mode on the entry stack', 'user mode']);
  });

  it('that are too many are said to be, and nothing is said of them', () => {
    const either = ['eax', 'ebx', 'ecx', 'edx', 'esi', 'edi', 'ebp'].map((name, at) => `\ttestl\t%esp, %esp\n\tjz\t${at}f\n\tmovl\t$1, %${name}\n${at}:\n`).join('');
    const short = walked(`${either}\tcall\tdemo\n\tiret\n`);
    assert.deepEqual([short.cut, seen(short, 'call').length > 0], [false, true]);
    assert.deepEqual(walked(`${either}${'\tnop\n'.repeat(2000)}\tcall\tdemo\n\tiret\n`), { observed: [], unfixed: [], asksEspfix: false, cut: true });
  });
});
