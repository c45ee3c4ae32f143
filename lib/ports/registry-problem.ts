/**
 * A schema registry could not do what it was asked. `retriable`: the same may succeed later (unreachable, an error of its own);
 * otherwise it needs a person (a refused login, a schema that is not compatible). The message says what failed, where, and what changes it.
 */
export class RegistryProblem extends Error {
  override readonly name = 'RegistryProblem';
  readonly retriable: boolean;

  constructor(message: string, retriable: boolean, options?: ErrorOptions) {
    super(message, options);
    this.retriable = retriable;
  }
}
