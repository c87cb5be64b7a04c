/**
 * Seconds: for an invocation of a function that fills, the most that Lambda gives, and for one file in it. In what lies between
 * the file is verified and stored, and the lease given back: a function that is ended at its limit does neither.
 */
export const fillTimes = { invocation: 900, file: 780 } as const;
