/** A browser as far as an OpenID provider needs one: redirects, cookies, and the first form of a page. */
export class ScriptedBrowser {
  readonly #cookies = new Map<string, string>();
  readonly #login: string;

  constructor(login: string) {
    this.#login = login;
  }

  /** Follows an address to its end as a person would who signs in and agrees to everything, and returns the last page. */
  async visit(address: string): Promise<string> {
    let next: Request | undefined = new Request(address);
    let page = "";
    for (let pages = 0; next !== undefined; pages++) {
      if (pages > 30) throw new Error(`this has no end: ${next.url}`);
      const url: string = next.url;
      const answer: Response = await this.#send(next);
      page = await answer.text();
      const location = answer.headers.get("location");
      next = location === null ? this.#filledForm(page, url) : new Request(new URL(location, url));
    }
    return page;
  }

  async #send(request: Request): Promise<Response> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const body = request.method === "POST" ? { body: await request.text() } : {};
    const type = { "content-type": "application/x-www-form-urlencoded" };
    const headers = { cookie, ...(request.method === "POST" ? type : {}) };
    const answer = await fetch(request.url, { method: request.method, headers, redirect: "manual", ...body });
    for (const set of answer.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      if (value === "") this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    return answer;
  }

  #filledForm(page: string, url: string): Request | undefined {
    const form = /<form[^>]*>[\s\S]*?<\/form>/.exec(page)?.[0];
    if (form === undefined) return undefined;
    const values = new URLSearchParams();
    for (const [input] of form.matchAll(/<input[^>]*>/g)) {
      const [name, value] = [attribute(input, "name"), attribute(input, "value")];
      if (name === "login") values.set(name, this.#login);
      else if (name === "password") values.set(name, "any");
      else if (name !== "abort") values.set(name, value);
    }
    // The page that asks whether the device's code is the right one names its button.
    if (/name="confirm"|value="yes"/.test(form)) values.set("confirm", "yes");
    const action = attribute(form, "action");
    return new Request(new URL(action, url), { method: "POST", body: values });
  }
}

function attribute(tag: string, name: string): string {
  return new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1]?.replaceAll("&amp;", "&") ?? "";
}

// As the program of BROWSER: `node scripted-browser.ts LOGIN URL`.
if (import.meta.main) {
  const [, , login = "", url = ""] = process.argv;
  process.stdout.write(await new ScriptedBrowser(login).visit(url));
}
