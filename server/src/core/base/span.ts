// Places in source text. A span is a half-open range of UTF-16 offsets, the coordinate that LSP, TextDocument and
// web-tree-sitter share; line and column exist only in the shells and in render.

export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A place in a named file. `file` is the path or URI by which the file was given to the review. */
export interface Place {
  readonly file: string;
  readonly span: Span;
}

/** Where a token or statement comes from: the text itself, then the macro uses it came through, innermost first. */
export interface Origin extends Place {
  readonly uses: readonly Place[];
}

/** A message about source text: broken code is input, not an error. */
export interface Problem {
  readonly place: Place;
  readonly message: string;
}

export function spanOf(start: number, end: number): Span {
  return { start, end };
}

export function contains(span: Span, offset: number): boolean {
  return span.start <= offset && offset < span.end;
}

/** Touching counts: the cursor behind the last character of a word is still on the word. */
export function touches(span: Span, offset: number): boolean {
  return span.start <= offset && offset <= span.end;
}

/** The outermost place of an origin: what a reader of the file under review sees first. */
export function outermost(origin: Origin): Place {
  return origin.uses.at(-1) ?? origin;
}
