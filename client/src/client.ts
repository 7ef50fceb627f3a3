// Which documents the language client is for, and what it tells the server of itself, wherever the server runs.
import { workspace } from 'vscode';
import type { DocumentFilter, LanguageClientOptions } from 'vscode-languageclient';

/** Ids under which other extensions know assembler, so that `.S` is reviewed whoever colours it. */
const languages = ['gas-x86', 'asm', 'gas', 'asm-intel-x86-generic', 'x86asm', 'c'];
const patterns = ['**/*.S', '**/*.s', '**/*.xctx-scenario.yaml', '**/*.xctx-scenario.yml', '**/*.xctx-scenario.json', '**/.xctx.yaml'];

export function clientOptions(): LanguageClientOptions {
  return {
    documentSelector: schemes().flatMap(filtersFor),
    initializationOptions: { client: 'entrycheck', readsFiles: true, ...settings() },
    diagnosticPullOptions: { onChange: true, onSave: false },
  };
}

/** As plain values: the editor's object has methods, which no worker can be sent. */
function settings(): object {
  return JSON.parse(JSON.stringify(workspace.getConfiguration('entrycheck'))) as object;
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
