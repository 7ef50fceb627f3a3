// Runs the end-to-end tests in a real VS Code; the last line is `N passed, N failed`. Exit 0 when all passed, 1 when
// one failed, 2 when VS Code could not be started.
//
//   node e2e/run.mjs [--extension FOLDER] [--workspace FOLDER] [--grep TEXT] [--browser]
//
// With --browser the extension of all tests runs in the browser, as that of browser.e2e.mjs always does.
import { readdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import Mocha from 'mocha';
import { installVscode, vscodeFolder } from '../scripts/install-vscode.mjs';
import { start } from './entrycheck.mjs';

const overallMs = 15 * 60_000;
const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({
  options: {
    extension: { type: 'string', default: join(here, '..') },
    workspace: { type: 'string', default: join(here, '..', 'test-fixtures') },
    grep: { type: 'string' },
    browser: { type: 'boolean', default: false },
  },
});
const results = join(here, 'results');

// The exit handlers of what was started end it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(130));
setTimeout(() => {
  console.error(`e2e: not finished after ${overallMs / 60_000} minutes`);
  process.exit(2);
}, overallMs).unref();

rmSync(results, { recursive: true, force: true });
// What runs before left behind is not told again.
process.env.ENTRYCHECK_CACHE = join(results, 'cache');
let vscode;
try {
  vscode = await start({
    installation: installVscode(vscodeFolder(), { forTests: true }),
    extension: resolve(values.extension),
    workspace: resolve(values.workspace),
    results,
    inBrowser: values.browser,
  });
} catch (problem) {
  console.error(`e2e: ${problem.stack}`);
  process.exit(2);
}

const mocha = new Mocha({ timeout: 120_000, forbidOnly: true, forbidPending: true, ...(values.grep ? { grep: values.grep } : {}) });
mocha.rootHooks({
  async afterEach() {
    if (this.currentTest.state === 'failed') await vscode.picture(`failed-${this.currentTest.title.replaceAll(/\W+/g, '-').slice(0, 60)}`);
  },
});
for (const name of readdirSync(here).filter((each) => each.endsWith('.e2e.mjs')).sort()) mocha.addFile(join(here, name));
await mocha.loadFilesAsync();
const { passes, failures } = await new Promise((done) => {
  const runner = mocha.run(() => done(runner.stats));
});
await vscode.close();
console.log(`screenshots: ${results}`);
console.log(`${passes} passed, ${failures} failed`);
process.exit(failures === 0 && passes > 0 ? 0 : 1);
