// The `xctx:` annotation language as parsed: one directive a line, each part with its span. Says nothing of whether
// an annotation is true; that is judged against the program.
import type { Place, Span } from '../base/span.ts';

export interface AnnotationWord {
  readonly text: string;
  readonly span: Span;
}

export interface AnnotationArgument {
  /** null for a bare word such as the guard's name. */
  readonly key: AnnotationWord | null;
  readonly value: AnnotationWord;
}

export interface Annotation {
  /** `handler`, `guard`, `clears`, ...: as written, known or not. */
  readonly keyword: AnnotationWord;
  readonly arguments: readonly AnnotationArgument[];
  /** Text behind ` -- `, or null. */
  readonly reason: AnnotationWord | null;
  readonly file: string;
  /** From `xctx:` to the end of the directive. */
  readonly span: Span;
  /** Offset of the first code behind the comment block: what the annotation is about. */
  readonly subjectOffset: number;
}

export interface AnnotationProblem {
  readonly place: Place;
  readonly message: string;
  /** Replacement for the place's text, where one is near. */
  readonly suggestion: string | null;
}

export type GuardSetter = 'hw' | 'host' | 'module' | 'sw';
export type GuardFallback = 'vmexit' | 'df' | 'shutdown' | 'latched' | 'host-queues' | 'recursion';
export type GuardClears = 'deferred' | 'after-frame-move' | 'immediate';
export type DeferralKind = 'self-ipi' | 'irq-work' | 'task-work' | 'landing-pad' | 'hypercall';

/** A well-formed annotation with its meaning. `place` is the whole directive. */
export type Directive = { readonly annotation: Annotation; readonly place: Place } & (
  | {
      readonly kind: 'handler';
      readonly vector: string | null;
      readonly gate: 'int' | 'trap' | null;
      readonly dpl: 0 | 3 | null;
      /** Name of an IST stack, 'none', or null where not said. */
      readonly ist: string | null;
      readonly origin: 'user' | 'kernel' | 'any' | null;
      readonly errorCode: boolean | null;
    }
  | {
      readonly kind: 'guard';
      /** `ve_page.busy`: variable and field, or a machine word such as `MCIP`. */
      readonly name: string;
      readonly set: GuardSetter;
      readonly clear: string;
      readonly clears: GuardClears | null;
      readonly fallback: GuardFallback;
      readonly protects: readonly ('stack' | 'info')[];
    }
  | { readonly kind: 'clears'; readonly guard: string }
  | { readonly kind: 'defers-to'; readonly function: string; readonly via: DeferralKind }
  | { readonly kind: 'may-raise'; readonly vectors: readonly string[] | 'any' }
  | { readonly kind: 'may-hit'; readonly where: 'any' | 'entry' }
  | { readonly kind: 'never-in'; readonly where: 'entry' | 'gap' | 'nmi-prologue' | 'window'; readonly vectors: readonly string[] }
  | { readonly kind: 'mapped-in'; readonly where: 'user' | 'kernel' }
  | { readonly kind: 'stack'; readonly stack: 'task' | 'irq' | 'entry' | 'ist' | 'moved'; readonly belowRsp: boolean }
  | { readonly kind: 'fallback-ok'; readonly fallback: GuardFallback }
  | { readonly kind: 'assume'; readonly subject: string; readonly hash: string | null }
  | { readonly kind: 'why'; readonly url: string }
  | { readonly kind: 'allow'; readonly rule: string }
);

export interface AnnotationSet {
  readonly directives: readonly Directive[];
  readonly annotations: readonly Annotation[];
  readonly problems: readonly AnnotationProblem[];
}
