import { BlockList, isIP } from "node:net";
import { CodedError } from "../../golang/coded-error.ts";

/** Where requests leave a network that knows the internet only by a forward proxy. */
export interface ForwardProxySettings {
  /** For https and http destinations, as HTTPS_PROXY and HTTP_PROXY have them: `"http://user:password@proxy.example:3128"`. */
  readonly https?: string | undefined;
  readonly http?: string | undefined;
  /** Hosts that are reached without it, as NO_PROXY has them: `"corp.example,10.0.0.0/8,*.internal:8443"`. */
  readonly noProxy?: string | undefined;
}

/** The settings that a process finds in its environment, by the names that Go reads (upper case before lower case). */
export function forwardProxyOf(environment: Readonly<Record<string, string | undefined>>): ForwardProxySettings {
  const read = (name: string) => environment[name] || environment[name.toLowerCase()] || undefined;
  return { https: read("HTTPS_PROXY"), http: read("HTTP_PROXY"), noProxy: read("NO_PROXY") };
}

/** The way of each destination: by a forward proxy, or straight. */
export interface ForwardProxies {
  /** The proxy's URL for a destination, or `undefined`. */
  proxyFor(to: URL): string | undefined;
}

/**
 * Chooses as Go does (golang.org/x/net/http/httpproxy): this machine itself is never reached by a proxy.
 *
 * Throws `CodedError` "config" for a proxy that is no http or https URL; the message does not repeat it, for it may hold
 * a password.
 */
export function openForwardProxies(settings: ForwardProxySettings): ForwardProxies {
  const proxies = { "https:": parseProxy(settings.https), "http:": parseProxy(settings.http) };
  const isExempt = parseNoProxy(settings.noProxy ?? "");
  return {
    proxyFor: (to) => {
      const proxy = proxies[to.protocol === "https:" ? "https:" : "http:"];
      return proxy === undefined || isExempt(to) ? undefined : proxy;
    },
  };
}

function parseProxy(text: string | undefined): string | undefined {
  if (text === undefined || text === "") return undefined;
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  if (/^https?:\/\/[^/]/i.test(url) && URL.canParse(url) && isDecodable(new URL(url))) return new URL(url).href;
  throw new CodedError("config", "the forward proxy is not an http or https URL: set proxy.url, or HTTPS_PROXY");
}

/** node decodes user and password, and throws where it cannot. */
function isDecodable({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
}

type Matcher = (host: string, port: string) => boolean;

function parseNoProxy(text: string): (to: URL) => boolean {
  const matchers = text
    .split(",")
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== "")
    .map(parseEntry);
  return ({ hostname, port, protocol }) => {
    const host = hostname.replace(/^\[(.*)\]$/, "$1");
    const at = port || (protocol === "https:" ? "443" : "80");
    return host === "localhost" || isLoopback(host) || matchers.some((matches) => matches(host, at));
  };
}

/** One entry: `*`, an address or a range of them, a domain with all below it, or with a leading dot only what is below. */
function parseEntry(entry: string): Matcher {
  if (entry === "*") return () => true;
  const range = parseRange(entry);
  if (range !== undefined) return (host) => contains(range, host);
  const [, bracketed, plain = "", port = ""] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d*))?$/.exec(entry) ?? [];
  const name = bracketed ?? (isIP(entry) === 0 ? plain : entry);
  const isPort = (at: string) => port === "" || at === port;
  if (isIP(name) !== 0) {
    const address = new BlockList();
    address.addAddress(name, family(name));
    return (host, at) => isPort(at) && contains(address, host);
  }
  const domain = name.replace(/^\*\./, ".");
  if (domain === "" || domain === ".") return () => false;
  const below = domain.startsWith(".") ? domain : `.${domain}`;
  return (host, at) => isPort(at) && isIP(host) === 0 && (host.endsWith(below) || host === domain);
}

function parseRange(entry: string): BlockList | undefined {
  const [, net = "", bits = ""] = /^([0-9a-f.:]+)\/(\d{1,3})$/.exec(entry) ?? [];
  if (isIP(net) === 0 || Number(bits) > (isIP(net) === 4 ? 32 : 128)) return undefined;
  const range = new BlockList();
  range.addSubnet(net, Number(bits), family(net));
  return range;
}

function contains(list: BlockList, host: string): boolean {
  return isIP(host) !== 0 && list.check(host, family(host));
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8);
loopback.addAddress("::1", "ipv6");

function isLoopback(host: string): boolean {
  return contains(loopback, host);
}

function family(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 4 ? "ipv4" : "ipv6";
}
