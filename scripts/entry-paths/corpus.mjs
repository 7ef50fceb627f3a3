export function checkCorpus() {}
