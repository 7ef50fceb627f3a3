// The language client: which documents it is for, and how the server is started.
import { workspace } from 'vscode';
import type { ExtensionContext } from 'vscode';
import { LanguageClient, TransportKind } from 'vscode-languageclient/node';
import type { DocumentFilter } from 'vscode-languageclient/node';

/** Ids under which other extensions know assembler, so that `.S` is reviewed whoever colours it. */
const languages = ['gas-x86', 'asm', 'gas', 'asm-intel-x86-generic', 'x86asm', 'c'];
const patterns = ['**/*.S', '**/*.s', '**/*.xctx-scenario.yaml', '**/*.xctx-scenario.yml', '**/*.xctx-scenario.json', '**/.xctx.yaml'];

export function createClient(context: ExtensionContext): LanguageClient {
  const module = context.asAbsolutePath('dist/server.js');
  return new LanguageClient(
    'entrycheck',
    'Entrycheck',
    { run: { module, transport: TransportKind.ipc }, debug: { module, transport: TransportKind.ipc, options: { execArgv: ['--nolazy', '--inspect=6019'] } } },
    {
      documentSelector: schemes().flatMap(filtersFor),
      initializationOptions: { client: 'entrycheck', ...workspace.getConfiguration('entrycheck') },
      diagnosticPullOptions: { onChange: true, onSave: false },
    },
  );
}

/** Documents of a diff or of a preview are not reviewed: only those that can be edited. */
function schemes(): readonly string[] {
  const folders = (workspace.workspaceFolders ?? []).map((folder) => folder.uri.scheme);
  return [...new Set(['file', 'untitled', 'vscode-vfs', 'vscode-test-web', ...folders])];
}

function filtersFor(scheme: string): DocumentFilter[] {
  return [
    ...languages.map((language) => ({ scheme, language })),
    ...patterns.map((pattern) => ({ scheme, pattern })),
  ];
}
