// Serves an installed VS Code on 127.0.0.1 with the extension as the packaged .vsix would hold it. Knows nothing of
// what the extension does.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { serverScript } from './install-vscode.mjs';

/** Quiet first start: no welcome page, no tips, nothing that covers the editor. */
export const quietSettings = {
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.welcomePage.walkthroughs.openOnInstall': false,
  'workbench.enableExperiments': false,
  'workbench.colorTheme': 'Default Dark Modern',
  'window.commandCenter': false,
  'chat.commandCenter.enabled': false,
  'extensions.ignoreRecommendations': true,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'update.mode': 'none',
  'update.showReleaseNotes': false,
  'telemetry.telemetryLevel': 'off',
  'git.enabled': false,
  'git.openRepositoryInParentFolders': 'never',
  'files.simpleDialog.enable': true,
};

/**
 * Copies the files that the .vsix would hold into `extensions` as a folder publisher.name-version. With `forBrowsers` the
 * manifest names no `main`: the extension runs where web pages do, as in an editor that has no server.
 */
export async function unpackExtension(source, extensions, { forBrowsers = false } = {}) {
  const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
  for (const entry of [manifest.main, manifest.browser]) {
    if (!existsSync(join(source, entry))) throw new Error(`${join(source, entry)} is not built: run npm run build`);
  }
  const { listFiles, PackageManager } = createRequire(import.meta.url)('@vscode/vsce');
  const files = await listFiles({ cwd: source, packageManager: PackageManager.None });
  const folder = join(extensions, `${manifest.publisher}.${manifest.name}-${manifest.version}`);
  for (const file of files) cpSync(join(source, file), join(folder, file), { recursive: true });
  if (forBrowsers) {
    const { main, ...others } = manifest;
    writeFileSync(join(folder, 'package.json'), JSON.stringify(others));
    rmSync(join(folder, main));
  }
  return folder;
}

export function writeSettings(userData, settings) {
  for (const scope of ['User', 'Machine']) {
    mkdirSync(join(userData, scope), { recursive: true });
    writeFileSync(join(userData, scope, 'settings.json'), `${JSON.stringify(settings, null, 2)}\n`);
  }
}

/**
 * Starts the server in a process group of its own and resolves when it listens. `urlOf(folder)` is the page for a
 * folder, with the secret without which the server answers nobody; `stop()` ends the server and its extension hosts.
 */
export async function serveVscode({ installation, userData, extensions, port = 0, timeoutMs = 30_000 }) {
  mkdirSync(userData, { recursive: true });
  mkdirSync(extensions, { recursive: true });
  const token = randomBytes(16).toString('hex');
  const tokenFile = join(userData, 'connection-token');
  writeFileSync(tokenFile, token, { mode: 0o600 });
  const server = spawn(process.execPath, [
    serverScript(installation),
    '--host', '127.0.0.1',
    '--port', String(port),
    '--connection-token-file', tokenFile,
    '--accept-server-license-terms',
    '--user-data-dir', userData,
    '--extensions-dir', extensions,
    '--telemetry-level', 'off',
  ], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const stop = () => {
    try {
      process.kill(-server.pid, 'SIGKILL');
    } catch {
      // The group has already ended.
    }
  };
  process.once('exit', stop);
  const listening = await new Promise((resolve, reject) => {
    let output = '';
    const late = setTimeout(() => fail(`does not listen after ${timeoutMs} ms`), timeoutMs);
    const fail = (why) => {
      stop();
      reject(new Error(`VS Code's server ${why}:\n${output.slice(-2000)}`));
    };
    const read = (chunk) => {
      output += chunk;
      const found = /Extension host agent listening on (\d+)/.exec(output);
      if (!found) return;
      clearTimeout(late);
      resolve(Number(found[1]));
    };
    server.stdout.on('data', read);
    server.stderr.on('data', read);
    server.once('error', (problem) => fail(problem.message));
    server.once('exit', (code) => {
      clearTimeout(late);
      fail(`ended with ${code}`);
    });
  });
  return {
    port: listening,
    urlOf: (folder) => `http://127.0.0.1:${listening}/?${new URLSearchParams({ folder, tkn: token })}`,
    ended: new Promise((resolve) => server.once('exit', resolve)),
    stop,
  };
}
