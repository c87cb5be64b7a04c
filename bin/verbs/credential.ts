import { formatCredential } from "../../lambda/access/credential.ts";
import { ownLogins } from "./logins.ts";
import { parseVerbArgs, type Verb } from "./verb.ts";

/**
 * `modfront credential`: what `go help goauth` expects of a command.
 *
 * `go` runs it once without a word, and again with the URL, and the answer on stdin, after each 4xx.
 */
export const credential: Verb = {
  usage: "[URL]",
  summary: "prints the tokens of modfront login as the go command reads them: GOAUTH='modfront credential'",
  run: async (args, terminal) => {
    const [asked] = parseVerbArgs(args, {}, { least: 0, most: 1 }).positionals;
    const logins = await ownLogins(terminal).read();
    if (logins.size === 0) terminal.note("no token is kept here: see modfront login");
    const sets = [...logins].map(([server, token]) => formatCredential([server], token, asked));
    terminal.write(sets.join(""));
    return 0;
  },
};
