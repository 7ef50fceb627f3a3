// The extension in the browser, as on vscode.dev: in the web worker extension host, with no Node and no disk. What it shows
// of a design, of a sketch and of a kernel tree is what it shows on the desktop.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { bad, commands, context, cornerCase, openDesignsInBrowser, openTreeInBrowser, sketchWithTrace, trace } from './entrycheck.mjs';

const tree = process.env.ENTRYCHECK_KERNEL ?? join(process.env.ENTRYCHECK_KERNELS ?? join(homedir(), '.cache/entrycheck/kernels'), 'linux-source-6.12');
const entry = 'arch/x86/entry/entry_64.S';

describe('a design in the browser', () => {
  let workbench;
  let line;

  before(async () => {
    workbench = await openDesignsInBrowser();
    line = workbench.lineOf(bad.file, bad.store);
    await workbench.openFile(bad.file);
    await workbench.gotoLine(line);
  });
  after(() => workbench?.close());

  it('has its finding at the store', async () => {
    await workbench.waitForSquiggle(line, { timeout: 60_000 });
    const row = await workbench.waitForDiagnostic(bad.message);
    assert.ok(row.includes(bad.rule), `the row names the rule: ${row}`);
    await workbench.screenshot('browser-squiggle');
    await workbench.runCommand('View: Toggle Panel Visibility');
  });

  it('has its exception context in the hover', async () => {
    let text = await workbench.hoverAt(line, bad.word);
    for (let asked = 0; asked < 20 && !context.every((part) => part.test(text)); asked++) {
      await workbench.closeHover();
      await workbench.page.waitForTimeout(1000);
      text = await workbench.hoverAt(line, bad.word);
    }
    await workbench.screenshot('browser-hover');
    for (const part of context) assert.match(text, part);
    await workbench.closeHover();
  });

  it('runs a scenario, and the steps of its trace jump to their source', async () => {
    await workbench.runCommand(commands.runScenario);
    await workbench.pickQuickPick(cornerCase);
    const panel = await workbench.webview(trace.verdict);
    const steps = panel.locator(trace.step);
    await steps.first().waitFor();
    const texts = await steps.allInnerTexts();
    const at = texts.findIndex((text) => trace.place.test(text));
    const [, file, number] = trace.place.exec(texts[at]);
    await steps.nth(at).click();
    await workbench.waitForActiveFile(file);
    await workbench.waitForCursor(Number(number));
    await workbench.screenshot('browser-trace');
  });

  it('replays that trace in the debugger', async () => {
    const panel = await workbench.webview(trace.verdict);
    await panel.getByRole('button', { name: 'Replay in debugger' }).click();
    const frames = workbench.page.locator('.debug-call-stack .monaco-list-row .stack-frame', { hasText: /asm_exc_nmi: / });
    await frames.first().waitFor({ timeout: 60_000 });
    await workbench.screenshot('browser-debug');
    await workbench.page.locator('.debug-toolbar .action-label[aria-label^="Stop"]').first().click();
  });
});

describe('a sketch in the browser', () => {
  let workbench;

  before(async () => {
    workbench = await openDesignsInBrowser('plain-nmi');
  });
  after(() => workbench?.close());

  it('has a finding and a counterexample before it is saved', async () => {
    await sketchWithTrace(workbench, 'browser-sketch');
  });
});

const present = existsSync(join(tree, entry));
if (!present && process.env.CI) throw new Error(`no kernel tree at ${tree}`);
if (present) describe('unmodified kernel entry code in the browser', kernelTests);
else console.log(`browser.e2e: left out in part, there is no kernel tree at ${tree}`);

function kernelTests() {
  let workbench;

  before(async () => {
    workbench = await openTreeInBrowser(tree);
    await workbench.openFile(entry);
  });
  after(() => workbench?.close());

  it('is read with its includes', async () => {
    const use = workbench.lineOf(entry, 'PUSH_AND_CLEAR_REGS rax');
    await workbench.gotoLine(use);
    const text = await workbench.hoverAt(use, 'PUSH_AND_CLEAR_REGS', { timeout: 60_000 });
    assert.match(text, /assembler macro of calling\.h/);
    assert.match(text, /pushq\s+%rdi/);
    await workbench.screenshot('browser-kernel-hover');
    await workbench.closeHover();
    await workbench.clickWord(use, 'PUSH_AND_CLEAR_REGS');
    await workbench.press('F12');
    await workbench.waitForActiveFile('calling.h');
    await workbench.openFile(entry);
  });

  it('has no finding when all is explored', async () => {
    const symbol = workbench.lineOf(entry, 'SYM_CODE_START(entry_SYSCALL_64)');
    await workbench.gotoLine(symbol);
    const shown = async () => (await Promise.all([...Array(14).keys()].map((below) => workbench.lineText(symbol + below)))).join('\n');
    await workbench.waitUntil(async () => /swapgs\s*GS kernel/.test(await shown()), 'the hint behind swapgs', 100_000);
    await workbench.waitUntil(async () => (await workbench.page.locator('.statusbar-item', { hasText: 'Entrycheck: no findings' }).count()) > 0, 'the status bar to say that there are no findings', 100_000);
    await workbench.screenshot('browser-kernel-hints');
    await workbench.showProblems('');
    await workbench.waitUntil(async () => /No problems/.test(await workbench.panelText()), 'the Problems panel to be empty', 10_000);
    assert.deepEqual(await workbench.squiggledLines(), []);
    await workbench.screenshot('browser-kernel');
  });
}
