// The scenarios of a design in the Test Explorer: listed, run, the violation told at the step that shows it, and its trace on
// request.
import assert from 'node:assert/strict';
import { commands, openDesigns, trace } from './entrycheck.mjs';

describe('the Test Explorer', () => {
  let workbench;

  before(async () => {
    workbench = await openDesigns('clear-on-ist-early');
    await workbench.openFile('design.c');
  });
  after(() => workbench?.close());

  it('lists the scenarios of the design', async () => {
    await workbench.openView('Testing');
    await workbench.waitForTreeRow(/clear-on-ist-early/, 60_000);
    await workbench.expandTreeRow(/clear-on-ist-early/);
    await workbench.waitForTreeRow(/perf-nmi-user-copy-fails-twice/);
    await workbench.screenshot('tests-listed');
  });

  it('runs them: what is violated fails, at a line of the design', async () => {
    await workbench.runCommand(commands.runTests);
    await workbench.waitUntil(async () => (await workbench.testLabels()).slice(1).every((label) => /\((?:Failed|Passed)\b/.test(label)), 'every test to end', 90_000);
    await workbench.screenshot('tests-run');
    const labels = await workbench.testLabels();
    for (const wanted of [/^perf NMI whose user copy fails twice \(Failed\b/, /^NMI inside NMI \(Passed\b/]) assert.ok(labels.some((label) => wanted.test(label)), labels.join('\n'));
  });

  it('shows the trace of a failed one', async () => {
    await workbench.testAction(/perf-nmi-user-copy-fails-twice/, 'Show trace');
    const panel = await workbench.webview(trace.verdict);
    await panel.locator(trace.step).first().waitFor();
    await workbench.screenshot('test-trace');
  });

  it('replays a failed one in the debugger', async () => {
    await workbench.testAction(/perf-nmi-user-copy-fails-twice/, 'Debug Test');
    const { page } = workbench;
    await page.locator('.debug-call-stack .stack-frame', { hasText: /asm_exc_nmi: / }).first().waitFor({ timeout: 60_000 });
    await workbench.screenshot('test-debug');
    await page.locator('.debug-toolbar .action-label[aria-label^="Stop"]').first().click();
  });
});
