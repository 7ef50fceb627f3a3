import assert from 'node:assert/strict';
import { pastedFiles } from './pasted.ts';

const shown = (text: string): readonly (readonly [string, number, readonly string[]])[] => pastedFiles(text).map(({ language, sketch, text: code }) => [language, sketch, code.split('\n').map((line, index) => `${index + 1}:${line}`).filter((line) => !/^\d+:\s*$/.test(line))]);

describe('code in a text', () => {
  it('is the whole text where that is one sketch', () => {
    assert.deepEqual(shown('ve_entry:\n\tpushq $-1\n\n\tiretq\n'), [['S', 0, ['1:ve_entry:', '2:\tpushq $-1', '4:\tiretq']]]);
    assert.deepEqual(shown('void f(struct pt_regs *regs)\n{\n\tx = 1;\n\n\ty = 2;\n}\n').map(([language]) => language), ['c']);
  });

  it('stands between fences, by their word or by what it is', () => {
    assert.deepEqual(shown('Words.\n```c\nint x;\n```\nMore.\n~~~\n\tswapgs\n\tiretq\n~~~\n```sh\nmake;\n```\n'), [['c', 0, ['3:int x;']], ['S', 0, ['7:\tswapgs', '8:\tiretq']]]);
  });

  it('keeps lines and columns below quotation marks', () => {
    assert.deepEqual(shown('> > nmi_entry:\n> > \tpushq %rax\n> > \tiretq\n'), [['S', 0, ['1:    nmi_entry:', '2:    \tpushq %rax', '3:    \tiretq']]]);
  });

  it('is told from what people say around it', () => {
    const mail = 'From: A <a@b.c>\nSubject: Re: entry; the stub\n\nOn Monday B wrote:\n> I think the following does the job (see below), and it is short:\n>\n> void do_nmi(struct pt_regs *regs)\n> {\n> \tcount++;\n>\n> \twork(regs);\n> }\n\nThat is not right, because the handler may be interrupted; do it later.\n\n-- \nA\n';
    assert.deepEqual(shown(mail), [['c', 0, ['7:  void do_nmi(struct pt_regs *regs)', '8:  {', '9:  \tcount++;', '11:  \twork(regs);', '12:  }']]]);
  });

  it('is what a diff makes of it that somebody quotes or writes down without its headers', () => {
    const code = (text: string): readonly string[] => shown(text).flatMap(([, , lines]) => lines);
    assert.deepEqual(code('Hi,\n\n> @@ -1,2 +1,3 @@\n>  nmi_entry:\n> -\tcld\n> +\tpushq %rax\n> +1:\tcall do_nmi\n>  \tiretq\n\n+1 from me\n'), ['4:   nmi_entry:', '6:   \tpushq %rax', '7:   1:\tcall do_nmi', '8:   \tiretq']);
    assert.deepEqual(code('On Thu, A wrote:\n> On Wed, B wrote:\n> > +void f(struct pt_regs *regs)\n> > +{\n> > +\tr = g(A |\n> > B);\n> > +}\n> No.\n'), ['3:     void f(struct pt_regs *regs)', '4:     {', '5:     \tr = g(A |', '6:    B);', '7:     }']);
    assert.deepEqual(code('```\nnmi_entry:\n\tmovq -8(%rsp), %rax\n\tiretq\n```\n'), ['2:nmi_entry:', '3:\tmovq -8(%rsp), %rax', '4:\tiretq']);
  });

  it('may be the rows of a table', () => {
    assert.deepEqual(shown('static const struct idt_data idts[] = {\n\tINTG(X86_TRAP_DE, asm_exc_divide_error),\n\tISTG(X86_TRAP_NMI, asm_exc_nmi, IST_INDEX_NMI),\n\tISTG(X86_TRAP_MC, asm_exc_machine_check, IST_INDEX_MCE),\n};\n').map(([language]) => language), ['c']);
    assert.deepEqual(shown('struct nmi_ops ops = {\n\t.init = my_init,\n\t.handle = my_handle,\n\t[0] = { 1 },\n};\n').map(([language]) => language), ['c']);
  });

  it('keeps what says that code is left out, in the words of mails', () => {
    const code = (text: string): readonly string[] => shown(text).flatMap(([, , lines]) => lines);
    assert.deepEqual(code('> nmi_entry:\n> \tpushq %rax\n\n[...]\n\n> \tcall do_nmi\n> \tiretq\n'), ['1:  nmi_entry:', '2:  \tpushq %rax', '4:...', '6:  \tcall do_nmi', '7:  \tiretq']);
    assert.deepEqual(code('```c\nvoid f(void)\n{\n\t[snip]\n}\n```\n'), ['2:void f(void)', '3:{', '4:\t...', '5:}']);
  });

  it('is nothing where there are only words', () => {
    for (const text of ['', '\n\n', 'hello', 'A model that could work, perhaps for #VE and #MC, is to have the extable code do it;\nbut I want to know why.\n']) assert.deepEqual(pastedFiles(text), []);
  });

  it('makes another sketch of what defines a name again', () => {
    assert.deepEqual(shown('```asm\na_stub:\n\tiretq\n```\nbetter:\n```asm\na_stub:\n\tcld\n\tiretq\n```\n').map(([, sketch]) => sketch), [0, 1]);
  });

  it('does not hang on hostile text', () => {
    const blanks = ' '.repeat(100_000);
    for (const text of [`${blanks}pushl\n`, `a.${'a.'.repeat(50_000)}: pushl %eax\n`, `x;\n${blanks}f()\n`, '+'.repeat(100_000), '> +\tnop\n> -\tnop\n'.repeat(25_000), `{ ${'INTG('.repeat(20_000)}${'),'.repeat(20_000)}\n`, `${'a '.repeat(100_000)}wrote\n`, Array.from({ length: 20_000 }, (_, index) => `${'>'.repeat(index % 60)} +\tnop`).join('\n')]) pastedFiles(text);
    for (const text of ['`'.repeat(100_000), '> '.repeat(50_000), '{\n'.repeat(50_000), '/*'.repeat(50_000), `${'a '.repeat(200_000)}\n`, '\tmovq %rax, %rbx\n'.repeat(50_000)]) pastedFiles(text);
  });
});
