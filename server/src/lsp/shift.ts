// Moves places along with edits, so that old findings stay under their text until new ones arrive. Knows nothing of
// what a finding means.
import type { Place, Span } from '../core/base/span.ts';
import type { Finding, Trace, TextEdit } from '../core/review-types.ts';

/** The span after the edits, or null where one of them touched its text. */
export function shiftSpan(span: Span, edits: readonly TextEdit[]): Span | null {
  let { start, end } = span;
  for (const edit of edits) {
    const delta = edit.newText.length - (edit.span.end - edit.span.start);
    if (edit.span.end <= start) {
      start += delta;
      end += delta;
    } else if (edit.span.start < end) {
      return null;
    }
  }
  return { start, end };
}

function shiftPlace(place: Place, file: string, edits: readonly TextEdit[]): Place | null {
  if (place.file !== file) return place;
  const span = shiftSpan(place.span, edits);
  return span === null ? null : { file, span };
}

/** Steps whose text was touched lose their place and keep their sentence. */
function shiftTrace(trace: Trace, file: string, edits: readonly TextEdit[]): Trace {
  return { ...trace, steps: trace.steps.map((step) => (step.place === null ? step : { ...step, place: shiftPlace(step.place, file, edits) })) };
}

/** The finding after the edits of a file, or null where its own text was touched. Its fix is void: it was verified for the old text. */
export function shiftFinding(finding: Finding, file: string, edits: readonly TextEdit[]): Finding | null {
  const place = shiftPlace(finding.place, file, edits);
  if (place === null) return null;
  return {
    ...finding,
    place,
    fix: null,
    premises: finding.premises.map((premise) => (premise.place === null ? premise : { ...premise, place: shiftPlace(premise.place, file, edits) })),
    trace: finding.trace === null ? null : shiftTrace(finding.trace, file, edits),
    related: finding.related.flatMap((related) => {
      const moved = shiftPlace(related.place, file, edits);
      return moved === null ? [] : [{ ...related, place: moved }];
    }),
  };
}
