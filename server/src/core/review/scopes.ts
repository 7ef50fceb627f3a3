// Scopes of the texts as they are now, and of texts that had the same code, each kept until something is edited. Whoever
// changes a text says so.
import { isSidecarFile } from '../syntax/annotation-sidecar.ts';
import { isScenarioFile } from '../scenarios/scenario-file.ts';
import { scopeOf } from './editor-scope.ts';
import type { Scope } from './editor-scope.ts';
import type { FrontEnd } from './front-end.ts';
import { unitFor } from './unit.ts';

export interface Scopes {
  /** null for what is not analysed, and for files that hold no code. */
  readonly of: (file: string) => Scope | null;
  /** The one of a text that had the same code as the text of now. */
  readonly ofCode: (file: string) => Scope | undefined;
  /** Nothing but comments that say nothing here changed. */
  readonly commentsChanged: () => void;
  readonly changed: () => void;
}

export function createScopes({ workspace, documents, texts, streams }: FrontEnd): Scopes {
  const scopes = new Map<string, Scope>();
  const ofSameCode = new Map<string, Scope>();
  return {
    of: (file) => {
      const text = texts.read(file);
      if (text === null || isScenarioFile(file) || isSidecarFile(file)) return null;
      const known = scopes.get(file);
      if (known !== undefined && known.text === text) return known;
      const made = scopeOf(file, text, unitFor(file, workspace), { streams, read: texts.read, items: documents.items, opened: documents.opened });
      scopes.set(file, made);
      // Read now: later the text may be another.
      if (made.own.length > 0) ofSameCode.set(file, made);
      return made;
    },
    ofCode: (file) => ofSameCode.get(file),
    commentsChanged: () => scopes.clear(),
    changed: () => {
      scopes.clear();
      ofSameCode.clear();
    },
  };
}
