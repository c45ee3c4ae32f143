import { drawBroker } from './draw/broker.ts';
import { drawClocks } from './draw/clocks.ts';
import { drawDelivery } from './draw/delivery.ts';
import { drawElections } from './draw/elections.ts';
import { drawFaults } from './draw/faults.ts';
import { focusOf } from './draw/focus.ts';
import { drawManifests } from './draw/manifests.ts';
import { type Part, withPart } from './draw/part.ts';
import { drawRescales } from './draw/rescales.ts';
import { drawSavepoints } from './draw/savepoints.ts';
import { drawShape } from './draw/shape.ts';
import { drawStateMemory } from './draw/state-memory.ts';
import { drawStrands } from './draw/strands.ts';
import { drawTopics } from './draw/topics.ts';
import { drawTopicsAway } from './draw/topics-away.ts';
import { drawDenials, drawEndedUploads } from './draw/uploads.ts';
import { drawUserCode } from './draw/user-code.ts';
import type { WorldOptions } from './world-options.ts';

/** What a world is drawn from, one after the other: each sees what those before it have drawn. */
const PARTS: readonly Part[] = [
  drawFaults,
  drawClocks,
  drawDelivery,
  drawUserCode,
  drawTopics,
  drawBroker,
  drawEndedUploads,
  drawManifests,
  drawRescales,
  drawStrands,
  drawDenials,
  drawSavepoints,
  drawElections,
  drawTopicsAway,
  drawStateMemory,
];

/** Everything about one run, from its seed; also what it is about, unless that is said. */
export function drawWorld(seed: number, change: Partial<WorldOptions> = {}, focus = focusOf(seed)): WorldOptions {
  const drawn = PARTS.reduce((before, part) => withPart(before, part(before, focus)), drawShape(seed, focus));
  return { ...drawn, ...change };
}
