/** A piece of HTML: only the tag `html` makes one, so that text cannot be taken for it. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type HtmlValue = string | number | Html | undefined | readonly HtmlValue[];

/**
 * Returns the template as HTML, with every value that is not HTML itself made harmless as text or quoted attribute:
 * `` html`<a title="${name}">` `` holds whatever `name` is. Lists are joined; `undefined` is nothing.
 */
export function html(pieces: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(String.raw({ raw: pieces }, ...values.map(render)));
}

function render(value: HtmlValue): string {
  if (value === undefined) return "";
  if (value instanceof Html) return value.text;
  if (typeof value === "object") return value.map(render).join("");
  return String(value).replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}
