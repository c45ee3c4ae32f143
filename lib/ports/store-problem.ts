/**
 * A store (epochs or blobs) could not do what it was asked. `retriable`: the same call may succeed later (unreachable,
 * throttled, an error of the store's own); otherwise it needs a person (refused credentials, a missing permission,
 * table, bucket or folder, content that is not ours). The message says what failed, where, and what changes it. `isSetting`: what
 * leads to the store is not set right in this process (credentials, region), so that nothing it asks for is ever done.
 */
export class StoreProblem extends Error {
  override readonly name = 'StoreProblem';
  readonly retriable: boolean;
  readonly isSetting: boolean;
  constructor(message: string, retriable: boolean, options?: ErrorOptions & { readonly isSetting?: boolean }) {
    super(message, options);
    this.retriable = retriable;
    this.isSetting = options?.isSetting ?? false;
  }
}
