// Names under which runs of entry paths appear among scenario runs. Their traces lead over several starts and have no
// replay key: they are passed on whole.
export const ENTRY_PATHS = 'entry paths';
export const NESTED_NMIS = 'nested NMIs';

/** Whether a trace of that scenario must be passed on with its steps. */
export function isWhole(scenario: string): boolean {
  return scenario === ENTRY_PATHS || scenario === NESTED_NMIS;
}
