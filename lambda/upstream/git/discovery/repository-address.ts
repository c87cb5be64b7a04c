/** What a page or a path says of where a module's versions are. */
export type RepositoryAddress =
  | {
      readonly kind: "git";
      /** The URL by which go knows the repository; nobody has looked whether it may be reached. */
      readonly url: string;
      /** The module path of the repository's root. */
      readonly root: string;
      /** The folder of the repository that the root stands for, usually `""`. */
      readonly directory: string;
    }
  | {
      readonly kind: "proxy";
      /** The base URL of a module proxy that has it. */
      readonly url: string;
    };
