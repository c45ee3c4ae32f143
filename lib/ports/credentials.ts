/** A user and the password, which is for the broker and for nobody else: never in a message or a log. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Where user and password come from. Both calls throw a `StoreProblem` that never holds what was read. */
export interface CredentialSource {
  /** What was read last, unless that is too long ago. */
  current(): Promise<Credentials>;
  /** After a refusal: reads again. Undefined when there is nothing new, so that a second try is of no use. */
  renewed(refused: Credentials): Promise<Credentials | undefined>;
  /** For messages; undefined before anything was read. */
  username(): string | undefined;
}
