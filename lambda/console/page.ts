import { createHash } from "node:crypto";
import { encodePath } from "../edge/routed-path.ts";
import { escapePath, escapeVersion } from "../golang/module.ts";
import type { HttpAnswer } from "../http/result.ts";
import { Html, html } from "./html.ts";
import { pageScript, pageStyle } from "./page-style.ts";
import { netrcLine, type PasteContent, pasteLines, shellWord } from "./paste-lines.ts";
import type { Survey, SurveyedModule } from "./survey.ts";

/** Everything the page says. Nothing in it is trusted to be free of markup. */
export interface PageContent extends PasteContent {
  /** True when whoever has no token is refused something. */
  readonly needsToken: boolean;
  /** The private patterns, where the reader may know them; else empty. */
  readonly privatePatterns: readonly string[];
  /** True when the reader may ask for the metrics. */
  readonly metrics: boolean;
  /** What was searched for. */
  readonly query: string;
  readonly survey: Survey;
}

/** Returns the page: one document that loads nothing else. */
export function renderPage(content: PageContent): HttpAnswer {
  return {
    kind: "answer",
    status: 200,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "content-security-policy": policy,
    },
    body: new TextEncoder().encode(document(content).text),
  };
}

function hash(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

const policy = [
  "default-src 'none'",
  `style-src ${hash(pageStyle)}`,
  `script-src ${hash(pageScript)}`,
  "img-src data:",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

const mark = html`<svg viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="7" fill="#00add8"/><path d="M6 11h9M3 16h9M6 21h9" stroke="#fff" stroke-width="2.4" stroke-linecap="round"/><path d="M17 8l8 8-8 8" fill="none" stroke="#fff" stroke-width="3.4" stroke-linecap="round" stroke-linejoin="round"/></svg>`;

const icon = `data:image/svg+xml,${encodeURIComponent(mark.text.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" '))}`;

// Inside style and script elements nothing is escaped: these are constants that hold no closing tag.
const style = new Html(`<style>${pageStyle}</style>`);
const script = new Html(`<script>${pageScript}</script>`);

function document(content: PageContent): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>modfront: Go module proxy</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="${icon}">
${style}
</head>
<body>
<header>
<h1>${mark}modfront</h1>
<p>A private Go module proxy. It fetches each module version once, checks it, and serves it from then on, also when
the internet is not there.</p>
</header>
<main>
${useIt(content)}
${stored(content)}
</main>
<footer>
<a href="/-/ready">ready</a><a href="/-/gosumdb">checksum database</a>${content.metrics ? html`<a href="/-/metrics">metrics</a>` : undefined}
</footer>
${script}
</body>
</html>
`;
}

function useIt(content: PageContent): Html {
  const { address, needsToken, privatePatterns, ownLog } = content;
  const lines = pasteLines(content);
  const isDefault = lines.length === 1;
  return html`<section aria-labelledby="use">
<h2 id="use">Use it</h2>
${paste(lines)}
<p class="quiet">To keep a setting beyond this shell: <code>go env -w GOPROXY=…</code>. ${isDefault ? "Leave GOSUMDB as it is: go then checks what it gets here as it does anywhere." : undefined}</p>
${privatePatterns.length > 0 ? (ownLog === undefined ? privateHint : ownLogHint) : undefined}
${isDefault && ownLog !== undefined ? ownLogLine(ownLog) : undefined}
${needsToken ? tokenHint(address) : undefined}
</section>`;
}

const privateHint = html`<p class="quiet">Private modules are in no public checksum database, which is what GONOSUMDB says. Leave
them out of GOPRIVATE: it makes go fetch them past this proxy.</p>`;

const ownLogHint = html`<p class="quiet">Private modules are in the checksum database of this proxy, which GOSUMDB names, beside
the public ones. Leave them out of GOPRIVATE: it makes go fetch them past this proxy.</p>`;

/** For whoever is shown no private module. */
function ownLogLine(line: string): Html {
  return html`<p class="quiet">This proxy has a checksum database of its own, of everything it serves. With it instead of sum.golang.org
no other setting is needed for private modules:</p>
${paste([`export GOSUMDB=${shellWord(line)}`])}`;
}

function tokenHint(address: string): Html {
  const line = netrcLine(address);
  if (line === undefined)
    return html`<p>Private modules need a token, which go sends over https only: this address is not.</p>`;
  return html`<p>For what needs a token, one line in <code>~/.netrc</code>, with the token in place of TOKEN:</p>
${paste([line])}`;
}

function paste(lines: readonly string[]): Html {
  return html`<div class="paste"><pre tabindex="0">${lines.join("\n")}</pre></div>`;
}

function stored({ query, survey }: PageContent): Html {
  return html`<section aria-labelledby="stored">
<h2 id="stored">Stored here</h2>
<p>${count(survey)}</p>
${survey.modules > 0 || query !== "" ? search(query) : undefined}
${survey.named.length > 0 ? html`<ul class="modules">${survey.named.map(row)}</ul>` : undefined}
<p class="quiet" role="status">${remark(query, survey)}</p>
</section>`;
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}

function some(value: number, noun: string): string {
  return `${number(value)} ${noun}${value === 1 ? "" : "s"}`;
}

function count({ modules, versions, complete }: Survey): Html {
  if (modules === 0 && complete)
    return html`Nothing yet. A module is stored the first time <code>go</code> asks for it here.`;
  return html`${complete ? undefined : "More than "}<strong>${some(modules, "module")}</strong> with ${some(versions, "version")}.`;
}

function search(query: string): Html {
  return html`<form role="search" action="/" method="get"><input type="search" name="q" value="${query}" maxlength="256" aria-label="Part of a module path" placeholder="Part of a module path" autocapitalize="off" autocomplete="off" spellcheck="false"><button>Search</button></form>`;
}

/** What the list leaves out, and how to find it. */
function remark(query: string, { matching, named, complete }: Survey): string | undefined {
  const beyond = complete ? "" : " There are too many to look through: the beginning of a path finds the others.";
  if (query !== "" && named.length === 0) return `No stored module has “${query}” in its path.${beyond}`;
  if (matching > named.length || !complete)
    return `The first ${number(named.length)} of ${complete ? "" : "more than "}${number(matching)} are shown.${beyond}`;
  return query === "" ? undefined : `${some(matching, "module")} with “${query}” in the path.`;
}

function row({ module, versions, newest }: SurveyedModule): Html {
  const base = link(module, escapePath);
  const rest = versions - newest.length;
  const more = newest.length === 0 ? some(versions, "version") : `and ${number(rest)} older`;
  return html`<li>
<span class="path">${module.split("/").map((element, i) => (i === 0 ? element : html`/<wbr>${element}`))}</span>
<span class="versions">${newest.map((version) => versionLink(base, version))}${rest > 0 ? html`<span class="quiet">${more}</span>` : undefined}</span>
<span class="more"><a href="${base}/@v/list" aria-label="list of ${module}">list</a><a href="${base}/@latest" aria-label="latest of ${module}">latest</a></span>
</li>`;
}

function versionLink(base: string, version: string): Html {
  return html`<a href="${base}/@v${link(version, escapeVersion)}.info">${version}</a>`;
}

/** Returns a path on this server; empty, and so a link to nothing, for what should not be in the index at all. */
function link(path: string, escapeLetters: (path: string) => string): string {
  try {
    return `/${encodePath(escapeLetters(path))}`;
  } catch {
    return "";
  }
}
