// Start of the language server: over standard streams with --stdio, over IPC when VS Code forks it. Everything that
// belongs to Node is bound here.
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { createReview } from '../core/review.ts';
import type { Review } from '../core/review-types.ts';
import { cacheFolder } from '../shell/cache-folder.ts';
import { grammarFiles, loadGrammars } from '../shell/grammars.ts';
import { diskFolders } from '../shell/disk-folders.ts';
import { createKept } from '../shell/kept.ts';
import { createWorkspace } from '../worker/disk.ts';
import { startThread } from '../worker/start.ts';
import { wallClock } from './clock.ts';
import { remembering } from './remembering.ts';
import { serve } from './server.ts';

const workspace = createWorkspace();
const folder = cacheFolder(process.env, process.platform, homedir());

async function review(): Promise<Review> {
  const made = await createReview(loadGrammars(__dirname), workspace, null);
  return folder === null ? made : remembering(made, workspace, createKept(folder, [__filename, ...grammarFiles(__dirname)]), wallClock);
}

serve(createConnection(ProposedFeatures.all), {
  createReview: review,
  startWorker: startThread(join(__dirname, 'worker.js')),
  workspace,
  folders: diskFolders,
  patience: 30_000,
  version: '0.1.0',
});
