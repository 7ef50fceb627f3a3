// Start of the language server: over standard streams with --stdio, over IPC when VS Code forks it. Everything that
// belongs to Node is bound here.
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { createReview } from '../core/review.ts';
import { loadGrammars } from '../shell/grammars.ts';
import { createWorkspace } from '../worker/disk.ts';
import { startThread } from '../worker/start.ts';
import { findEntryFiles } from './entry-files.ts';
import { serve } from './server.ts';

// An editor runs many servers: garbage is collected when heaps have grown by that much, of this thread and the worker's.
setFlagsFromString('--heap-growing-percent=30');

const workspace = createWorkspace();

serve(createConnection(ProposedFeatures.all), {
  createReview: async () => createReview(loadGrammars(__dirname), workspace, null),
  startWorker: startThread(join(__dirname, 'worker.js')),
  workspace,
  findEntryFiles,
  patience: 30_000,
  version: '0.1.0',
});
