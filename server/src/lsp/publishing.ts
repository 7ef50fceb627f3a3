// Diagnostics on their way to the client: pushed, or asked for by clients that pull, which are told when there are new ones.
import { CodeLensRefreshRequest, DiagnosticSeverity } from 'vscode-languageserver';
import type { Connection, Diagnostic } from 'vscode-languageserver/node';
import type { Abilities } from './abilities.ts';
import { diagnosticOf, fileNotice, findingKeys } from './diagnostics.ts';
import { inactiveDiagnostics } from './editing.ts';
import type { Session } from './session.ts';

export interface Publishing {
  readonly of: (session: Session, file: string) => Diagnostic[];
  /** Clients that pull ask for open files themselves after an edit; what exploration adds they must be told to ask for. */
  readonly publish: (session: Session, files: readonly string[], cause: 'edit' | 'explored') => void;
}

export function createPublishing(connection: Connection, abilities: () => Abilities): Publishing {
  /** Documents with diagnostics that were pushed. */
  const pushed = new Set<string>();
  let refreshQueued = false;

  function diagnosticsOf(session: Session, file: string): Diagnostic[] {
    const { findings, notices, partial } = session.findings(file);
    const document = session.document(session.locator.uri(file));
    const keys = findingKeys(findings);
    return [
      ...notices.map((notice) => fileNotice(notice, DiagnosticSeverity.Warning)),
      ...findings.map((finding) => diagnosticOf(finding, keys.get(finding) ?? finding.rule, session.locator, abilities())),
      ...(document === null || document.refusal !== null || partial || !abilities().tags ? [] : inactiveDiagnostics(session.review, document)),
    ];
  }

  function publish(session: Session, files: readonly string[], cause: 'edit' | 'explored'): void {
    for (const file of files) {
      const uri = session.locator.uri(file);
      const document = session.document(uri);
      if (abilities().pull && document !== null) {
        if (pushed.delete(uri)) send(() => connection.sendDiagnostics({ uri, diagnostics: [] }));
        continue;
      }
      const diagnostics = diagnosticsOf(session, file);
      if (document === null && diagnostics.length === 0 && !pushed.has(uri)) continue;
      if (diagnostics.length === 0) pushed.delete(uri);
      else pushed.add(uri);
      send(() => connection.sendDiagnostics({ uri, diagnostics, ...(document === null ? {} : { version: document.version }) }));
    }
    if (abilities().pull && cause === 'explored' && !refreshQueued) {
      refreshQueued = true;
      setImmediate(() => {
        refreshQueued = false;
        send(() => connection.languages.diagnostics.refresh());
      });
    }
    if (cause === 'explored' && abilities().refreshLenses) send(() => connection.sendRequest(CodeLensRefreshRequest.type));
    if (cause === 'explored' && abilities().refreshHints) send(() => connection.languages.inlayHint.refresh());
  }

  return { of: diagnosticsOf, publish };
}

/** A client that is gone can be told nothing: the transport throws or rejects then, and the server is about to end. */
export function send(work: () => Promise<void>): void {
  new Promise<void>((resolve) => resolve(work())).catch(() => undefined);
}
