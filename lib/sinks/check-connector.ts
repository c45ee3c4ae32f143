import type { Committable } from '../protocol/committable.ts';
import { MalformedError } from '../protocol/malformed.ts';

/** A connector takes no committable of another: of its token it understands nothing. @param own the connector's name @throws MalformedError */
export function checkConnector({ sink, connector, subtask, epoch }: Omit<Committable, 'token'>, own: string): void {
  if (connector === own) return;
  throw new MalformedError(
    `the committable of sink ${sink}, subtask ${subtask}, epoch ${epoch} is of connector ${connector}, and was given to ${own}`,
  );
}
