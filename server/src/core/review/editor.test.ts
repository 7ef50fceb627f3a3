// What an editor asks, on a small tree that has the shape of a kernel's: marks in the tests are pieces of its files.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createNodeWorkspace } from '../../shell/workspace.ts';
import type { Place } from '../base/span.ts';
import { expansionRows } from '../render/expansion.ts';
import { locator } from '../render/places.ts';
import { unknownText } from '../render/unknown.ts';
import { createReview } from '../review.ts';
import type { Review } from '../review-types.ts';

const tree = `${process.cwd()}/test-fixtures/editor/kernel`;
const entry = `${tree}/arch/x86/entry/entry_64.S`;
const calling = `${tree}/arch/x86/entry/calling.h`;
const idtentry = `${tree}/arch/x86/include/asm/idtentry.h`;
const fault = `${tree}/arch/x86/mm/fault.c`;

const grammars = {
  core: readFileSync('node_modules/web-tree-sitter/web-tree-sitter.wasm'),
  gas: readFileSync('grammars/tree-sitter-gas.wasm'),
  c: readFileSync('node_modules/tree-sitter-c/tree-sitter-c.wasm'),
};

function textOf(file: string): string {
  return readFileSync(file, 'utf8');
}

/** The offset of `word` in the first piece of a file's text that is `around`. */
function at(file: string, around: string, word: string): number {
  const start = textOf(file).indexOf(around);
  assert.ok(start >= 0 && around.includes(word), `${file} has ${around} with ${word}`);
  return start + around.indexOf(word) + 1;
}

/** `entry_64.S:12 text`. */
function shown({ file, span }: Place): string {
  const text = textOf(file);
  return `${file.slice(file.lastIndexOf('/') + 1)}:${text.slice(0, span.start).split('\n').length} ${text.slice(span.start, span.end)}`;
}

describe('the editor in a kernel tree', () => {
  let review: Review;

  beforeEach(async () => {
    review = await createReview(grammars, createNodeWorkspace('/'), null);
    review.setFile(entry, textOf(entry));
  });
  afterEach(() => review.release());

  const definition = (file: string, around: string, word: string): readonly string[] => review.definition(file, at(file, around, word)).map(shown);
  const hover = (file: string, around: string, word: string): string => review.hover(file, at(file, around, word))?.markdown ?? '';

  it('shows nothing but a hint for headers of the build, and says in full what it could not read', () => {
    assert.deepEqual(review.quickFindings(entry).map(({ rule, severity }) => [rule, severity]), [['generated-headers', 'hint']]);
    assert.deepEqual(review.quickFindings(`${tree}/arch/x86/entry/common.c`), []);
    const exploration = review.explore(review.unitOf(entry)?.folder ?? '');
    for (let slices = 0; slices < 1000 && !exploration.run(1000).done; slices += 1) continue;
    assert.deepEqual(exploration.reports().flatMap((report) => report.findings.map((finding) => finding.message)), []);
    assert.match(review.unknown(review.unitOf(entry)?.folder ?? '').map((one) => unknownText(one, locator(textOf))).join('\n'), /common\.c:5: /);
  });

  it('finds in its C files by exploring, in steps, again after each edit, and never while one types', () => {
    const handler = (save: string, restore: string): string => `DEFINE_IDTENTRY_MCE(exc_machine_check)\n{\n${save}\tirqentry_state_t state = irqentry_nmi_enter(regs);\n\tirqentry_nmi_exit(regs, state);\n${restore}}\n`;
    const saved = handler('\tunsigned long dr7 = local_db_save();\n', '\tlocal_db_restore(dr7);\n');
    const explored = (text: string): readonly string[] => {
      review.setFile(fault, text);
      assert.deepEqual(review.quickFindings(fault).filter(({ severity }) => severity === 'error'), []);
      const folder = review.unitOf(fault)?.folder ?? '';
      const exploration = review.explore(folder);
      let slices = 1;
      while (!exploration.run(1000).done) slices += 1;
      assert.ok(slices > 20, `${slices} slices`);
      return review.findings(folder, exploration.reports()).map(({ rule, place }) => `${rule} ${shownIn(text, place)}`);
    };
    const shownIn = (text: string, { span }: Place): string => String(text.slice(0, span.start).split('\n').length);
    assert.deepEqual(explored(handler('', '')), ['dr7-live-in-nmi-like 3']);
    assert.deepEqual(explored(saved), []);
    assert.deepEqual(explored(`\n${handler('', '')}`), ['dr7-live-in-nmi-like 4']);
    assert.deepEqual(explored(`/* xctx: assume exc_machine_check -- entered on its own stack */\n${handler('', '')}`), ['dr7-live-in-nmi-like 4']);
  });

  it('still shows what is wrong with an assembler file', () => {
    review.setFile(entry, textOf(entry).replace('\tswapgs\n', '\tMINI_FENCE 1, 2\n\tmovq (%rax, %rbx\n'));
    assert.ok(review.quickFindings(entry).some(({ severity }) => severity === 'warning'));
  });

  it('leads from names to definitions across files and macro languages', () => {
    assert.deepEqual(definition(entry, 'call mini_enter', 'mini_enter'), ['entry_64.S:21 mini_enter']);
    assert.deepEqual(definition(entry, 'MINI_PUSH\n', 'MINI_PUSH'), ['calling.h:2 MINI_PUSH']);
    assert.deepEqual(definition(entry, 'SYM_CODE_START(mini_enter)', 'SYM_CODE_START'), ['linkage.h:4 SYM_CODE_START']);
    assert.deepEqual(definition(calling, 'X86_FEATURE_MINI_FENCE', 'X86_FEATURE_MINI_FENCE'), ['alternative.h:4 X86_FEATURE_MINI_FENCE']);
    assert.deepEqual(definition(entry, 'jmp .Lmini_return', '.Lmini_return'), ['entry_64.S:45 .Lmini_return']);
    assert.deepEqual(definition(entry, 'call \\function', 'function'), ['entry_64.S:7 function']);
    assert.deepEqual(review.definition(entry, at(entry, '"calling.h"', 'calling')), [{ file: calling, span: { start: 0, end: 0 } }]);
    assert.deepEqual(definition(idtentry, 'mini_entry asm_##func', 'mini_entry'), ['entry_64.S:7 mini_entry']);
  });

  it('leads from the row of an entry to the C function that another folder defines', () => {
    assert.deepEqual(definition(idtentry, 'DECLARE_IDTENTRY_RAW(14, exc_mini_fault)', 'exc_mini_fault'), ['fault.c:5 exc_mini_fault']);
  });

  it('tells numeric labels apart by direction', () => {
    assert.deepEqual(definition(entry, 'jz 1f', '1f'), ['entry_64.S:26 1']);
    assert.deepEqual(definition(entry, 'jz 1b', '1b'), ['entry_64.S:26 1']);
    assert.deepEqual(definition(entry, 'jmp 1f', '1f'), ['entry_64.S:49 1']);
  });

  it('finds the uses of a name in code and not in comments', () => {
    assert.deepEqual(review.references(entry, at(entry, 'call mini_enter', 'mini_enter')).map(shown), ['entry_64.S:21 mini_enter', 'entry_64.S:12 mini_enter', 'entry_64.S:32 mini_enter']);
    assert.deepEqual(review.references(calling, at(calling, '.macro MINI_FENCE', 'MINI_FENCE')).map(shown), ['calling.h:10 MINI_FENCE', 'entry_64.S:11 MINI_FENCE', 'entry_64.S:30 MINI_FENCE']);
    assert.deepEqual(review.references(entry, at(entry, 'swapgs', 'swapgs')), []);
  });

  it('says what a use of a macro becomes, with the features of alternatives', () => {
    const text = hover(entry, '.Lmini_entered:\n\tMINI_FENCE', 'MINI_FENCE');
    assert.match(text, /assembler macro of calling\.h/);
    assert.match(text, /nop\n.*nop\n.*# with X86_FEATURE_MINI_FENCE:\n.*# +lfence/);
    assert.match(hover(idtentry, 'DECLARE_IDTENTRY_RAW(14', 'DECLARE_IDTENTRY_RAW'), /asm_exc_mini_fault:\n +cld\n +pushq +%rdi/);
    assert.match(hover(entry, 'swapgs', 'swapgs'), /SDM/);
    assert.equal(hover(entry, 'mini_enter came', 'mini_enter'), '');
  });

  it('expands a symbol to instructions that name their origin', () => {
    const expansion = review.expansion(entry, 'asm_exc_mini_fault');
    assert.ok(expansion !== null);
    const rows = expansionRows({ ...expansion, file: 'entry_64.S' }, locator((file) => review.text(file)));
    assert.deepEqual(rows.slice(5).map((row) => row.text), [
      'asm_exc_mini_fault:                   # idtentry.h:16',
      '    cld                               # entry_64.S:9',
      '    pushq   %rdi                      # calling.h:4 <- MINI_PUSH entry_64.S:10',
      '    pushq   %rsi                      # calling.h:6 <- MINI_PUSH entry_64.S:10',
      '    pushq   %rdx                      # calling.h:7 <- MINI_PUSH entry_64.S:10',
      '    nop                               # calling.h:11 <- ALTERNATIVE <- MINI_FENCE entry_64.S:11',
      '    nop                               # calling.h:11 <- ALTERNATIVE <- MINI_FENCE entry_64.S:11',
      '  # with X86_FEATURE_MINI_FENCE:      # calling.h:11 <- MINI_FENCE entry_64.S:11',
      '  #   lfence                          # calling.h:11 <- ALTERNATIVE <- MINI_FENCE entry_64.S:11',
      '    call    mini_enter                # entry_64.S:12',
      '    movq    %rsp, %rdi                # entry_64.S:13',
      '    call    exc_mini_fault            # entry_64.S:14',
      '    jmp     .Lmini_return             # entry_64.S:15',
    ]);
    assert.match(rows[2]?.text ?? '', /all of it through mini_entry idtentry\.h:\d+ <- DECLARE_IDTENTRY_RAW idtentry\.h:16/);
  });

  it('knows which symbol the cursor is in, and which a macro use makes', () => {
    assert.equal(review.expansionAt(entry, at(entry, 'movl $1', 'movl')), 'mini_enter');
    assert.equal(review.expansionAt(idtentry, at(idtentry, 'DECLARE_IDTENTRY_RAW(14', 'DECLARE')), 'asm_exc_mini_fault');
    assert.equal(review.expansionAt(entry, at(entry, '/* Entry code', 'Entry')), null);
    assert.deepEqual(review.expansions(entry).map((each) => each.symbol), ['asm_exc_mini_fault', 'mini_enter', 'mini_native', 'mini_exit', 'mini_exit_iret']);
  });

  it('fades what the configuration leaves out, and reads the file anew with another one', () => {
    const inactive = (): string => review.inactive(entry).map((span) => textOf(entry).slice(span.start, span.end).trim().split('\n')[0]).join();
    assert.equal(inactive(), 'SYM_CODE_START(mini_xen)');
    review.configure({ configuration: '6.12:xenpv+sev+tdx+fred', defines: [] });
    assert.equal(inactive(), 'SYM_CODE_START(mini_native)');
    review.configure({ configuration: null, defines: ['CONFIG_XEN_PV'] });
    assert.equal(inactive(), 'SYM_CODE_START(mini_native)');
    review.configure({ configuration: 'nonesuch', defines: [] });
    assert.equal(inactive(), 'SYM_CODE_START(mini_xen)');
    assert.match(review.quickFindings(entry).map((finding) => finding.message).join('\n'), /no configuration nonesuch/);
  });

  it('fades in a header only what both languages leave out', () => {
    assert.deepEqual(review.inactive(idtentry).map((span) => textOf(idtentry).slice(span.start, span.end).trim()), ['#define MINI_NEVER 1']);
    assert.deepEqual(review.inactive(calling), []);
  });

  it('outlines symbols with the labels inside them, and folds them', () => {
    const outline = review.symbols(entry).map((symbol) => `${symbol.name} ${symbol.kind}${symbol.children.map((child) => ` ${child.name}`).join('')}`);
    assert.deepEqual(outline, ['mini_entry macro \\stub', 'mini_enter function .Lmini_entered', 'mini_xen function', 'mini_native function', 'mini_exit function .Lmini_return mini_exit_iret']);
    assert.deepEqual(review.symbols(calling).map((symbol) => symbol.name), ['MINI_PUSH', 'MINI_FENCE']);
    assert.ok(review.folds(entry).some((span) => textOf(entry).slice(span.start, span.end).startsWith('SYM_CODE_START(mini_exit)')));
  });

  it('finds symbols of the open files and what they include', () => {
    assert.deepEqual(review.workspaceSymbols('mpush').map((symbol) => `${symbol.name} ${symbol.container}`), ['MINI_PUSH calling.h']);
    assert.deepEqual(review.workspaceSymbols('asmexc').map((symbol) => shown(symbol.place)), ['idtentry.h:16 exc_mini_fault']);
  });

  it('renames local labels with their uses, and says why nothing else is renamed', () => {
    const renamed = (around: string, word: string, name: string): string => {
      const renaming = review.rename(entry, at(entry, around, word), name);
      if (renaming.kind === 'refused') return renaming.reason;
      return renaming.edits.map(({ place, newText }) => `${shown(place)} -> ${newText}`).join('; ');
    };
    assert.equal(renamed('jmp .Lmini_entered', '.Lmini', '.Lready'), 'entry_64.S:25 .Lmini_entered -> .Lready; entry_64.S:29 .Lmini_entered -> .Lready');
    assert.equal(renamed('jz 1f', '1f', '7'), 'entry_64.S:23 1 -> 7; entry_64.S:26 1 -> 7; entry_64.S:28 1 -> 7');
    assert.match(renamed('jmp .Lmini_entered', '.Lmini', '.Lmini_return'), /used already/);
    assert.match(renamed('jmp .Lmini_entered', '.Lmini', 'entered'), /begins with \.L/);
    assert.match(renamed('call mini_enter', 'mini_enter', 'enter'), /named in other files/);
    assert.match(renamed('MINI_PUSH\n', 'MINI_PUSH', 'x'), /is a macro/);
    assert.match(renamed('swapgs', 'swapgs', 'x'), /no label/);
  });

  it('refuses a number that would change what another use means', () => {
    const text = textOf(entry).replace('\tud2', '\tjmp 1b');
    review.setFile(entry, text);
    assert.match(JSON.stringify(review.rename(entry, text.indexOf('2:\tjmp'), '1')), /lies in between/);
    assert.equal(review.rename(entry, text.indexOf('2:\tjmp'), '3').kind, 'edits');
  });

  it('completes registers, mnemonics, macros and labels where each can stand', () => {
    const offered = (typed: string): readonly string[] => {
      const text = textOf(entry).replace('\tswapgs\n\tjmp 1f', `\t${typed}`);
      review.setFile(entry, text);
      return review.complete(entry, textOf(entry).indexOf('\tswapgs\n\tjmp 1f') + 1 + typed.length).map((each) => each.label);
    };
    assert.ok(offered('movq %r1').includes('%r12'));
    assert.deepEqual(offered('swap'), ['swapgs']);
    assert.ok(offered('MINI').includes('MINI_PUSH'));
    assert.ok(offered('call mini_e').includes('mini_enter'));
    assert.ok(offered('jmp .Lmi').includes('.Lmini_return'));
    assert.deepEqual(offered('nop /* mini_'), []);
    assert.ok(offered('/* xctx: ').includes('guard'));
  });

  it('tells macros, labels and parameters apart for colours', () => {
    const tokens = review.semanticTokens(entry).map(({ span, kind }) => `${textOf(entry).slice(span.start, span.end)} ${kind}`);
    for (const wanted of ['MINI_FENCE macro', 'mini_enter label', '\\function parameter', 'stub parameter', 'SYM_CODE_START macro']) assert.ok(tokens.includes(wanted), wanted);
    assert.ok(!tokens.some((token) => token.startsWith('swapgs')));
  });

  it('links includes to their files', () => {
    assert.deepEqual(review.links(entry).map(({ target }) => target.slice(tree.length + 1)), ['include/linux/linkage.h', 'arch/x86/include/asm/alternative.h', 'arch/x86/entry/calling.h', 'arch/x86/include/asm/idtentry.h']);
  });

  it('answers for C as for assembler', () => {
    review.setFile(fault, textOf(fault));
    assert.deepEqual(definition(fault, 'DEFINE_IDTENTRY_RAW(exc', 'DEFINE_IDTENTRY_RAW'), ['idtentry.h:7 DEFINE_IDTENTRY_RAW']);
    assert.match(hover(fault, 'DEFINE_IDTENTRY_RAW(exc', 'DEFINE_IDTENTRY_RAW'), /#define DEFINE_IDTENTRY_RAW\(func\)/);
  });
});
