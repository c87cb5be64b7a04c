/** Whose tokens and audit log: those of a data folder, or of a deployment by its name. */
export interface AccessPlace {
  readonly data?: string | undefined;
  readonly config?: string | undefined;
  readonly stack?: string | undefined;
}
