// Work of the review that may fail without taking the session with it: the error is logged, and something stands in the
// place of the result.

export type Attempt = <T>(what: string, work: () => T, otherwise: T) => T;

export function attempting(log: (message: string) => void): Attempt {
  return (what, work, otherwise) => {
    try {
      return work();
    } catch (error) {
      log(`${what}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      return otherwise;
    }
  };
}
