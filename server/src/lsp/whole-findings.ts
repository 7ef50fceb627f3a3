// A review of a virtual workspace that says of a file no more than what its text shows as long as something that it looked
// for is still being read: what it made of half a program would be wrong.
import type { Review } from '../core/review-types.ts';

export function wholeFindings(review: Review, isWaiting: () => boolean): Review {
  return {
    ...review,
    quickFindings: (file) => {
      const found = review.quickFindings(file);
      return isWaiting() ? (review.syntaxFindings(file) ?? []) : found;
    },
    inactive: (file) => {
      const spans = review.inactive(file);
      return isWaiting() ? [] : spans;
    },
  };
}
