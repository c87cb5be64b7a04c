import { SqliteCredentialStore } from "../../../lambda/local/access/sqlite-credential-store.ts";
import { credentialStoreContract } from "../../contract/credential-store.ts";
import { makeDataFolder } from "../../support/data-folder.ts";

credentialStoreContract("SqliteCredentialStore", async () => {
  const { path, remove } = makeDataFolder();
  const opened: SqliteCredentialStore[] = [];
  const open = () => {
    const store = new SqliteCredentialStore(path);
    opened.push(store);
    return { store, reads: store };
  };
  const close = async () => {
    for (const store of opened) store.close();
    remove();
  };
  return { store: open(), reopen: async () => open(), close };
});
