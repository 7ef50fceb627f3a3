// Sidecar files joined to the code they speak of: each directive gets the place of its `path#symbol`, so that it counts
// like the same line in a comment above the symbol. What names no code is a problem, never silent.
import { outermost } from '../base/span.ts';
import type { AssemblerStream } from '../preprocess/stream.ts';
import type { CSource } from '../program/c-source.ts';
import { parseSidecar } from '../syntax/annotation-sidecar.ts';
import type { SidecarSubject } from '../syntax/annotation-sidecar.ts';
import type { AnnotationProblem, AnnotationSet, Directive } from '../syntax/annotation-types.ts';

interface Subject {
  readonly file: string;
  readonly offset: number;
}

/**
 * The directives of a sidecar file about a unit's code; `folder` is where its paths count from. In a kernel tree they may
 * be about files of other units: what names no code is then found where suppressions are looked for.
 */
export function joinSidecar(file: string, text: string, folder: string, streams: readonly AssemblerStream[], sources: readonly CSource[], inTree: boolean): AnnotationSet {
  const parsed = parseSidecar(file, text);
  const problems: AnnotationProblem[] = [...parsed.problems];
  const directives: Directive[] = [];
  for (const subject of parsed.subjects) {
    const found = subjectOf(subject, folder, streams, sources);
    if (found === null && inTree) continue;
    if (found === null) {
      problems.push({ place: subject.place, message: `no code of this unit is ${subject.path}${subject.symbol === null ? '' : `#${subject.symbol}`}, name a function, variable or label of a file beside this one`, suggestion: null });
      continue;
    }
    for (const directive of subject.directives) {
      directives.push({ ...directive, annotation: { ...directive.annotation, file: found.file, subjectOffset: found.offset } });
    }
  }
  for (const [what, entries] of [['configs', parsed.configs], ['helpers', parsed.helpers]] as const) {
    const first = entries[0];
    if (first !== undefined) problems.push({ place: first.place, message: `\`${what}\` is read but not used by this version`, suggestion: null });
  }
  return { directives, annotations: parsed.subjects.flatMap((subject) => subject.annotations), problems };
}

function subjectOf(subject: SidecarSubject, folder: string, streams: readonly AssemblerStream[], sources: readonly CSource[]): Subject | null {
  const file = folder === '' ? subject.path : `${folder}/${subject.path}`;
  if (subject.symbol === null) return streams.some((stream) => stream.file === file) || sources.some((source) => source.file === file) ? { file, offset: 0 } : null;
  for (const source of sources) {
    const known = source.functions.find((one) => one.name === subject.symbol && one.file === file);
    if (known !== undefined) return { file, offset: known.span.start };
    const variable = source.variables.find((one) => one.name === subject.symbol && one.place.file === file);
    if (variable !== undefined) return { file, offset: variable.place.span.start };
  }
  for (const stream of streams) {
    for (const item of stream.items) {
      if (item.kind !== 'label' || item.name !== subject.symbol) continue;
      const place = outermost(item.origin);
      if (place.file === file) return { file, offset: place.span.start };
    }
  }
  return null;
}
