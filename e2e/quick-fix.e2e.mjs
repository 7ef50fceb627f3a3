// A quick fix leaves the bad design without its finding, and an entry stub without the one of its paths.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bad, openDesigns, openTree, quickFix } from './entrycheck.mjs';

describe('quick fix', () => {
  let workbench;

  before(async () => {
    workbench = await openDesigns();
  });
  after(() => workbench?.close());

  it('leaves the design without the finding', async () => {
    const line = workbench.lineOf(bad.file, bad.store);
    await workbench.openFile(bad.file);
    await workbench.gotoLine(line);
    await workbench.waitForDiagnostic(bad.message);
    await workbench.waitForSquiggle(line);
    const before = await workbench.lineText(line);
    await workbench.quickFix(line, bad.word, quickFix, 'quick-fix-menu');
    await workbench.waitForNoDiagnostic(bad.message);
    assert.notEqual(await workbench.lineText(line), before, 'the line of the store has changed');
    await workbench.screenshot('quick-fixed');
  });
});

describe('quick fix of an entry path', () => {
  const saved = ['rdi', 'rsi', 'rdx', 'rcx', 'rax', 'r8', 'r9', 'r10', 'r11', 'rbx', 'rbp', 'r12', 'r13', 'r14', 'r15'];
  const stub = ['\t.globl\tasm_demo_gp', 'asm_demo_gp:', '\tclac', ...saved.map((name) => `\tpushq\t%${name}`), '\tmovq\t%rsp, %rdi', '\tcall\tdemo_gp', ...[...saved].reverse().map((name) => `\tpopq\t%${name}`), '\taddq\t$8, %rsp', '\tiretq', ''];
  let folder;
  let workbench;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'entrycheck-stub-'));
    writeFileSync(join(folder, 'entry.S'), stub.join('\n'));
    writeFileSync(join(folder, 'design.c'), '/* xctx: handler vector=GP */\nvoid demo_gp(struct pt_regs *regs)\n{\n}\n');
    workbench = await openTree(folder);
  });
  after(async () => {
    await workbench?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('puts in front of the call what it lacks', async () => {
    const call = stub.indexOf('\tcall\tdemo_gp') + 1;
    await workbench.openFile('entry.S');
    await workbench.gotoLine(call);
    await workbench.waitForDiagnostic('demo_gp() is entered with DF');
    await workbench.quickFix(call, 'call', /Put cld in front of it/, 'path-fix-menu');
    await workbench.waitForNoDiagnostic('demo_gp() is entered with DF');
    assert.match(await workbench.lineText(call), /cld/);
    assert.match(await workbench.lineText(call + 1), /call/);
    await workbench.screenshot('path-fixed');
  });
});
