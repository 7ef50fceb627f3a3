// One served VS Code and one Chromium for all end-to-end tests, and a page of it on a fresh copy of a workspace. Ends
// everything that it started. Knows nothing of what the extension does.
import { chromium } from 'playwright-core';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { onPath } from '../scripts/install-vscode.mjs';
import { quietSettings, serveVscode, unpackExtension, writeSettings } from '../scripts/serve-vscode.mjs';
import { Workbench } from './workbench.mjs';

/** Typed text stays as typed, and hovers and squiggles come as fast as for a user who has not changed them. */
const testSettings = {
  ...quietSettings,
  'editor.autoClosingBrackets': 'never',
  'editor.autoIndent': 'none',
  'editor.minimap.enabled': false,
  'editor.accessibilitySupport': 'off',
  'files.autoSave': 'off',
};

const browserArguments = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export async function launch({ installation, extension, results, inBrowser = false }) {
  const executablePath = onPath('chromium') ?? onPath('chromium-browser') ?? onPath('google-chrome');
  if (executablePath === null) throw new Error('no chromium on PATH: apt-get install chromium');
  const scratch = mkdtempSync(join(tmpdir(), 'entrycheck-e2e-'));
  const serve = async (name, how) => {
    const userData = join(scratch, name, 'user-data');
    const extensions = join(scratch, name, 'extensions');
    writeSettings(userData, testSettings);
    await unpackExtension(extension, extensions, how);
    return await serveVscode({ installation, userData, extensions });
  };
  const server = await serve('first', { forBrowsers: inBrowser });
  /** Its extension runs in the browser; started when it is first wanted. */
  let webServer = inBrowser ? server : null;
  // After the server's own exit handler, which ends what may still write there.
  process.once('exit', () => rmSync(scratch, { recursive: true, force: true, maxRetries: 5 }));
  const browser = await chromium.launch({ executablePath, args: browserArguments }).catch((problem) => {
    server.stop();
    throw problem;
  });
  let opened = 0;
  let current = null;
  return {
    scratch,
    /** Opens `below` in a copy of the folder `source`, in a browser profile of its own. */
    async open(source, below, apart = false) {
      if (!existsSync(join(source, below))) throw new Error(`no such workspace: ${join(source, below)}`);
      const copy = join(scratch, `workspace-${++opened}`, basename(source));
      cpSync(source, copy, { recursive: true });
      return await (apart ? this.openInBrowser(join(copy, below)) : this.openInPlace(join(copy, below)));
    },
    /** Opens a folder as it is, in a browser profile of its own: for tests that write nothing. */
    async openInPlace(folder) {
      return await this.openPage(server, folder);
    },
    /** The same, with the extension in the browser. */
    async openInBrowser(folder) {
      webServer ??= await serve('browser', { forBrowsers: true });
      return await this.openPage(webServer, folder);
    },
    async openPage(server, folder) {
      const context = await browser.newContext({ viewport: { width: 1500, height: 950 }, reducedMotion: 'reduce' });
      await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: `http://127.0.0.1:${server.port}` });
      const page = await context.newPage();
      const workbench = new Workbench(page, { folder, results, inBrowser: server === webServer });
      await page.goto(server.urlOf(folder));
      current = workbench;
      await workbench.ready();
      return workbench;
    },
    /** Of the page that was opened last, where it is still open. */
    async picture(name) {
      await current?.screenshot(name).catch(() => {});
    },
    async close() {
      await browser.close().catch(() => {});
      for (const each of [server, webServer]) {
        each?.stop();
        await each?.ended;
      }
    },
  };
}
