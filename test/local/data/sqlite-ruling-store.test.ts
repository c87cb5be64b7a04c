import { SqliteRulingStore } from "../../../lambda/local/data/sqlite-ruling-store.ts";
import { rulingStoreContract } from "../../contract/ruling-store.ts";
import { makeDataFolder } from "../../support/data-folder.ts";

rulingStoreContract("SqliteRulingStore", async () => {
  const { path, remove } = makeDataFolder();
  const opened: SqliteRulingStore[] = [];
  const open = () => {
    const store = new SqliteRulingStore(path);
    opened.push(store);
    return store;
  };
  const close = async () => {
    for (const store of opened) store.close();
    remove();
  };
  return { store: open(), reopen: async () => open(), close };
});
