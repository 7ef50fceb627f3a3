// Reads the settings from what a client sends: anything malformed keeps its former value.
import type { Settings } from './protocol.ts';

export function readSettings(given: unknown, former: Settings): Settings {
  if (typeof given !== 'object' || given === null) return former;
  const maxStates = 'maxStates' in given ? given.maxStates : undefined;
  const exploreOnIdle = 'exploreOnIdle' in given ? given.exploreOnIdle : undefined;
  const codeLens = 'codeLens' in given ? given.codeLens : undefined;
  const inlayHints = 'inlayHints' in given ? given.inlayHints : undefined;
  const configuration = 'configuration' in given ? given.configuration : undefined;
  const defines = 'defines' in given ? given.defines : undefined;
  return {
    configuration: typeof configuration === 'string' ? configuration.trim() || null : former.configuration,
    defines: Array.isArray(defines) ? defines.filter((each) => typeof each === 'string') : former.defines,
    maxStates: typeof maxStates === 'number' && Number.isFinite(maxStates) && maxStates >= 1 ? maxStates : former.maxStates,
    codeLens: typeof codeLens === 'boolean' ? codeLens : former.codeLens,
    inlayHints: typeof inlayHints === 'boolean' ? inlayHints : former.inlayHints,
    exploreOnIdle: typeof exploreOnIdle === 'boolean' ? exploreOnIdle : former.exploreOnIdle,
  };
}
