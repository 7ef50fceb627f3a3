// The debugger on the bad design: a finding is replayed, its stack, its values and its end are seen, and it goes back.
import assert from 'node:assert/strict';
import { bad, commands, cornerCase, openDesigns, trace } from './entrycheck.mjs';

const debugTrace = 'Entrycheck: Debug trace';

describe('a trace in the debugger', () => {
  let workbench;
  let line;

  before(async () => {
    workbench = await openDesigns();
    line = workbench.lineOf(bad.file, bad.store);
    await workbench.openFile(bad.file);
    await workbench.gotoLine(line);
    await workbench.waitForSquiggle(line);
  });
  after(() => workbench?.close());

  const frames = () => workbench.page.locator('.debug-call-stack .monaco-list-row .stack-frame');
  const press = async (name) => await workbench.page.locator(`.debug-toolbar .action-label[aria-label^="${name}"]`).first().click();
  const waitForFrame = async (text) => await frames().filter({ hasText: text }).first().waitFor({ timeout: 60_000 });

  it('the trace of the finding at the cursor begins at its first instruction', async () => {
    await workbench.runCommand(debugTrace);
    await waitForFrame(/asm_exc_(nmi|ve): /);
    await workbench.page.locator('.debug-top-stack-frame-line, .debug-top-stack-frame-column').first().waitFor();
    // The values are asked for behind the frame.
    await workbench.page.locator('.debug-variables .monaco-list-row', { hasText: 'Changed by the last step' }).first().waitFor();
    await workbench.screenshot('debug-entry');
  });

  it('goes on to its end, which tells the finding', async () => {
    await press('Continue');
    const widget = workbench.page.locator('.zone-widget.exception-widget-container, .exception-widget');
    await widget.first().waitFor({ timeout: 60_000 });
    await workbench.waitUntil(async () => (await widget.first().innerText()).includes(bad.rule), 'the rule in the exception', 15_000);
    await waitForFrame(/#VE interrupted exc_ve/);
    await workbench.screenshot('debug-end');
    assert.match(await widget.first().innerText(), new RegExp(bad.message));
  });

  it('steps back from there, to the statement in front of it', async () => {
    await press('Step Back');
    await workbench.waitForActiveFile(bad.file);
    await waitForFrame(/^exc_ve: WRITE_ONCE/);
    await workbench.page.locator('.debug-variables .monaco-list-row', { hasText: 'ended' }).first().waitFor({ state: 'detached' });
    await workbench.screenshot('debug-back');
    await press('Stop');
    await workbench.page.locator('.debug-toolbar').waitFor({ state: 'hidden' });
  });

  it('F5 in a design asks for the scenario', async () => {
    await workbench.openFile(bad.file);
    await workbench.press('F5');
    await workbench.pickQuickPick(cornerCase);
    await waitForFrame(/asm_exc_nmi: /);
    await press('Stop');
    await workbench.page.locator('.debug-toolbar').waitFor({ state: 'hidden' });
  });

  it('a trace in the panel is replayed by its button', async () => {
    await workbench.openFile(bad.file);
    await workbench.runCommand(commands.runScenario);
    await workbench.pickQuickPick(cornerCase);
    const panel = await workbench.webview(trace.verdict);
    await panel.getByRole('button', { name: 'Replay in debugger' }).click();
    await waitForFrame(/asm_exc_nmi: /);
    await workbench.screenshot('debug-from-panel');
    await press('Stop');
  });
});
