/** Which ID tokens have been exchanged, of those that count once. */
export interface UsedTokens {
  /**
   * True the first time that this id is used, false ever after, whoever asks and at whatever moment; it may be forgotten
   * from `until` on, in Unix seconds.
   */
  use(id: string, until: number): Promise<boolean>;
}
