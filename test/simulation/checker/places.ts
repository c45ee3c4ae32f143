import type { Belongs, Written } from './interpreter/epoch.ts';
import type { Scene } from './scene.ts';

/** One partition's part of what one sink subtask has staged. */
interface Part {
  readonly partition: number;
  readonly texts: readonly string[];
}

/**
 * Every record lies in the partition that it belongs to. Those of one stream key lie in one part of the output, in the order in
 * which they were made; more order is not promised.
 */
export function checkPlaces(
  scene: Scene,
  what: string,
  topic: string,
  written: readonly Written[],
  places: readonly (readonly [place: string, texts: readonly string[]])[],
): void {
  const parts = places.map(([place, texts]): Part => ({ partition: Number(place.slice(place.lastIndexOf(' ') + 1)), texts }));
  const sizes = sizesOf(scene, topic);
  for (const together of togetherIn(written)) {
    const [{ belongs }] = together;
    const right = parts.filter(({ partition }) => mayBeIn(belongs, partition, sizes));
    const texts = together.map(({ text }) => text);
    if (!right.some((part) => holdsInOrder(part.texts, texts)))
      scene.fail('I2', `${what}: no partition where they belong has, in this order, ${texts.slice(0, 5).join('; ')}`);
  }
}

export function isIn(place: string, topic: string): boolean {
  return place.slice(0, place.lastIndexOf(' ')) === topic;
}

/** How many partitions the topic may have had when the epoch was made. */
function sizesOf({ broker }: Scene, topic: string): number[] {
  const all = broker.catalog.everyLog().filter((log) => log.topic === topic);
  const most = Math.max(0, ...all.map(({ partition }) => partition + 1));
  return broker.catalog.hasChanged(topic) ? Array.from({ length: most }, (_, index) => index + 1) : [most];
}

type Together = readonly [Written, ...Written[]];

function togetherIn(written: readonly Written[]): Together[] {
  const groups = new Map<string, [Written, ...Written[]]>();
  for (const [index, one] of written.entries()) {
    const { belongs } = one;
    if (belongs.by === 'nothing') continue;
    const name = belongs.by === 'key' && belongs.stream !== undefined ? `${belongs.hash} ${belongs.stream}` : `alone ${index}`;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [one]);
    else group.push(one);
  }
  return [...groups.values()];
}

function mayBeIn(belongs: Belongs, partition: number, sizes: readonly number[]): boolean {
  if (belongs.by === 'partition') return belongs.partition === partition;
  return belongs.by === 'nothing' || sizes.some((size) => belongs.hash % size === partition);
}

function holdsInOrder(all: readonly string[], some: readonly string[]): boolean {
  let at = -1;
  return some.every((text) => {
    at = all.indexOf(text, at + 1);
    return at >= 0;
  });
}
