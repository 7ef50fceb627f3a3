// Suppressions in a kernel tree, whose files are linked by no unit: `allow` annotations of the files themselves and the
// sidecar files beside them and above, up to the root.
import type { Place, Span } from '../base/span.ts';
import { lineAt, longer } from '../rules/suppressions.ts';
import type { Suppression } from '../rules/suppressions.ts';
import { statementAt } from '../rules/text-edits.ts';
import { isSidecarFile, parseSidecar } from '../syntax/annotation-sidecar.ts';
import type { KnownFinding } from '../syntax/annotation-sidecar.ts';
import { parseAnnotations } from '../syntax/annotations.ts';
import { scanComments } from '../syntax/comments.ts';
import type { Workspace } from '../review-types.ts';
import type { Outline } from './outline.ts';
import { folderOf, isAssembler, join } from './unit.ts';

export interface SuppressionSources {
  readonly read: (file: string) => string | null;
  readonly workspace: Pick<Workspace, 'list' | 'today'>;
  readonly outline: Outline;
}

export interface FoundSuppressions {
  readonly suppressions: readonly Suppression[];
  /** Lines of sidecar files that name no code. */
  readonly lost: readonly { readonly place: Place; readonly message: string }[];
}

/** What accepts findings in the files; `root` is the tree's with its final `/`, null for the folder of a design. */
export function suppressionsFor(files: Iterable<string>, root: string | null, sources: SuppressionSources): FoundSuppressions {
  const suppressions: Suppression[] = [];
  const lost: { readonly place: Place; readonly message: string }[] = [];
  const wanted = new Set(files);
  for (const file of wanted) if (root !== null) suppressions.push(...annotationsOf(file, sources));
  for (const sidecar of sidecarsOf(wanted, root, sources.workspace)) {
    const text = sources.read(sidecar);
    if (text === null) continue;
    const folder = folderOf(sidecar);
    const parsed = parseSidecar(sidecar, text);
    const add = (path: string, symbol: string | null, rule: string, place: Place, reason: string | null, expired: string | null): void => {
      const file = join(folder, path);
      const scope = symbol === null ? null : (sources.outline.named(file, symbol)?.span ?? 'none');
      if (sources.read(file) === null || scope === 'none') lost.push({ place, message: `no code here is ${path}${symbol === null ? '' : `#${symbol}`}: the path counts from ${folder === '' ? 'this folder' : folder}` });
      else if (wanted.has(file)) suppressions.push({ rule, file, scope, place, reason, expired });
    };
    for (const known of parsed.known) add(known.path, known.symbol, known.rule, known.place, known.reason, expiryOf(known, root, sources));
    // In a design these are annotations of its program already.
    if (root === null) continue;
    for (const subject of parsed.subjects) {
      for (const directive of subject.directives) if (directive.kind === 'allow') add(subject.path, subject.symbol, directive.rule, directive.place, directive.annotation.reason?.text ?? null, null);
    }
  }
  return { suppressions, lost };
}

/** Sidecar files in the folders of the files and, in a tree, in those above. */
function sidecarsOf(files: ReadonlySet<string>, root: string | null, workspace: Pick<Workspace, 'list'>): readonly string[] {
  const folders = new Set<string>();
  for (const file of files) {
    for (let folder = folderOf(file); !folders.has(folder); folder = folderOf(folder)) {
      folders.add(folder);
      if (root === null || folder === '' || `${folder}/`.length <= root.length) break;
    }
  }
  return [...folders].flatMap((folder) => workspace.list(folder).filter(isSidecarFile).map((name) => join(folder, name)));
}

function annotationsOf(file: string, { read, outline }: SuppressionSources): readonly Suppression[] {
  const text = read(file);
  if (text === null || !text.includes('xctx:')) return [];
  const set = parseAnnotations(file, text, scanComments(text, isAssembler(file) ? 'gas' : 'c'));
  return set.directives.flatMap((directive) => (directive.kind === 'allow' ? [{ rule: directive.rule, file, scope: scopeAt(text, file, directive.annotation.subjectOffset, outline), place: directive.place, reason: directive.annotation.reason?.text ?? null, expired: null }] : []));
}

/** The function or symbol that begins there, else the statement or line. */
function scopeAt(text: string, file: string, offset: number, outline: Outline): Span {
  const line = lineAt(text, offset);
  const symbol = outline.all(file).find(({ span, nameSpan }) => span.start >= line.start && span.start < line.end && nameSpan.start >= offset && span.end > line.end);
  if (symbol !== undefined) return { start: offset, end: symbol.span.end };
  return isAssembler(file) ? line : longer(statementAt(text, offset), line);
}

/** Why a known finding counts no more: its date or its release has come. What is neither is a note for people. */
function expiryOf({ until }: KnownFinding, root: string | null, sources: SuppressionSources): string | null {
  if (until === null) return null;
  const today = sources.workspace.today?.() ?? null;
  if (/^\d{4}-\d\d-\d\d$/.test(until)) return today !== null && today > until ? `this finding was accepted until ${until}; look again, and renew or delete it` : null;
  const release = /^(\d+)\.(\d+)$/.exec(until);
  const own = root === null || release === null ? null : releaseOfTree(sources.read(`${root}Makefile`));
  if (release === null || own === null) return null;
  const reached = own[0] > Number(release[1]) || (own[0] === Number(release[1]) && own[1] >= Number(release[2]));
  return reached ? `this finding was accepted until ${until}, and the tree is ${own.join('.')}; look again, and renew or delete it` : null;
}

function releaseOfTree(makefile: string | null): readonly [number, number] | null {
  const version = /^VERSION\s*=\s*(\d+)/m.exec(makefile ?? '')?.[1];
  const patch = /^PATCHLEVEL\s*=\s*(\d+)/m.exec(makefile ?? '')?.[1];
  return version === undefined || patch === undefined ? null : [Number(version), Number(patch)];
}
