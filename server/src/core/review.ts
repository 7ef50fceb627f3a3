// The one API of the language server, the command line, the worker and the tests: files in, findings, contexts and
// verdicts out. Knows nothing of protocols, disks or clocks.
export {};
