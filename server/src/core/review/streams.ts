// What the front end makes of single files, kept for as long as every text it read stays the same: an edit of one file
// reads that file again and no other. Knows neither units nor programs.
import { isCurrent, noting } from '../base/reads.ts';
import type { Read } from '../base/reads.ts';
import { chooseConfiguration } from '../preprocess/choose-configuration.ts';
import { configurationOf as namedConfiguration } from '../preprocess/configurations.ts';
import { findKernelRoot } from '../preprocess/includes.ts';
import { createPreprocessor } from '../preprocess/again.ts';
import type { Preprocessor } from '../preprocess/again.ts';
import { sketchNames } from '../kernel/sketch-names.ts';
import { normalisePath } from '../preprocess/includes.ts';
import { preprocess, preprocessC, SKETCH_PRELUDE } from '../preprocess/preprocess.ts';
import type { AssemblerStream, Configuration, FileSource } from '../preprocess/stream.ts';
import { cSource } from '../program/c-lower.ts';
import type { CSource } from '../program/c-source.ts';
import type { ConfigurationChoice } from '../review-types.ts';
import type { CTranslationUnit } from '../syntax/c-syntax.ts';

export interface ChosenConfiguration {
  readonly configuration: Configuration;
  /** Folder of the kernel tree, or null. */
  readonly root: string | null;
  /** Why the one that the settings name is not used, or null. */
  readonly problem: string | null;
}

export interface Streams {
  readonly chosen: (file: string) => ChosenConfiguration;
  /** The file as the assembler reads it. */
  readonly assembler: (file: string) => Read<AssemblerStream>;
  /** Macros, includes and inactive text of the file as the C compiler reads it. */
  readonly directives: (file: string) => Read<AssemblerStream>;
  /** Functions and tables of a C file. */
  readonly c: (file: string) => Read<CSource>;
  readonly configure: (choice: ConfigurationChoice) => void;
}

/** Files that each kind of result is kept for; the least recently used go first. */
const KEPT = 200;
/** Files being edited, of which more is kept, so that reading them again is soon done. */
const EDITED = 8;

/** `fixed` is used for every file; without it each file has the configuration of its tree. `isOpen` tells what may be edited soon. */
export function createStreams(source: FileSource, fixed: Configuration | null, parse: (text: string) => CTranslationUnit, isOpen: (file: string) => boolean = () => false): Streams {
  let choice: ConfigurationChoice = { configuration: null, defines: [] };
  const chosenByFolder = new Map<string, Read<ChosenConfiguration>>();

  function chosen(file: string): ChosenConfiguration {
    const folder = file.slice(0, file.lastIndexOf('/') + 1);
    const known = chosenByFolder.get(folder);
    if (known !== undefined && isCurrent(known, source)) return known.value;
    const made = noting(source, (read) => choose(file, { read }));
    chosenByFolder.set(folder, made);
    return made.value;
  }

  function choose(file: string, from: FileSource): ChosenConfiguration {
    const root = findKernelRoot(file, from);
    if (fixed !== null) return { configuration: fixed, root, problem: null };
    const wanted = chooseConfiguration(file, from, { config: choice.configuration, variant: null, defines: choice.defines });
    if (typeof wanted !== 'string') return { configuration: wanted, root, problem: null };
    const otherwise = chooseConfiguration(file, from, { config: null, variant: null, defines: choice.defines });
    return { configuration: typeof otherwise === 'string' ? namedConfiguration('none', new Map()) : otherwise, root, problem: wanted };
  }

  function kept<T>(make: (file: string, from: FileSource, configuration: Configuration) => T): (file: string) => Read<T> {
    const results = new Map<string, Read<T> & { readonly configuration: Configuration }>();
    return (file) => {
      const { configuration } = chosen(file);
      const known = results.get(file);
      results.delete(file);
      const now = known !== undefined && known.configuration === configuration && isCurrent(known, source)
        ? known
        : { ...noting(source, (read) => make(file, { read }, configuration)), configuration };
      results.set(file, now);
      if (results.size > KEPT) for (const oldest of results.keys()) {
        results.delete(oldest);
        break;
      }
      return now;
    };
  }

  const known = new Set<string>();
  const edited = new Map<string, { readonly configuration: Configuration; readonly preprocessor: Preprocessor }>();

  /** A sketch that includes nothing that is in view has Linux's names all the same. */
  function withNames(file: string, from: FileSource): FileSource {
    if (chosen(file).root !== null) return from;
    const folder = file.slice(0, file.lastIndexOf('/') + 1);
    return {
      read: (path) => {
        if (path !== SKETCH_PRELUDE) return from.read(path);
        const text = from.read(file) ?? '';
        const includes = [...text.matchAll(/^[ \t]*#[ \t]*include[ \t]*["<]([^">]+)[">]/gm)].map((match) => match[1] ?? '');
        return includes.some((name) => from.read(normalisePath(folder + name)) !== null) ? null : sketchNames(text);
      },
    };
  }

  /** A file that is read a second time is being edited. */
  function assembler(file: string, bare: FileSource, configuration: Configuration): AssemblerStream {
    const from = withNames(file, bare);
    if (!known.has(file) && !isOpen(file)) {
      known.add(file);
      return preprocess(file, from, configuration);
    }
    const before = edited.get(file);
    edited.delete(file);
    const now = before !== undefined && before.configuration === configuration ? before : { configuration, preprocessor: createPreprocessor(file, configuration) };
    edited.set(file, now);
    if (edited.size > EDITED) for (const oldest of edited.keys()) {
      edited.delete(oldest);
      break;
    }
    return now.preprocessor.read(from);
  }

  return {
    chosen,
    assembler: kept(assembler),
    directives: kept((file, from, configuration) => preprocessC(file, from, configuration)),
    c: kept((file, from, configuration) => cSource(file, from, parse, configuration)),
    configure: (next) => {
      choice = next;
      chosenByFolder.clear();
    },
  };
}
