// What all of the review reads by: the documents, those of their texts that are analysed, and what the front end makes of
// single files. Knows neither units nor rules.
import type { Configuration, FileSource } from '../preprocess/stream.ts';
import type { Workspace } from '../review-types.ts';
import { createCParser } from '../syntax/c.ts';
import type { CTranslationUnit } from '../syntax/c-syntax.ts';
import type { Parsers } from '../syntax/parser.ts';
import { createDocuments } from './documents.ts';
import type { Documents } from './documents.ts';
import { createOutline } from './outline.ts';
import type { Outline } from './outline.ts';
import { createStreams } from './streams.ts';
import type { Streams } from './streams.ts';
import { folderOf, refusalOf } from './unit.ts';

export interface FrontEnd {
  readonly workspace: Workspace;
  readonly documents: Documents;
  /** Texts that are not refused; the others are as good as none. */
  readonly texts: FileSource;
  readonly streams: Streams;
  /** Streams that read every file with a configuration. */
  readonly streamsWith: (configuration: Configuration) => Streams;
  readonly parseC: (text: string) => CTranslationUnit;
  readonly outline: Outline;
}

/** Without a configuration each file is read with that of its tree, or with the one that the settings choose. */
export function createFrontEnd(parsers: Parsers, workspace: Workspace, configuration: Configuration | null): FrontEnd {
  const parseC = createCParser(parsers);
  const documents = createDocuments(parsers, workspace);
  const texts = analysed(documents);
  const streamsWith = (fixed: Configuration | null): Streams => createStreams(texts, fixed, parseC, documents.isOpen);
  const streams = streamsWith(configuration);
  const outline = createOutline({ read: documents.read, items: documents.items, defines: (file) => streams.chosen(file).configuration.defines, parse: parseC });
  return { workspace: withOpened(workspace, documents), documents, texts, streams, streamsWith, parseC, outline };
}

/** Files that are open and on no disk yet lie in their folders as well. */
function withOpened(workspace: Workspace, documents: Documents): Workspace {
  return {
    ...workspace,
    list: (folder) => {
      const listed = workspace.list(folder);
      const unsaved = documents.opened().flatMap((file) => (folderOf(file) === folder ? [file.slice(file.lastIndexOf('/') + 1)] : [])).filter((name) => !listed.includes(name));
      return unsaved.length === 0 ? listed : [...listed, ...unsaved];
    },
  };
}

/** Whether a text is refused is looked at once. */
function analysed(documents: Documents): FileSource {
  const looked = new Map<string, { readonly text: string; readonly refused: boolean }>();
  return {
    read: (file) => {
      const text = documents.read(file);
      if (text === null) return null;
      const before = looked.get(file);
      if (before?.text === text) return before.refused ? null : text;
      const refused = refusalOf(text) !== null;
      looked.set(file, { text, refused });
      return refused ? null : text;
    },
  };
}
