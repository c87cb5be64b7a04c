/** Has the control plane tell the edge what waits to be told. */
export const tellEvent = { tell: "blocks" } as const;

export type TellEvent = typeof tellEvent;
