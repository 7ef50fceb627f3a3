export function checkMutants() {}
