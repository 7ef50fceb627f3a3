// Mutants that no rule finds yet, with the reason: they are printed as such and do not fail the check.
export const unfound = new Map([
  ['ERETS to user mode', 'the machine of FRED takes the privilege of a return from its frame, not from which of the two instructions it is'],
  ['ERETU to the kernel', 'the machine of FRED takes the privilege of a return from its frame, not from which of the two instructions it is'],
  ['registers not restored under FRED', 'it is found, at the return of each door instead of at the macro that both use'],
]);
