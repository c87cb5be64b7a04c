import { Aws, Token } from "aws-cdk-lib";
import { functionName, type HandlerName } from "../lambda/config/env.ts";

/**
 * Every physical name, fixed: stacks refer to each other's resources by name, so that none holds the other, data that
 * was retained is found again, and a replica's functions know the primary's.
 */
export class Names {
  readonly prefix: string;
  readonly #account: string;

  /** With the account's number every name is literal in the templates; without it CloudFormation puts it in. */
  constructor(prefix: string, account: string = Aws.ACCOUNT_ID) {
    this.prefix = prefix;
    this.#account = account;
  }

  /** The account as rules about templates spell it, which put a name where a number is not known. */
  get shownAccount(): string {
    return Token.isUnresolved(this.#account) ? "<AWS::AccountId>" : this.#account;
  }

  /** Bucket names are shared by all accounts of the world. */
  bucket(region: string): string {
    return `${this.prefix}-${this.#account}-${region}`;
  }

  logBucket(): string {
    return `${this.prefix}-logs-${this.#account}`;
  }

  get table(): string {
    return this.prefix;
  }

  /** Claims, and the checksum database of our own: one in each region. */
  get logTable(): string {
    return `${this.prefix}-log`;
  }

  get signingKeyAlias(): string {
    return `alias/${this.prefix}-signing`;
  }

  /** The key with which the edge signs what it tells the API. */
  get edgeSecret(): string {
    return `${this.prefix}/edge`;
  }

  /** User and password of upstreams, by host. */
  get credentialsSecret(): string {
    return `${this.prefix}/upstream-credentials`;
  }

  /** How the names of secrets begin that administrators set over HTTP. */
  get credentialFolder(): string {
    return `${this.prefix}/credentials/`;
  }

  function(handler: HandlerName): string {
    return functionName(this.prefix, handler);
  }

  /** By which people hear of the alarms of one stack. */
  topic(stack: string): string {
    return `${this.prefix}-alarms-${stack}`;
  }

  /** The alarm that rolls a channel back. */
  channelAlarm(channel: string): string {
    return `${this.prefix}-channel-${channel}`;
  }

  /** The API of the functions behind the edge that administer. */
  get controlApi(): string {
    return `${this.prefix}-control`;
  }

  /** What the exchange of ID tokens for tokens is told of a request. */
  get exchange(): string {
    return `${this.prefix}-exchange`;
  }

  /** What hosts send with a webhook reaches its function. */
  get webhook(): string {
    return `${this.prefix}-webhook`;
  }

  get queue(): string {
    return `${this.prefix}-background`;
  }

  /** The schedule of the sweep of repositories. */
  get sweep(): string {
    return `${this.prefix}-sweep`;
  }

  get deadLetterQueue(): string {
    return `${this.prefix}-background-dead`;
  }
}
