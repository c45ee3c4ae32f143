import type { WorldOptions } from '../world-options.ts';
import type { Focus } from './focus.ts';

/**
 * Draws one thing of a seed's world, and says what of it is other than what is drawn so far: what it leaves out stays, and its settings
 * come beside those that there are. It throws dice of its own, by a name of its own: what others draw stays as it is.
 */
export type Part = (drawn: WorldOptions, focus: Focus) => Partial<WorldOptions>;

/** What is drawn so far, and one thing more. */
export function withPart(drawn: WorldOptions, more: Partial<WorldOptions>): WorldOptions {
  return { ...drawn, ...more, settings: { ...drawn.settings, ...more.settings } };
}
