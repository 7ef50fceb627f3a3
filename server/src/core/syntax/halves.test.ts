import assert from 'node:assert/strict';
import { halfFor } from './halves.ts';

const SHARED = ['#define BOTH 1', '#ifndef __ASSEMBLY__', '#ifdef CONFIG_A', 'int c;', '#else', 'long c;', '#endif', '#else /* asm */', '\tnop', '#endif', '#define LAST 2', ''].join('\n');

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

describe('headers shared by C and assembler', () => {
  it('keep for each language its half and what both read', () => {
    assert.deepEqual(linesOf(halfFor('gas', SHARED)), ['#define BOTH 1', '#ifndef __ASSEMBLY__', '#else /* asm */', '\tnop', '#endif', '#define LAST 2']);
    assert.deepEqual(linesOf(halfFor('c', SHARED)), [
      '#define BOTH 1', '#ifndef __ASSEMBLY__', '#ifdef CONFIG_A', 'int c;', '#else', 'long c;', '#endif', '#else /* asm */', '#endif', '#define LAST 2',
    ]);
  });

  it('keep every offset', () => {
    for (const language of ['gas', 'c'] as const) {
      const half = halfFor(language, SHARED);
      assert.equal(half.length, SHARED.length);
      assert.equal(half.indexOf('#define LAST'), SHARED.indexOf('#define LAST'));
    }
  });

  it('know the spellings of the condition', () => {
    for (const condition of ['#ifdef __ASSEMBLER__', '#if defined(__ASSEMBLY__)', '# if defined __ASSEMBLY__ /* why */']) {
      assert.ok(halfFor('gas', `${condition}\nnop\n#endif\n`).includes('nop'), condition);
      assert.ok(!halfFor('c', `${condition}\nnop\n#endif\n`).includes('nop'), condition);
    }
    assert.ok(halfFor('c', '#if !defined(__ASSEMBLY__)\nint a;\n#endif').includes('int a;'));
  });

  it('leave a condition about more than the language alone', () => {
    const text = '#if defined(__ASSEMBLY__) && defined(CONFIG_A)\nnop\n#endif\n';
    assert.equal(halfFor('c', text), text);
  });

  it('leave text without the mark, and unpaired ends, as they are', () => {
    assert.equal(halfFor('c', '#ifdef A\nint a;\n#endif\n#endif\n'), '#ifdef A\nint a;\n#endif\n#endif\n');
    assert.equal(halfFor('gas', '#endif\n#endif\n#else\nnop /* __ASSEMBLY__ */'), '#endif\n#endif\n#else\nnop /* __ASSEMBLY__ */');
  });
});
