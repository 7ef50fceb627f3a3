// A finding is suppressed by a quick fix that asks for the reason; when it is mended, the removal is offered. The rule's
// page opens from the diagnostic's code, without a network.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bad, openDesigns } from './entrycheck.mjs';

const reason = 'the host keeps the page in memory';

describe('suppressions', () => {
  let workbench;
  let line;

  beforeEach(async () => {
    await workbench?.close();
    workbench = await openDesigns();
    line = workbench.lineOf(bad.file, bad.store);
    await workbench.openFile(bad.file);
    await workbench.gotoLine(line);
    await workbench.waitForSquiggle(line);
    await workbench.waitForDiagnostic(bad.message);
  });
  after(() => workbench?.close());

  async function suppress(title, picture) {
    await workbench.quickFix(line, bad.word, title, picture);
    await workbench.waitForQuickInput();
    await workbench.screenshot(`${picture}-reason`);
    await workbench.fillQuickInput(reason);
    await workbench.press('Enter');
  }

  it('by an annotation takes the finding out, and its removal is offered when the store is gone', async () => {
    await suppress(new RegExp(`^Suppress ${bad.rule} with a reason$`), 'suppress-menu');
    await workbench.waitUntil(async () => ((await workbench.lineText(line)) ?? '').includes(`xctx: allow ${bad.rule} -- ${reason}`), 'the annotation above the store', 15_000);
    await workbench.waitForNoSquiggle(line + 1);
    await workbench.waitForNoDiagnostic(bad.message, { timeout: 30_000 });
    await workbench.screenshot('suppressed');

    await workbench.clickWord(line + 1, bad.word);
    await workbench.press('Home');
    await workbench.typeText('//');
    await workbench.waitForSquiggle(line);
    await workbench.screenshot('suppression-unused');
    await workbench.waitForDiagnostic('this suppression allows nothing');
    await workbench.gotoLine(line);
    await workbench.quickFix(line, 'allow', 'Remove the unused suppression', 'unused-suppression-menu');
    await workbench.waitForNoDiagnostic('this suppression allows nothing');
    assert.match((await workbench.lineText(line)) ?? '', /\/\/.*WRITE_ONCE/, 'the annotation and its line are gone');
    await workbench.screenshot('suppression-removed');
  });

  it('by a line of the sidecar file leaves the code as it is', async () => {
    const before = await workbench.lineText(line);
    await suppress(/in \.xctx\.yaml$/, 'suppress-sidecar-menu');
    await workbench.waitForNoDiagnostic(bad.message, { timeout: 30_000 });
    assert.equal(await workbench.lineText(line), before);
    const written = join(workbench.folder, bad.file, '../.xctx.yaml');
    await workbench.waitUntil(() => existsSync(written) && readFileSync(written, 'utf8') !== '', 'the sidecar file', 10_000);
    assert.match(readFileSync(written, 'utf8'), new RegExp(`^known:\\n {2}- \\{rule: ${bad.rule}, at: design\\.c#\\w+, reason: "${reason}"\\}\\n$`));
    await workbench.screenshot('suppressed-in-sidecar');
  });

  it('the rule page opens from the code of the diagnostic, and nothing is asked of a network', async () => {
    const foreign = [];
    workbench.page.on('request', (request) => {
      // Files of VS Code's own for webviews have a name of their own, and are answered inside the page.
      if (/^https?:/.test(request.url()) && !/^https?:\/\/(?:127\.0\.0\.1|localhost|[\w+-]+\.vscode-resource\.vscode-cdn\.net)[:/]/.test(request.url())) foreign.push(request.url());
    });
    await workbench.hoverAt(line, bad.word);
    await workbench.clickHoverLink(bad.rule);
    await workbench.waitForTab(bad.rule);
    const page = await workbench.webview(/XR-VE01/);
    assert.match(await page.locator('h1').first().innerText(), new RegExp(bad.rule), 'the page is rendered');
    await workbench.screenshot('rule-page');
    assert.deepEqual(foreign, []);
  });
});
